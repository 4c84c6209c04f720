"""What a failed call says: one line with the code, the request's id and what to do, and the exit code of its class."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import hellojohn
from hellojohn_server.cli.exits import CommandFailed, ExitCode
from hellojohn_server.kit.error_codes import ErrorCode

_EXITS: Final[tuple[tuple[type[hellojohn.ApiError], ExitCode, str], ...]] = (
    (hellojohn.AuthenticationError, ExitCode.UNAUTHENTICATED, "Sign in with a good one: hj login."),
    (hellojohn.PermissionDeniedError, ExitCode.FORBIDDEN, "Use a key that may."),
    (hellojohn.NotFoundError, ExitCode.NOT_FOUND, ""),
    (hellojohn.PreconditionFailedError, ExitCode.CONFLICT, "Read it again, and decide anew."),
    (hellojohn.ConflictError, ExitCode.CONFLICT, ""),
    (hellojohn.RateLimitError, ExitCode.RATE_LIMITED, "Wait, and try again."),
    (
        hellojohn.ServerError,
        ExitCode.SERVER,
        "Try again; if it stays so, look for the request's id in the server's log.",
    ),
)
"""By class, the first that fits: the exit code, and what to do where the message does not say."""

_INVALID: Final = (ExitCode.INVALID, "")


@contextmanager
def failures_told(api_url: str) -> Generator[None]:
    """Turn what the SDK raises in the block into CommandFailed."""
    try:
        yield
    except hellojohn.ApiError as failure:
        raise _told(failure) from failure
    except hellojohn.ApiConnectionError as failure:
        what = f"Is a server running at {api_url}? The profile, or HELLOJOHN_API_URL, says where."
        raise CommandFailed(ExitCode.UNREACHABLE, f"{str(failure).rstrip('.')}. {what}") from failure
    except hellojohn.UnexpectedAnswer as failure:
        raise CommandFailed(
            ExitCode.SERVER, f"{api_url} is no HelloJohn server of this version: {failure}"
        ) from failure


def _told(failure: hellojohn.ApiError) -> CommandFailed:
    code, todo = next(((code, todo) for kind, code, todo in _EXITS if isinstance(failure, kind)), _INVALID)
    if failure.retry_after is not None:
        todo = f"Try again in {failure.retry_after:.0f} s."
    details = "; ".join(f"{each.field}: {each.message}" for each in failure.details)
    if failure.code == ErrorCode.MFA_REQUIRED:
        todo = f"Finish with: hj auth verify-mfa {failure.body['error'].get('challenge_id', '')} --code ..."
    message = "" if details else failure.message
    said = " ".join(part for part in (message, details, todo) if part)
    return CommandFailed(code, f"{failure.code}: {said} (request {failure.request_id or 'without an id'})")
