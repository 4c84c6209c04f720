/** Answers of any length, read row by row. */

import type { Deadline } from "./deadlines.js";
import { linesOf, recordsOf, valuesOf } from "./rows.js";

/** An answer whose body has yet to be read, and what watches over it. */
export interface Opened {
  response: Response;
  deadline: Deadline;
}

/**
 * The rows of an answer, read while they come. The request is sent when the first is asked for, and ended when a loop is
 * left early. An answer that breaks off throws `ApiConnectionError`: what came before it is not complete.
 *
 *     for await (const user of hj.users.exportAll({ status: "active" })) { … }
 */
export class RowStream<T> implements AsyncIterable<T> {
  readonly #open: () => Promise<Opened>;

  constructor(open: () => Promise<Opened>) {
    this.#open = open;
  }

  /** Yields each row: the value of a line of NDJSON, or what stands in a row of CSV under the names of the first. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    const opened = await this.#open();
    const isCsv = opened.response.headers.get("Content-Type")?.startsWith("text/csv") === true;
    const lines = linesOf(piecesOf(opened));
    yield* (isCsv ? recordsOf(lines) : valuesOf(lines)) as AsyncIterable<T>;
  }

  /** Yields each line as it came, without its end. A row of CSV may be of several. */
  async *lines(): AsyncGenerator<string, void, undefined> {
    yield* linesOf(piecesOf(await this.#open()));
  }

  /** Yields the bytes as they come, to be written into a file. */
  async *bytes(): AsyncGenerator<Uint8Array, void, undefined> {
    yield* piecesOf(await this.#open());
  }
}

/** Yields the pieces of a body; lets go of the connection at the end, or when the loop is left. */
export async function* piecesOf({ response, deadline }: Opened): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = response.body?.getReader();
  try {
    while (reader !== undefined) {
      const { done, value } = await deadline.for(reader.read());
      if (done) break;
      yield value;
    }
  } finally {
    deadline.close();
    await reader?.cancel().catch(() => undefined); // it has failed already, which was thrown above
  }
}
