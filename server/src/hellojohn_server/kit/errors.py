"""The tree of errors a caller can see. Features add leaves in their errors.py; storage adds its own under Unavailable.

ApiError
├── BadRequest            400  malformed JSON
├── Unauthenticated       401  no credential, or one that is not valid
├── Forbidden             403  a valid credential that may not do this
├── NotFound              404  no such object for this caller
├── MethodNotAllowed      405
├── Conflict              409  the state of things forbids it
├── PreconditionFailed    412  If-Match names another version
├── PayloadTooLarge       413
├── UnsupportedMediaType  415
├── Invalid               422  a request that can be read but is wrong; lists every bad field
├── TooManyRequests       429  try again after `retry_after` seconds
├── InternalError         500  a defect; the cause goes to the log only
└── Unavailable           503  try again after `retry_after` seconds
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from hellojohn_server.kit.error_codes import ErrorCode, FieldCode


class FieldError(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One bad field: its path (`filters.role`, `user_ids[3]`, `If-Match`), what is wrong, and what to do."""

    field: str
    code: FieldCode
    message: str


class ApiError(Exception):
    """A refusal with a public message. `details` lists fields; the cause, if any, is for the log only.

    `extras`: what the body of the error says beside them, by name; http/answers.py knows the names.
    `is_denial`: a 401 or 403 of this kind, to an authenticated caller, is written down as operation.denied.
    """

    is_denial: ClassVar[bool] = True
    status: ClassVar[int] = 500
    code: ErrorCode = ErrorCode.INTERNAL_ERROR
    message: str = "Something went wrong on our side. Quote the request_id when you ask about it."
    retry_after: int | None = None
    extras: Mapping[str, Any] = {}

    def __init__(self, message: str | None = None, *, details: Sequence[FieldError] = ()) -> None:
        if message is not None:
            self.message = message
        self.details = tuple(details)
        super().__init__(self.message)


class BadRequest(ApiError):
    status = 400
    code = ErrorCode.INVALID_REQUEST
    message = "The request cannot be read."


class MalformedJson(BadRequest):
    code = ErrorCode.MALFORMED_JSON
    message = "The body is not valid JSON."


class Unauthenticated(ApiError):
    status = 401
    code = ErrorCode.INVALID_TOKEN
    message = "The credential is not valid."


class MissingToken(Unauthenticated):
    code = ErrorCode.MISSING_TOKEN
    message = "Send the credential as `Authorization: Bearer <key>`."


class InvalidToken(Unauthenticated):
    code = ErrorCode.INVALID_TOKEN
    message = (
        "The credential is not one of ours. Keys start with sk_live_, sk_test_, pk_live_, pk_test_ or mk_live_; an "
        "access token is sent as it was given."
    )


class Forbidden(ApiError):
    status = 403
    code = ErrorCode.CREDENTIAL_NOT_ALLOWED
    message = "This credential may not do this."


class CredentialNotAllowed(Forbidden):
    code = ErrorCode.CREDENTIAL_NOT_ALLOWED
    message = "This kind of credential does not open this operation."


class ImpersonationForbidden(Forbidden):
    code = ErrorCode.IMPERSONATION_FORBIDDEN
    message = "An impersonation may not do this."


class MfaEnrollmentRequired(Forbidden):
    is_denial = False
    code = ErrorCode.MFA_ENROLLMENT_REQUIRED
    message = "A second factor is required. Enrol one at /v1/auth/mfa/factors, and refresh the access token."


class AddressNotAllowed(Forbidden):
    code = ErrorCode.ADDRESS_NOT_ALLOWED
    message = "This key may not be used from this IP address."


class TenantMismatch(Forbidden):
    code = ErrorCode.TENANT_MISMATCH
    message = "X-Tenant-ID names another tenant than the credential. Leave it out, or send the credential's own tenant."


class InsufficientScope(Forbidden):
    """The key lacks scopes, or wildcards that it was to give away; `details` names each under field "scope"."""

    code = ErrorCode.INSUFFICIENT_SCOPE
    message = "The key lacks a scope that this operation needs."

    def __init__(self, missing: Sequence[str], message: str | None = None) -> None:
        self.missing = tuple(missing)
        super().__init__(
            message,
            details=[
                FieldError("scope", FieldCode.MISSING_SCOPE, f"Needs the scope {grant}.") for grant in self.missing
            ],
        )


class NotFound(ApiError):
    status = 404
    code = ErrorCode.NOT_FOUND
    message = "There is nothing at this path."


class MethodNotAllowed(ApiError):
    """The path takes `allowed`, which the Allow header names."""

    status = 405
    code = ErrorCode.METHOD_NOT_ALLOWED
    message = "This path does not take this method."

    def __init__(self, allowed: Sequence[str]) -> None:
        self.allowed = tuple(allowed)
        super().__init__()


class Conflict(ApiError):
    status = 409


class PreconditionFailed(ApiError):
    status = 412


class VersionMismatch(PreconditionFailed):
    code = ErrorCode.VERSION_MISMATCH
    message = "If-Match names another version than the current one. Read the object again and retry."


class PayloadTooLarge(ApiError):
    status = 413
    code = ErrorCode.PAYLOAD_TOO_LARGE
    message = "The body is larger than this operation takes."


class UnsupportedMediaType(ApiError):
    status = 415
    code = ErrorCode.UNSUPPORTED_MEDIA_TYPE
    message = "Send the body as `Content-Type: application/json` in UTF-8."


class Invalid(ApiError):
    status = 422
    code = ErrorCode.VALIDATION_FAILED
    message = "The request has fields that are not valid; `details` lists each."


class IdempotencyKeyReused(Invalid):
    code = ErrorCode.IDEMPOTENCY_KEY_REUSED
    message = "This Idempotency-Key was used for another request in the last 24 hours. Use a new one."


class IdempotencyNotSupported(Invalid):
    code = ErrorCode.IDEMPOTENCY_NOT_SUPPORTED
    message = "This operation does not take an Idempotency-Key. Leave the header out."


class TooManyRequests(ApiError):
    status = 429
    code = ErrorCode.RATE_LIMITED
    message = "Too many requests. Wait for as many seconds as Retry-After says, then go on more slowly."
    retry_after = 1


class InternalError(ApiError):
    status = 500
    code = ErrorCode.INTERNAL_ERROR


class Unavailable(ApiError):
    status = 503
    code = ErrorCode.STORE_UNAVAILABLE
    message = "The service cannot do this just now. Try again shortly."
    retry_after = 1
