"""What is refused about keys.

Unauthenticated
├── InvalidApiKey             401  unknown, revoked, or not well formed
│   └── InvalidPublishableKey 401  the same of a publishable key
└── ApiKeyExpired             401
NotFound
└── ApiKeyNotFound            404
Conflict
└── ApiKeyNotActive           409  it is revoked, has expired or was rotated before
"""

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import Conflict, NotFound, Unauthenticated
from hellojohn_server.kit.principal import CredentialKind


class InvalidApiKey(Unauthenticated):
    code = ErrorCode.INVALID_API_KEY
    message = "This API key is not valid: it is mistyped, or it was revoked."


class InvalidPublishableKey(InvalidApiKey):
    code = ErrorCode.INVALID_PUBLISHABLE_KEY
    message = "This publishable key is not valid: it is mistyped, or it was revoked."


class ApiKeyExpired(Unauthenticated):
    code = ErrorCode.API_KEY_EXPIRED
    message = "This API key has expired. Make a new one."


class ApiKeyNotFound(NotFound):
    code = ErrorCode.API_KEY_NOT_FOUND
    message = "There is no such API key."


class ApiKeyNotActive(Conflict):
    code = ErrorCode.API_KEY_NOT_ACTIVE
    message = "This API key is revoked, has expired, or was rotated already. Make a new one."


def invalid_key(kind: CredentialKind) -> InvalidApiKey:
    """Return the refusal of a key that starts like one of `kind` and is none of ours."""
    return InvalidPublishableKey() if kind is CredentialKind.PUBLISHABLE_KEY else InvalidApiKey()
