// Verifies access tokens with jose, as an application on Node does. It is sent a line and answers with one, in JSON.
//
//     node verify.js <address of the key set> <issuer> <audience>
//
// A line is a token to verify, or "reload" to fetch the key set anew.

import { createInterface } from "node:readline";
import { createRemoteJWKSet, jwtVerify } from "jose";

const [address, issuer, audience] = process.argv.slice(2);
const keys = createRemoteJWKSet(new URL(address));

async function answerTo(line) {
  try {
    if (line === "reload") {
      await keys.reload();
      return {};
    }
    const { payload, protectedHeader } = await jwtVerify(line, keys, { issuer, audience, algorithms: ["EdDSA"] });
    return { header: protectedHeader, claims: payload };
  } catch (error) {
    return { refused: error.code ?? String(error) };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answerTo(line)));
}
