"""How a command ends: its exit codes, and the one place that turns a failure into a message and one of them."""

import os
import sys
import traceback
from collections.abc import Callable
from enum import IntEnum

from rich.markup import escape

from hellojohn_server.cli.console import complain
from hellojohn_server.config import ConfigError, LogLevel
from hellojohn_server.kit.errors import ApiError
from hellojohn_server.storage.errors import StoreBusy, StoreUnavailable
from hellojohn_server.storage.key_check import WrongEncryptionKey


class ExitCode(IntEnum):
    """Every exit code of `hj`. docs/cli.md explains each."""

    DONE = 0
    DEFECT = 1
    USAGE = 2
    DATA_DIR = 3
    LOCKED = 4
    ADDRESS = 5
    STORE = 6
    WRONG_KEY = 7
    REFUSED = 8
    DIFFERENT = 9
    PARTLY = 10
    DECLINED = 11
    NOT_FOUND = 12
    UNREACHABLE = 13
    UNAUTHENTICATED = 14
    FORBIDDEN = 15
    CONFLICT = 16
    INVALID = 17
    RATE_LIMITED = 18
    SERVER = 19
    INTERRUPTED = 130


class CommandFailed(Exception):
    """A command that cannot do what it was asked: what is wrong and what to do about it, and the exit code."""

    def __init__(self, code: ExitCode, message: str) -> None:
        self.code = code
        super().__init__(message)


WRONG_KEY = (
    "The encryption key is not the one this store was made with. Give the old one in HELLOJOHN_ENCRYPTION_KEY, "
    "or leave that out if the key file in the data directory is the right one."
)

_HOW_TO_REPORT = "\nPlease report it. HELLOJOHN_LOG_LEVEL=debug shows where it happened."


def run_to_exit_code(command: Callable[[], object]) -> int:
    """Run `command`, say on standard error what went wrong if it failed, and return the exit code.

    No traceback is shown, but that of a defect of ours when HELLOJOHN_LOG_LEVEL is debug.
    """
    try:
        command()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else ExitCode.DONE if ended.code is None else ExitCode.USAGE
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as failure:  # noqa: BLE001 - every failure ends here, in a message and an exit code
        return _explain(failure)
    return ExitCode.DONE


def _explain(failure: Exception) -> int:
    match failure:
        case CommandFailed():
            complain(escape(str(failure)))
            return failure.code
        case ConfigError():
            complain("\n".join(escape(problem) for problem in failure.problems))
            return ExitCode.USAGE
        case WrongEncryptionKey():
            complain(WRONG_KEY)
            return ExitCode.WRONG_KEY
        case StoreUnavailable() | StoreBusy():
            complain(escape("\n".join(_causes(failure))))
            return ExitCode.STORE
        case ApiError():
            details = [f"{detail.field}: {detail.message}" for detail in failure.details]
            complain(escape("\n".join(details or [failure.message])))
            return ExitCode.REFUSED
        case _:
            complain(escape(f"This is a defect of hj: {type(failure).__name__}: {failure}") + _HOW_TO_REPORT)
            if os.environ.get("HELLOJOHN_LOG_LEVEL") == LogLevel.DEBUG:
                traceback.print_exception(failure, file=sys.stderr)
            return ExitCode.DEFECT


def _causes(failure: BaseException) -> list[str]:
    """Return the message and those of its causes, outermost first, without repetition."""
    lines: list[str] = []
    current: BaseException | None = failure
    while current is not None:
        text = str(current).strip()
        if text and not any(text in line for line in lines):
            lines.append(text)
        current = current.__cause__
    return lines
