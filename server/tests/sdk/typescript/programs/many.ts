// Imports 2,500 users from a file that comes in pieces, iterates them in both directions while others are added, and exports them.

import HelloJohn, { type User } from "@hellojohn/node";

const SIZE = 2_500;
const hj = new HelloJohn();

async function* file(): AsyncGenerator<string> {
  for (let number = 0; number < SIZE; number += 1) yield `{"email":"user${number}@example.com","name":"User ${number}"}\n`;
}

let added = 0;
async function seen(users: AsyncIterable<User>): Promise<Record<string, number>> {
  const times: Record<string, number> = {};
  let count = 0;
  for await (const user of users) {
    times[user.email] = (times[user.email] ?? 0) + 1;
    count += 1;
    // One that sorts before everybody and one after, in each of the orders below.
    if (count % 100 === 0) {
      added += 2;
      await hj.users.create({ email: `aaa${added}@example.com` });
      await hj.users.create({ email: `zzz${added}@example.com` });
    }
  }
  return times;
}

function judged(times: Record<string, number>): { original: number; repeated: number } {
  const emails = Object.keys(times);
  const original = emails.filter((email) => email.startsWith("user")).length;
  return { original, repeated: emails.filter((email) => times[email] !== 1).length };
}

const done = await hj.admin.imports.create(file(), { format: "hellojohn" });
const lists = {
  newest: judged(await seen(hj.users.list({ limit: 100 }))),
  oldest: judged(await seen(hj.users.list({ direction: "asc" }))),
  byName: judged(await seen(hj.users.list({ order_by: "email", direction: "desc", limit: 100 }))),
  searched: judged(await seen(hj.users.search({ query: "user", limit: 100 }))),
};

const page = await hj.users.list({ limit: 100, order_by: "email" });
const next = await page.nextPage();

const exported: Record<string, number> = {};
for await (const user of hj.users.exportAll()) exported[user.email] = (exported[user.email] ?? 0) + 1;
let lines = 0;
for await (const row of hj.users.exportAll({ format: "csv" })) lines += row["email"]?.endsWith("@example.com") ? 1 : 0;
let bytes = "";
for await (const piece of hj.users.exportAll({ email: "user7@example.com" }).bytes()) bytes += new TextDecoder().decode(piece);

let first = 0;
for await (const _ of hj.users.exportAll()) {
  first += 1;
  if (first === 3) break;
}

const controller = new AbortController();
const asked = hj.users.get("usr_1", { signal: controller.signal });
controller.abort(new Error("enough"));
const ended = await asked.catch((error: unknown) => String(error));

console.log(
  JSON.stringify({
    imported: done.imported,
    ...lists,
    added,
    pages: [page.data.length, next?.data.length, next?.data[0]?.email === page.data[0]?.email],
    exported: { ...judged(exported), all: Object.keys(exported).length, lines, one: JSON.parse(bytes).email, first },
    ended,
  }),
);
