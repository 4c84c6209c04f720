/**
 * What can go wrong, as one tree.
 *
 *     HelloJohnError
 *     ├── MissingCredential             the client was not given the kind of key that the call needs
 *     ├── ApiConnectionError            no answer came, or it broke off
 *     │   └── ApiTimeoutError           it took longer than `timeout`
 *     ├── UnexpectedAnswer              an answer that is no answer of the API
 *     └── ApiError                      the API refused: one class for each status
 *         ├── BadRequestError           400
 *         ├── AuthenticationError       401
 *         ├── PermissionDeniedError     403
 *         ├── NotFoundError             404
 *         ├── RequestTimeoutError       408
 *         ├── ConflictError             409
 *         ├── PreconditionFailedError   412
 *         ├── PayloadTooLargeError      413
 *         ├── UnsupportedMediaTypeError 415
 *         ├── UnprocessableEntityError  422
 *         ├── RateLimitError            429
 *         └── ServerError               500 and above
 *             └── ServiceUnavailableError 503
 */

import type { ErrorCode } from "./types/index.js";

/** A bad field of a request. */
export interface FieldError {
  field: string;
  code: string;
  message: string;
}

// What Node, Bun and Deno call a connection that was never made; other runtimes do not say.
const NEVER_SENT: ReadonlySet<unknown> = new Set([
  "ConnectionRefused",
  "EAI_AGAIN",
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Whatever this package throws. */
export class HelloJohnError extends Error {
  override name = "HelloJohnError";
}

/** The call takes a kind of key or token that the client was not given. */
export class MissingCredential extends HelloJohnError {
  override name = "MissingCredential";
}

/** No answer came, or it broke off; `cause` says more. */
export class ApiConnectionError extends HelloJohnError {
  override name = "ApiConnectionError";
  /** False when the API has certainly not seen the request. */
  readonly was_sent: boolean;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.was_sent = !NEVER_SENT.has(codeOf(options?.cause));
  }
}

/** It took longer than `timeout`. */
export class ApiTimeoutError extends ApiConnectionError {
  override name = "ApiTimeoutError";
}

/** What came back is no answer of the API, such as a page of a proxy. */
export class UnexpectedAnswer extends HelloJohnError {
  override name = "UnexpectedAnswer";
  readonly status: number;
  readonly request_id: string | null;
  readonly body: string;

  constructor(response: Response, body: string, options?: ErrorOptions) {
    super(`The answer with status ${response.status} is not JSON.`, options);
    this.status = response.status;
    this.request_id = response.headers.get("X-Request-ID");
    this.body = body;
  }
}

/** The server refused. Branch on the class or on `code`; the message is for people and may change. */
export class ApiError extends HelloJohnError {
  override name = "ApiError";
  /** The machine-readable name of the refusal; "unknown" when something between you and the API answered. */
  readonly code: ErrorCode | (string & {});
  readonly status: number;
  /** Quote it when you ask for help. */
  readonly request_id: string | null;
  /** The bad fields of a request, each with its own code. */
  readonly details: readonly FieldError[];
  /** The answer as it came: an object where it was JSON, a text otherwise. */
  readonly body: unknown;
  /** How many seconds the API asks to wait, if it does. */
  readonly retry_after: number | null;

  constructor(status: number, body: unknown, headers: Headers) {
    const error = errorIn(body);
    super(error?.message ?? `The server answered with status ${status}.`);
    this.code = error?.code ?? "unknown";
    this.status = status;
    this.request_id = error?.request_id ?? headers.get("X-Request-ID");
    this.details = error?.details ?? [];
    this.body = body;
    this.retry_after = retryAfterOf(headers.get("Retry-After"));
  }
}

/** 400: the request is not HTTP or JSON as it should be. */
export class BadRequestError extends ApiError {
  override name = "BadRequestError";
}

/** 401: the credential is missing, unknown, revoked or expired. */
export class AuthenticationError extends ApiError {
  override name = "AuthenticationError";
}

/** 403: the credential may not do this. */
export class PermissionDeniedError extends ApiError {
  override name = "PermissionDeniedError";
}

/** 404: there is no such object in this tenant. */
export class NotFoundError extends ApiError {
  override name = "NotFoundError";
}

/** 408: the body of the request did not come in time. */
export class RequestTimeoutError extends ApiError {
  override name = "RequestTimeoutError";
}

/** 409: something that is so already stands in the way. */
export class ConflictError extends ApiError {
  override name = "ConflictError";
}

/** 412: the object has another version by now than `ifMatch` says. */
export class PreconditionFailedError extends ApiError {
  override name = "PreconditionFailedError";
}

/** 413: the request is too large. */
export class PayloadTooLargeError extends ApiError {
  override name = "PayloadTooLargeError";
}

/** 415: the server does not take this type of content. */
export class UnsupportedMediaTypeError extends ApiError {
  override name = "UnsupportedMediaTypeError";
}

/** 422: fields of the request are wrong; `details` names them all. */
export class UnprocessableEntityError extends ApiError {
  override name = "UnprocessableEntityError";
}

/** 429: there were too many calls, also after the retries. */
export class RateLimitError extends ApiError {
  override name = "RateLimitError";
}

/** 500 and above: the server failed. */
export class ServerError extends ApiError {
  override name = "ServerError";
}

/** 503: the server cannot serve just now. */
export class ServiceUnavailableError extends ServerError {
  override name = "ServiceUnavailableError";
}

const BY_STATUS: Readonly<Record<number, typeof ApiError>> = {
  400: BadRequestError,
  401: AuthenticationError,
  403: PermissionDeniedError,
  404: NotFoundError,
  408: RequestTimeoutError,
  409: ConflictError,
  412: PreconditionFailedError,
  413: PayloadTooLargeError,
  415: UnsupportedMediaTypeError,
  422: UnprocessableEntityError,
  429: RateLimitError,
  503: ServiceUnavailableError,
};

/** Returns the error of an answer's status. */
export function errorOf(status: number, body: unknown, headers: Headers): ApiError {
  const Kind = BY_STATUS[status] ?? (status >= 500 ? ServerError : ApiError);
  return new Kind(status, body, headers);
}

function errorIn(body: unknown): Partial<Pick<ApiError, "code" | "details" | "message" | "request_id">> | undefined {
  const error = typeof body === "object" && body !== null && "error" in body ? body.error : undefined;
  return typeof error === "object" && error !== null ? error : undefined;
}

function codeOf(cause: unknown): unknown {
  const { code, cause: inner } = (cause ?? {}) as { code?: unknown; cause?: { code?: unknown } };
  return inner?.code ?? code;
}

// RFC 9110, section 10.2.3: a number of seconds, or a date.
function retryAfterOf(value: string | null): number | null {
  if (!value) return null;
  if (/^\s*\d+\s*$/.test(value)) return Number(value);
  const until = Date.parse(value);
  return Number.isNaN(until) ? null : Math.max(0, (until - Date.now()) / 1_000);
}
