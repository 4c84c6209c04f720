/**
 * What can go wrong, as one tree.
 *
 *     HelloJohnError
 *     ├── ApiConnectionError            the server could not be reached, or the answer broke off
 *     │   └── ApiTimeoutError           it took longer than `timeout`
 *     └── ApiError                      the server refused
 *         ├── BadRequestError           400
 *         ├── AuthenticationError       401
 *         ├── PermissionDeniedError     403
 *         ├── NotFoundError             404
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

/** Whatever this package throws. */
export class HelloJohnError extends Error {
  override name = "HelloJohnError";
}

/** The server could not be reached, or its answer broke off or was none of ours. `cause` says more. */
export class ApiConnectionError extends HelloJohnError {
  override name = "ApiConnectionError";
}

/** The answer did not come within `timeout`. */
export class ApiTimeoutError extends ApiConnectionError {
  override name = "ApiTimeoutError";
}

/** The server refused. Branch on the class or on `code`; the message is for people and may change. */
export class ApiError extends HelloJohnError {
  override name = "ApiError";
  /** The machine-readable name of the refusal; "" when something before the server answered. */
  readonly code: ErrorCode | (string & {});
  readonly status: number;
  /** Quote it when you ask for help. */
  readonly request_id: string | null;
  /** The bad fields of a request, each with its own code. */
  readonly details: readonly FieldError[];
  /** The answer as it came: an object where it was JSON, a text otherwise. */
  readonly body: unknown;
  readonly headers: Headers;

  constructor(status: number, body: unknown, headers: Headers) {
    const error = errorIn(body);
    super(error?.message ?? `The server answered with status ${status}.`);
    this.code = error?.code ?? "";
    this.status = status;
    this.request_id = error?.request_id ?? headers.get("X-Request-ID");
    this.details = error?.details ?? [];
    this.body = body;
    this.headers = headers;
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
