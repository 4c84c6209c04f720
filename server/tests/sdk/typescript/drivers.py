"""A program of the application that calls methods of the client for a test."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from tests.sdk.typescript.packages import NODE, Application

_LONGEST_LINE: Final = 1 << 24


class Driver:
    """The program, which calls one method at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def call(self, options: Mapping[str, Any], method: str, arguments: Sequence[Any] = ()) -> dict[str, Any]:
        """Return what came of a call: its answer, or its error."""
        sink, source = self._process.stdin, self._process.stdout
        if sink is None or source is None:
            raise RuntimeError("Node was started without pipes")
        sink.write(json.dumps({"options": options, "method": method, "arguments": arguments}).encode() + b"\n")
        await sink.drain()
        said: dict[str, Any] = json.loads(await source.readline())
        return said


@asynccontextmanager
async def driving(application: Application) -> AsyncGenerator[Driver]:
    """Have the program for as long as the block runs."""
    process = await asyncio.create_subprocess_exec(
        str(NODE),
        "driver.ts",
        cwd=application.directory,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
    )
    try:
        yield Driver(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()
