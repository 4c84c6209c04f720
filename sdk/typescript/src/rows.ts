/** Lines and rows out of a body that comes in pieces. */

import { ApiConnectionError } from "./errors.js";

/** Yields the lines of a text in UTF-8 without their ends (LF or CR LF), but for an empty one at the end. */
export async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of pieces) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield line.endsWith("\r") ? line.slice(0, -1) : line;
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}

/** Yields the value of each line of NDJSON. */
export async function* valuesOf(lines: AsyncIterable<string>): AsyncGenerator<unknown, void, undefined> {
  for await (const line of lines) if (line !== "") yield valueOf(line);
}

/** Yields the rows of CSV (RFC 4180), the first of which has the names. A row may be of several lines. */
export async function* recordsOf(lines: AsyncIterable<string>): AsyncGenerator<Record<string, string>, void, undefined> {
  let names: string[] | undefined;
  let record = "";
  for await (const line of lines) {
    record += line;
    if ((record.match(/"/g)?.length ?? 0) % 2 === 1) {
      record += "\n"; // within quotes
      continue;
    }
    const cells = cellsOf(record);
    record = "";
    if (names === undefined) names = cells;
    else yield Object.fromEntries(names.map((name, index) => [name, cells[index] ?? ""]));
  }
}

function valueOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new ApiConnectionError("A line of the answer is not JSON.", { cause: error });
  }
}

function cellsOf(record: string): string[] {
  const cells = `,${record}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^,]*))/g);
  return Array.from(cells, ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "");
}
