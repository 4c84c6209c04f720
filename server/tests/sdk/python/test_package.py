"""The package as its users get it: built into archives, installed into an empty environment, imported from there."""

import os
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

import flit_core.buildapi
import pytest

SDK: Final = Path(__file__).resolve().parents[4] / "sdk/python"
NEEDED: Final = ("msgspec", "httpx2", "httpcore2", "anyio", "idna", "truststore", "typing_extensions", "h11")
USE: Final = """
import sys
from hellojohn import AsyncHelloJohn, HelloJohn, __version__
import hellojohn
hj = HelloJohn(secret_key="sk_test_x", base_url="http://localhost:3000")
print(__version__, hj, hellojohn.__file__.startswith(sys.prefix))
"""


@pytest.fixture
def archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The wheel, and the archive of the sources."""
    monkeypatch.chdir(SDK)
    made = str(tmp_path / "archives")
    Path(made).mkdir()
    return Path(made, flit_core.buildapi.build_wheel(made)), Path(made, flit_core.buildapi.build_sdist(made))


def environment(directory: Path) -> Path:
    """Make an environment with what the SDK needs and nothing else; return its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(directory)], check=True)
    python = directory / "bin/python"
    where = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(where, capture_output=True, text=True, check=True).stdout.strip())
    for name in NEEDED:
        found = distribution(name)
        for file in {Path(str(each)).parts[0] for each in found.files or () if ".." not in str(each)}:
            (packages / file).symlink_to(Path(str(found.locate_file(file))))
    return python


def run(python: Path, *arguments: str) -> str:
    environ = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    ended = subprocess.run([str(python), *arguments], env=environ, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.parametrize("kind", ["wheel", "sources"])
def test_it_installs_into_a_clean_environment(archives: tuple[Path, Path], tmp_path: Path, kind: str) -> None:
    python = environment(tmp_path / "environment")
    archive = archives[kind == "sources"]
    if kind == "sources":
        with tarfile.open(archive) as sources:
            sources.extractall(tmp_path / "sources", filter="data")
        (top,) = (tmp_path / "sources").iterdir()
        build = "import flit_core.buildapi as b, sys; print(b.build_wheel(sys.argv[1]))"
        built = subprocess.run(
            [sys.executable, "-c", build, str(tmp_path)], cwd=top, capture_output=True, text=True, check=True
        )
        archive = tmp_path / built.stdout.strip()
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, str(archive)], check=True)
    assert run(python, "-c", USE) == "0.1.0 HelloJohn(base_url='http://localhost:3000') True\n"


def test_the_archives_hold_everything_and_nothing_else(archives: tuple[Path, Path]) -> None:
    wheel, sources = archives
    tracked = {path.relative_to(SDK / "src").as_posix() for path in (SDK / "src").rglob("*.py")}
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name for name in names if name.startswith("hellojohn/")} == {*tracked, "hellojohn/py.typed"}
    assert "hellojohn-0.1.0.dist-info/licenses/LICENSE" in names
    with tarfile.open(sources) as archive:
        kept = {name.partition("/")[2] for name in archive.getnames()}
    assert {f"src/{name}" for name in tracked} | {"LICENSE", "README.md", "pyproject.toml"} <= kept
