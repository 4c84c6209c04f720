/** Sends operations: credentials, headers, timeouts, repetitions, and what comes back. */

import { Deadline } from "./deadlines.js";
import { HelloJohnError, MissingCredential, UnexpectedAnswer, errorOf } from "./errors.js";
import { baseURLOf, credentialOf, type ClientOptions, type Credential, type CallOptions } from "./options.js";
import { PagePromise, type PageBody } from "./pages.js";
import { delayAfter, wait } from "./retries.js";
import { RowStream, type Opened } from "./streams.js";
import type { Content } from "./types/index.js";
import { bodyOf, isRepeatable, type FileContent } from "./uploads.js";
import { VERSION } from "./version.js";

export type Method = "DELETE" | "GET" | "PATCH" | "POST" | "PUT";

/** An operation of the API, as one call of it needs it. */
export interface Operation {
  method: Method;
  path: string;
  /** Values by their names on the wire. Those that are undefined are not sent. */
  query?: object | undefined;
  /** What is sent as JSON. */
  body?: object | undefined;
  /** A file, which is sent in the place of a body. */
  content?: FileContent;
  contentType?: Content | undefined;
  /** The credential that the operation takes: a secret key if absent, none if null. */
  by?: Credential | null;
  /** The server keeps its first answer under an `Idempotency-Key`. */
  keyed?: boolean;
  /** It changes nothing, so it may be sent again whatever its method. */
  safe?: boolean;
}

interface Waiting {
  signal: AbortSignal | undefined;
  timeout: number | null;
}

const TIMEOUT = 60_000;
const REPETITIONS = 2;
const IDEMPOTENT: ReadonlySet<Method> = new Set(["GET", "PUT"]);
const NEEDED: Readonly<Record<Credential, string>> = {
  accessToken: "an access token: give it as accessToken, to the client or to the call",
  masterKey: "a master key: give it as masterKey",
  publishableKey: "a publishable key: give it as publishableKey",
  secretKey: "a secret key: give it as secretKey or in HELLOJOHN_SECRET_KEY",
};

/** Returns a path with its parameters in it, each as one segment. */
export function path(parts: TemplateStringsArray, ...parameters: string[]): string {
  return parts.reduce((whole, part, index) => whole + encodeURIComponent(parameters[index - 1] ?? "") + part);
}

/** Returns an object unless nothing is given in it: a body that need not be sent. */
export function given<T extends object>(values: T): T | undefined {
  return Object.values(values).some((value) => value !== undefined) ? values : undefined;
}

