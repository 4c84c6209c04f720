/** Files that are sent. */

/** A file: whole, or in pieces as they come (Node's `createReadStream` gives such an iterable). */
export type FileContent = string | Uint8Array | ArrayBuffer | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string>;

/** Says whether a file can be sent a second time: not if it comes in pieces, which are gone then. */
export function isRepeatable(content: FileContent): boolean {
  return typeof content === "string" || content instanceof Uint8Array || content instanceof ArrayBuffer || content instanceof Blob;
}

/** Returns what a request with this file has beside its method and headers. */
export function bodyOf(content: FileContent): RequestInit {
  if (content instanceof ReadableStream || isRepeatable(content)) return half(content as BodyInit);
  return half(streamOf(content as AsyncIterable<Uint8Array | string>));
}

// `fetch` wants to be told that it need not read the answer before all is sent; not every type of it knows.
function half(body: BodyInit): RequestInit {
  return { body, duplex: "half" } as RequestInit;
}

function streamOf(pieces: AsyncIterable<Uint8Array | string>): ReadableStream<Uint8Array> {
  const iterator = pieces[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(typeof value === "string" ? encoder.encode(value) : value);
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}
