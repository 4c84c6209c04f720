"""The logs of a server process: ours, and what libraries say through the standard library, in the same form."""

import logging
from typing import Final

import structlog

from hellojohn_server.config import Settings
from hellojohn_server.kit.logs import Level, configure_logs

_QUIET: Final = ("uvicorn", "uvicorn.error", "asyncio")


class _Forward(logging.Handler):
    """Passes a record on to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; its traceback, if any, goes with it."""
        structlog.get_logger().log(
            record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info or None
        )


def configure_process_logs(settings: Settings) -> None:
    """Write every log line of this process as JSON; libraries are heard from warnings on."""
    configure_logs(level=log_level(settings))
    logging.basicConfig(handlers=[_Forward()], level=logging.WARNING, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def log_level(settings: Settings) -> Level:
    """Return the least serious level that is written."""
    return Level[settings.log_level.name]
