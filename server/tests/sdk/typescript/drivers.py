"""Programs of an application that do what a test asks for, line by line."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from tests.sdk.typescript.packages import DEADLINE_SECONDS, NODE, Application

_LONGEST_LINE: Final = 1 << 24


class Program:
    """A program that answers each line with another, until its input ends."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, line: str) -> Any:
        """Return what it answers to a line."""
        if self._process.stdin is None:
            raise RuntimeError("Node was started without pipes")
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()
        return await self.said()

    async def said(self) -> Any:
        """Return what it says without being asked."""
        if self._process.stdout is None:
            raise RuntimeError("Node was started without pipes")
        async with asyncio.timeout(DEADLINE_SECONDS):
            return json.loads(await self._process.stdout.readline())

    async def end(self) -> int:
        """End its input, wait for it to end by itself, and return its exit code."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await self._process.wait()


class Driver:
    """The program that calls methods of a client, one at a time."""

    def __init__(self, program: Program) -> None:
        self._program = program

    async def call(self, options: Mapping[str, Any], method: str, arguments: Sequence[Any] = ()) -> dict[str, Any]:
        """Return what came of a call: its answer, or its error."""
        said: dict[str, Any] = await self._program.ask(
            json.dumps({"options": options, "method": method, "arguments": arguments})
        )
        return said


@asynccontextmanager
async def running(application: Application, *command: str) -> AsyncGenerator[Program]:
    """Have a program of the application for as long as the block runs."""
    process = await asyncio.create_subprocess_exec(
        str(NODE),
        *command,
        cwd=application.directory,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
    )
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@asynccontextmanager
async def driving(application: Application) -> AsyncGenerator[Driver]:
    """Have the program that calls methods for as long as the block runs."""
    async with running(application, "driver.ts") as program:
        yield Driver(program)
