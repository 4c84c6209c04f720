/** HelloJohn's API in TypeScript. */

import { HelloJohn } from "./client.js";

export default HelloJohn;
export { HelloJohn };
export {
  ApiConnectionError,
  ApiError,
  ApiTimeoutError,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  HelloJohnError,
  MissingCredential,
  NotFoundError,
  PayloadTooLargeError,
  PermissionDeniedError,
  PreconditionFailedError,
  RateLimitError,
  RequestTimeoutError,
  ServerError,
  ServiceUnavailableError,
  UnexpectedAnswer,
  UnprocessableEntityError,
  UnsupportedMediaTypeError,
} from "./errors.js";
export type { FieldError } from "./errors.js";
export type { CallOptions, ClientOptions, Credential } from "./options.js";
export { Page, PagePromise } from "./pages.js";
export type * from "./params/index.js";
export type * from "./resources/index.js";
export { RowStream } from "./streams.js";
export type * from "./types/index.js";
export type { FileContent } from "./uploads.js";
export { VERSION } from "./version.js";
