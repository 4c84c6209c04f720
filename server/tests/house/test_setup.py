"""Setting up needs a Python that is new enough and has pip, and says so where there is none."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[3]
PYTHON: Final = str(Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}"))


def _make_venv(directory: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["/bin/sh", str(ROOT / "tools/setup/venv"), str(directory / "made")],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def _old_python(directory: Path) -> Path:
    old = directory / "python3"
    old.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    old.chmod(0o755)
    return old


def test_without_a_python_that_is_new_enough_it_says_what_to_do(tmp_path: Path) -> None:
    _old_python(tmp_path)
    done = _make_venv(tmp_path, PATH=str(tmp_path))
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "make PYTHON=" in done.stderr
    assert not (tmp_path / "made").exists()


def test_a_python_that_is_named_goes_first(tmp_path: Path) -> None:
    done = _make_venv(tmp_path, PATH=os.environ["PATH"], PYTHON=PYTHON)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "made" / "bin" / "pip").exists()


def test_without_ensurepip_the_pip_beside_it_is_used(tmp_path: Path) -> None:
    broken = tmp_path / "broken" / "ensurepip"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError\n", encoding="utf-8")
    done = _make_venv(tmp_path, PATH=os.environ["PATH"], PYTHON=PYTHON, PYTHONPATH=str(broken.parent))
    assert done.returncode == 0, done.stderr
    pip = tmp_path / "made" / "bin" / "pip"
    listed = subprocess.run([str(pip), "--version"], capture_output=True, text=True, check=False, timeout=60)
    assert listed.returncode == 0, listed.stderr
    assert PYTHON in pip.read_text(encoding="utf-8")


def test_what_ci_runs_is_a_script_that_bash_can_read() -> None:
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
