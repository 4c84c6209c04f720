"""How a command ends: one message, the documented exit code, and a traceback only where it was asked for."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from hellojohn_server.cli.exits import CommandFailed, ExitCode, run_to_exit_code
from hellojohn_server.config import ConfigError
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import ApiError, FieldError, Invalid, NotFound
from hellojohn_server.storage.errors import StoreBusy, StoreUnavailable
from hellojohn_server.storage.key_check import WrongEncryptionKey

DOCUMENT = Path(__file__).parents[3] / "docs" / "cli.md"


def raising(error: BaseException) -> Callable[[], object]:
    def command() -> object:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (CommandFailed(ExitCode.ADDRESS, "Cannot [listen]."), ExitCode.ADDRESS, "Cannot [listen]."),
        (ConfigError(["One.", "Two."]), ExitCode.USAGE, "One.\nTwo."),
        (WrongEncryptionKey(), ExitCode.WRONG_KEY, "HELLOJOHN_ENCRYPTION_KEY"),
        (StoreUnavailable(), ExitCode.STORE, "The store cannot be reached"),
        (StoreBusy(), ExitCode.STORE, "The store is busy"),
        (NotFound("There is none."), ExitCode.REFUSED, "There is none."),
        (Invalid(details=[FieldError("name", FieldCode.INVALID, "Too odd.")]), ExitCode.REFUSED, "name: Too odd."),
        (KeyError("x"), ExitCode.DEFECT, "This is a defect of hj: KeyError: 'x'"),
    ],
)
def test_a_failure_is_said_on_standard_error(
    error: Exception, code: ExitCode, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_to_exit_code(raising(error)) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("Error: ")
    assert says in printed.err
    assert "Traceback" not in printed.err


def test_a_cause_is_said_too_and_nothing_twice(capsys: pytest.CaptureFixture[str]) -> None:
    unavailable: ApiError = StoreUnavailable("Out of reach.")
    unavailable.__cause__ = OSError("the disk is gone")
    unavailable.__cause__.__cause__ = OSError("the disk is gone")
    assert run_to_exit_code(raising(unavailable)) == ExitCode.STORE
    assert capsys.readouterr().err == "Error: Out of reach.\nthe disk is gone\n"


def test_a_defect_shows_where_it_happened_when_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELLOJOHN_LOG_LEVEL", "debug")
    assert run_to_exit_code(raising(KeyError("x"))) == ExitCode.DEFECT
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"), [(SystemExit(8), 8), (SystemExit(None), 0), (SystemExit("words"), 2), (KeyboardInterrupt(), 130)]
)
def test_other_ends_keep_their_code(error: BaseException, code: int) -> None:
    assert run_to_exit_code(raising(error)) == code


def test_the_documentation_lists_every_exit_code() -> None:
    documented = re.findall(r"^\| (\d+) \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(code) for code in documented] == sorted(ExitCode)
