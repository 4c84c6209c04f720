// Does with a verifier what each line says, and prints what came of it. The options of the verifier are the first argument.

import { createInterface } from "node:readline";

import { InvalidToken, Verifier, VerificationUnavailable } from "@hellojohn/node/verify";

const errors: string[] = [];
const verifier = new Verifier({ ...JSON.parse(process.argv[2]!), onError: (error) => errors.push(String(error)) });

async function done(line: string): Promise<unknown> {
  if (line === "start") return verifier.waitUntilFresh();
  if (line === "stale") return verifier.isStale;
  if (line === "errors") return errors.splice(0);
  if (line === "close") return verifier.close() ?? "closed";
  try {
    return await verifier.verify(line);
  } catch (error) {
    if (error instanceof InvalidToken) return error.code;
    if (error instanceof VerificationUnavailable) return "unavailable";
    throw error;
  }
}

for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await done(line)));