/** What all resources of a client send their operations with. */
export class Transport {
  readonly #options: ClientOptions; // private to the runtime too: whoever logs a client logs no key

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Returns the options of a client, with others in some places. */
  optionsWith(options: ClientOptions): ClientOptions {
    return { ...this.#options, ...options };
  }

  /** Sends an operation and returns its answer; null where that is empty. */
  json<T>(operation: Operation, options: CallOptions = {}): Promise<T> {
    return this.#send(operation, options, "application/json", async ({ response, deadline }) => {
      try {
        return valueIn(response, await deadline.for(response.text())) as T;
      } finally {
        deadline.close();
      }
    });
  }

  /** Sends an operation that answers nothing. */
  async nothing(operation: Operation, options?: CallOptions): Promise<void> {
    await this.json(operation, options);
  }

  /** Returns a list. A further page's cursor goes where the request's other parameters are. */
  page<T>(operation: Operation, options?: CallOptions): PagePromise<T> {
    const place = operation.method === "GET" ? "query" : "body";
    return new PagePromise<T>((cursor) => {
      const turned = cursor === null ? operation : { ...operation, [place]: { ...operation[place], cursor } };
      return this.json<PageBody<T>>(turned, options);
    });
  }

  /** Returns the rows of an answer of any length. */
  stream<T>(operation: Operation, options: CallOptions = {}): RowStream<T> {
    return new RowStream<T>(() => this.open(operation, options, "*/*"));
  }

  /** Sends an operation and returns its answer before the body is read, which is for the caller to do and to end. */
  open(operation: Operation, options: CallOptions, accept: string): Promise<Opened> {
    return this.#send(operation, options, accept, async (opened) => opened);
  }

  async #send<T>(
    operation: Operation,
    options: CallOptions,
    accept: string,
    take: (opened: Opened) => Promise<T>,
  ): Promise<T> {
    const url = this.#urlOf(operation);
    const headers = this.#headersOf(operation, options, accept);
    const isSafeToRepeat = operation.safe === true || operation.keyed === true || IDEMPOTENT.has(operation.method);
    const waiting = { signal: options.signal, timeout: this.#timeoutOf(operation, options) };
    const canBeSentAgain = operation.content === undefined || isRepeatable(operation.content);
    const repetitions = canBeSentAgain ? (options.maxRetries ?? this.#options.maxRetries ?? REPETITIONS) : 0;
    for (let repetition = 0; ; repetition += 1) {
      try {
        return await take(await this.#open(url, { method: operation.method, headers, ...contentOf(operation) }, waiting));
      } catch (error) {
        const delay = repetition < repetitions ? delayAfter(error, repetition, isSafeToRepeat) : null;
        if (delay === null) throw error;
        await wait(delay, options.signal);
      }
    }
  }

  async #open(url: string, init: RequestInit, waiting: Waiting): Promise<Opened> {
    const deadline = new Deadline(waiting.timeout, waiting.signal);
    const send = this.#options.fetch ?? globalThis.fetch;
    try {
      const response = await deadline.for(send(url, { ...init, redirect: "manual", signal: deadline.signal }));
      if (response.ok) return { response, deadline };
      throw errorOf(response.status, bodyIn(await deadline.for(response.text())), response.headers);
    } catch (error) {
      deadline.close();
      throw error;
    }
  }

  // A file has all the time that its sending takes, unless the call itself is told otherwise.
  #timeoutOf({ content }: Operation, options: CallOptions): number | null {
    return options.timeout ?? (content === undefined ? (this.#options.timeout ?? TIMEOUT) : null);
  }

  #urlOf({ method, path, query = {} }: Operation): string {
    // An id that is empty or dots would make another operation of it.
    if (/\/\.{0,2}(\/|$)/.test(path)) throw new HelloJohnError(`${method} ${path}: an id is missing.`);
    const values = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
    const search = new URLSearchParams(values.map(([name, value]) => [name, String(value)])).toString();
    return `${baseURLOf(this.#options)}${path}${search === "" ? "" : `?${search}`}`;
  }

  #headersOf(operation: Operation, options: CallOptions, accept: string): Headers {
    const headers = new Headers({ Accept: accept, "User-Agent": `hellojohn-node/${VERSION}` });
    const by = operation.by === undefined ? "secretKey" : operation.by;
    if (by !== null) {
      const credential = credentialOf(by, this.#options, options);
      if (credential === undefined) throw new MissingCredential(`${operation.method} ${operation.path} needs ${NEEDED[by]}.`);
      headers.set("Authorization", `Bearer ${credential}`);
      if (by !== "masterKey" && this.#options.tenantId !== undefined) headers.set("X-Tenant-ID", this.#options.tenantId);
    }
    const actingAdmin = options.actingAdmin ?? this.#options.actingAdmin;
    if (actingAdmin !== undefined && (by === "secretKey" || by === "masterKey")) headers.set("X-Acting-Admin", actingAdmin);
    if (options.ifMatch !== undefined) headers.set("If-Match", tagOf(options.ifMatch));
    if (operation.keyed === true) headers.set("Idempotency-Key", options.idempotencyKey ?? randomKey());
    const type = operation.content === undefined ? operation.body && "application/json" : typeOf(operation);
    if (type !== undefined) headers.set("Content-Type", type);
    return headers;
  }
}

function contentOf({ body, content }: Operation): RequestInit {
  if (content !== undefined) return bodyOf(content);
  return body === undefined ? {} : { body: JSON.stringify(body) };
}

function typeOf({ content, contentType }: Operation): string {
  const own = content instanceof Blob ? content.type : "";
  return contentType ?? (own === "" ? "application/x-ndjson" : own);
}

function tagOf(version: number | string): string {
  return String(version).startsWith('"') ? String(version) : `"${version}"`;
}

function valueIn(response: Response, text: string): unknown {
  try {
    return response.status === 204 ? null : JSON.parse(text);
  } catch (error) {
    throw new UnexpectedAnswer(response, text, { cause: error });
  }
}

function bodyIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // of something on the way, such as a proxy
  }
}

// It need not be secret, only the caller's alone: the server keeps answers by credential. Node 18 has no global `crypto`.
function randomKey(): string {
  const digits = Array.from({ length: 32 }, () => Math.floor(Math.random() * 16).toString(16)).join("");
  return globalThis.crypto?.randomUUID?.() ?? digits;
}
