"""Logs: one JSON object a line, without secrets.

Every line has `time` (RFC 3339, UTC), `level` and `event`. What looks like one of our keys or a token is cut out of the
finished line, wherever it came from: a message, a trace, a field.
"""

import asyncio
import re
import sys
import time
from enum import IntEnum
from typing import Any, BinaryIO, Final

import msgspec
import structlog
from structlog.typing import EventDict, FilteringBoundLogger

from hellojohn_server.kit.times import format_time


class Level(IntEnum):
    """How serious a line is; the numbers are those of the standard library's logging."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40
    CRITICAL = 50


_SECRET: Final = re.compile(
    rb"\b([spm]k_(?:live|test)_|rft_)[0-9A-Za-z]+"  # our keys and refresh tokens
    rb"|\b(eyJ)[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]+(?:\.[0-9A-Za-z_-]*)?"  # a JSON Web Token (RFC 7519)
    rb"|(Bearer )[0-9A-Za-z._~+/=-]{8,}"  # a credential of another form (RFC 6750)
)
_SIGNS: Final = (b"_live_", b"_test_", b"rft_", b"eyJ", b"Bearer ")
"""One of these is in every text that _SECRET matches: much cheaper to look for."""
_ENCODE: Final = msgspec.json.Encoder(enc_hook=repr).encode
_LEVELS: Final = {"exception": "error", "warn": "warning"}
"""What the methods of a logger that are not named like a level say."""

_REDACTED: Final = rb"\1\2\3[redacted]"


class _TurnLogger:
    """Writes lines of one turn of the event loop together, at the end of the turn: a server has one for each request.

    What is serious is written at once, after what was held. Where no event loop runs, everything is. Belongs to the
    thread of the loop.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._lines = structlog.BytesLogger(stream)
        self._held: list[bytes] = []

    def info(self, line: bytes) -> None:
        """Hold a line until the loop's turn ends."""
        if self._held:
            self._held.append(line)
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._lines.msg(line)
        else:
            self._held.append(line)
            loop.call_soon(self._write_held)

    debug = info

    def error(self, line: bytes) -> None:
        """Write a line, and what is held before it."""
        self._write_held()
        self._lines.msg(line)

    critical = warning = exception = error

    def _write_held(self) -> None:
        held, self._held = self._held, []
        if held:
            self._lines.msg(b"\n".join(held))


def _wrapper(level: Level) -> type[FilteringBoundLogger]:
    """Return the class of loggers of a level. A line of information takes the short way: a request has one.

    It does in one step what structlog does in seven, where nothing is bound and the text has no places to fill.
    """
    wrapper: Any = structlog.make_filtering_bound_logger(int(level))

    def info(self: Any, event: str, *args: Any, **line: Any) -> Any:
        if args or self._context:
            return wrapper.info(self, event, *args, **line)
        line["event"] = event
        return self._logger.info(_render(self._logger, "info", line))

    return wrapper if level > Level.INFO else type("ShortBoundLogger", (wrapper,), {"info": info})


def make_logger(
    stream: BinaryIO | None = None, level: Level = Level.INFO, *, in_turns: bool = False
) -> FilteringBoundLogger:
    """Return a logger that writes lines of at least `level` to `stream` (standard output when None).

    With `in_turns` it is for the thread of an event loop, and writes the lines of each of the loop's turns together.
    """
    binary = _binary(stream)
    logger: FilteringBoundLogger = structlog.wrap_logger(
        _TurnLogger(binary) if in_turns else structlog.BytesLogger(binary),
        processors=[_render],
        wrapper_class=_wrapper(level),
        cache_logger_on_first_use=True,
    ).bind()
    return logger


def configure_logs(stream: BinaryIO | None = None, level: Level = Level.INFO) -> None:
    """Make every logger of structlog.get_logger write like make_logger's. For the start of a process."""
    structlog.configure(
        processors=[_render],
        logger_factory=structlog.BytesLoggerFactory(_binary(stream)),
        wrapper_class=_wrapper(level),
        cache_logger_on_first_use=True,
    )


def _binary(stream: BinaryIO | None) -> BinaryIO:
    return sys.stdout.buffer if stream is None else stream


def _render(logger: Any, method: str, line: EventDict) -> bytes:
    """Return a line as it is written. The one processor: a request has one line, and each step would be paid then."""
    line["level"] = _LEVELS.get(method, method)
    line["time"] = format_time(int(time.time() * 1000))
    if "exc_info" in line:
        line = structlog.processors.format_exc_info(logger, method, line)
    encoded = _ENCODE(line)
    for sign in _SIGNS:
        if sign in encoded:
            return _SECRET.sub(_REDACTED, encoded)
    return encoded
