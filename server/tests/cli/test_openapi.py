"""`hj openapi`: the document of the API, without a store."""

from pathlib import Path
from typing import Final

from hellojohn_server.cli.exits import ExitCode
from tests.support import hj_environment, run_hj

EXPORTED: Final = Path(__file__).resolve().parents[3] / "sdk/openapi.json"


def test_the_document_is_printed_or_written(tmp_path: Path) -> None:
    environ = hj_environment(DATA_DIR=str(tmp_path / "none"))
    printed = run_hj("openapi", environ=environ)
    assert printed.returncode == 0, printed.stderr
    assert printed.stdout == EXPORTED.read_text(encoding="utf-8")
    written = run_hj("openapi", "--output", str(tmp_path / "openapi.json"), environ=environ)
    assert (written.returncode, written.stdout) == (0, "")
    assert (tmp_path / "openapi.json").read_text(encoding="utf-8") == printed.stdout
    assert not (tmp_path / "none").exists()


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    ended = run_hj("openapi", "--output", str(tmp_path / "no" / "such.json"), environ=hj_environment())
    assert ended.returncode == ExitCode.USAGE
    assert "such.json cannot be written: No such file or directory" in ended.stderr
