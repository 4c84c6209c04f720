"""Write everything of the SDKs that is generated, or with --check say which files are stale and exit with 1."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tools.sdk.emitters import EMITTERS
from tools.sdk.reading import read_model

ROOT: Final = Path(__file__).resolve().parents[2]


def wanted_files(root: Path) -> dict[Path, str]:
    """Return the text of each file that is generated from the contract in `root`/sdk, by its path."""
    model = read_model(root / "sdk")
    return {root / path: text for emitter in EMITTERS for path, text in emitter.emit(model).items()}


def stale_files(root: Path) -> Iterator[tuple[Path, str | None]]:
    """Yield each file that is not as it would be generated now, with what it should be; None: it should not exist."""
    wanted = wanted_files(root)
    for path, text in wanted.items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            yield path, text
    for emitter in EMITTERS:
        for pattern in emitter.owned:
            for path in sorted(root.glob(pattern)):
                if path not in wanted:
                    yield path, None


def main() -> int:
    """Bring the generated files up to date, or with --check only name those that are not."""
    parser = argparse.ArgumentParser(prog="python -m tools.sdk", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when a file is stale")
    only_check: bool = parser.parse_args().check
    stale = list(stale_files(ROOT))
    for path, text in stale:
        if only_check:
            print(f"{path.relative_to(ROOT)}: stale; run `make sdk`")
        elif text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return 1 if only_check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
