"""Where what a command writes goes: standard output, or a file that is there once it is complete."""

import io
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import BinaryIO

from hellojohn_server.cli.console import reader_may_leave
from hellojohn_server.cli.exits import CommandFailed, ExitCode


@contextmanager
def opened(output: Path | None) -> Generator[BinaryIO]:
    """Open standard output, or a file that is put in its place once all of it is on the disk; its owner alone reads it.

    What broke off stays beside it as NAME.part, if there is any. A reader of standard output that stops early ends
    the command without a complaint.
    """
    if output is None:
        with reader_may_leave():
            yield sys.stdout.buffer
        return
    partial = output.with_name(f"{output.name}.part")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(output)
    except OSError as error:
        raise CommandFailed(ExitCode.USAGE, f"{output} cannot be written: {error.strerror or error}.") from error
    except BaseException:
        if partial.stat().st_size == 0:
            partial.unlink()
        raise


@contextmanager
def printed_to(output: Path | None) -> Generator[None]:
    """Have what is printed in the block go there."""
    with opened(output) as file:
        if output is None:
            yield
            return
        text = io.TextIOWrapper(file, encoding="utf-8", write_through=True)
        with redirect_stdout(text):
            yield
        text.detach()
