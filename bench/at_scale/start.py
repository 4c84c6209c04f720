"""The start of a server on a full store, against one on an empty store; and what it holds while it idles."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx

from bench.at_scale.store import Store, headers_of, resident_mib, serving
from bench.results import Figure, median_of

PART: Final = "start"
AT_MOST: Final = 1.2
MOST_IDLE_MIB: Final = 90
_IDLE_SECONDS: Final = 2.0


def measure(store: Store, empty: Store, directory: Path, rounds: int) -> Iterator[Figure]:
    """Yield how long it takes from the command to the answer of a first list, and the memory of a server that idles."""
    full: list[float] = []
    none: list[float] = []
    idle: list[float] = []
    for _ in range(rounds):
        for each, taken in ((store, full), (empty, none)):
            started = time.monotonic()
            with serving(each, directory / "served.log") as server:
                url = f"http://127.0.0.1:{server.port}/v1/users?limit=1"
                httpx.get(url, headers=headers_of(each)).raise_for_status()
                taken.append(time.monotonic() - started)
                if each is store:
                    time.sleep(_IDLE_SECONDS)
                    idle.append(resident_mib(server.pid))
    common: dict[str, Any] = {"part": PART, "store": store.engine.value, "users": store.users}
    limit: dict[str, Any] = {"limit": median_of(none)["value"], "beside": "empty store"}
    yield Figure(**common, case="start to the first list", unit="s", **median_of(full), **limit, at_most=AT_MOST)
    yield Figure(**common, case="memory while idle", unit="MiB", **median_of(idle), at_most=MOST_IDLE_MIB)
