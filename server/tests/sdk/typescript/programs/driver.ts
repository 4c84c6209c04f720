// Calls a method of the client for each line that comes in, and prints what came of it:
// {"options": {…}, "method": "admin.plans.create", "arguments": […]} -> {"answer": …} or {"error": …}

import { createInterface } from "node:readline";

import HelloJohn, { ApiConnectionError, ApiError, PagePromise, RowStream } from "@hellojohn/node";

interface Line {
  options: ConstructorParameters<typeof HelloJohn>[0];
  method: string;
  arguments: unknown[];
}

let rows: unknown[] = [];

async function answerTo({ options, method, arguments: given }: Line): Promise<unknown> {
  const names = method.split(".");
  const last = names.pop()!;
  let resource: any = new HelloJohn(options);
  for (const name of names) resource = resource[name];
  const called: unknown = resource[last](...given);
  if (called instanceof PagePromise) return (await called).data;
  if (!(called instanceof RowStream)) return (await called) ?? null;
  rows = [];
  for await (const row of called) rows.push(row);
  return rows;
}

function described(error: unknown): unknown {
  if (!(error instanceof Error)) return { name: String(error) };
  const family: string[] = [];
  for (let kind = error.constructor; kind.name !== ""; kind = Object.getPrototypeOf(kind)) family.push(kind.name);
  const { name, message } = error;
  if (error instanceof ApiConnectionError) return { name, message, family, was_sent: error.was_sent };
  if (!(error instanceof ApiError)) return { name, message, family };
  return { name, message, family, status: error.status, code: error.code, request_id: error.request_id };
}

for await (const line of createInterface({ input: process.stdin })) {
  let said: unknown;
  try {
    said = { answer: await answerTo(JSON.parse(line)) };
  } catch (error) {
    said = { error: described(error), rows: rows.length };
  }
  console.log(JSON.stringify(said));
}
