"""Starting the server: the lock on the data directory, the socket, and uvicorn around the app."""

import errno
import os
import signal
import socket
from typing import Any, Final

import structlog
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from hellojohn_server.cli.exits import CommandFailed, ExitCode
from hellojohn_server.cli.parts import AsgiApp
from hellojohn_server.cli.protocol import BoundedHttpProtocol
from hellojohn_server.config import Settings, to_environ

_UNTAKEN_MS: Final = 60_000
"""How long an answer may lie that a client takes nothing of, before the system ends the connection."""
_UNTAKEN_OPTION: Final[int | None] = getattr(socket, "TCP_USER_TIMEOUT", None)
_NO_START = "The server could not start. The log above says why."


def listen(host: str, port: int, backlog: int) -> socket.socket:
    """Return a listening socket; CommandFailed when the address is taken, not ours, or not permitted."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=backlog)
    except OSError as error:
        reason = {
            errno.EADDRINUSE: "another program listens there. Choose another with --port",
            errno.EACCES: "this user may not listen there. Ports below 1024 need the right to bind them",
            errno.EADDRNOTAVAIL: "this machine does not have that address",
        }.get(error.errno or 0, error.strerror or str(error))
        raise CommandFailed(ExitCode.ADDRESS, f"Cannot listen on {host} port {port}: {reason}.") from error
    if _UNTAKEN_OPTION is not None:  # what is accepted has it too
        listening.setsockopt(socket.IPPROTO_TCP, _UNTAKEN_OPTION, _UNTAKEN_MS)
    return listening


def address_of(listening: socket.socket) -> str:
    """Return where the socket listens, as http://host:port."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def announce(settings: Settings, listening: socket.socket) -> None:
    """Say in the log where the server listens."""
    structlog.get_logger().info(
        "listening", address=address_of(listening), public_url=str(settings.public_url), workers=settings.workers
    )


def serve_app(app: AsgiApp, settings: Settings, listening: socket.socket) -> None:
    """Serve `app` in this process until SIGTERM or SIGINT; running requests are finished first."""
    server = uvicorn.Server(uvicorn.Config(app, **_uvicorn_options(settings)))
    for stop in (signal.SIGTERM, signal.SIGINT):
        # uvicorn stops in order on these and then raises them again, for the handler that was there before its own:
        # with its own there too, a signal that comes early stops it as well, and the process ends with exit code 0.
        signal.signal(stop, server.handle_exit)
    try:
        server.run(sockets=[listening])
    except SystemExit as failed:
        raise CommandFailed(ExitCode.DEFECT, _NO_START) from failed


def serve_workers(app_factory: str, settings: Settings, listening: socket.socket) -> None:
    """Serve in `settings.workers` processes, which read these settings from the environment; until they are stopped."""
    os.environ.update(to_environ(settings))
    config = uvicorn.Config(app_factory, factory=True, **_uvicorn_options(settings))
    supervisor = Multiprocess(config, sockets=[listening])
    supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        raise CommandFailed(ExitCode.DEFECT, _NO_START)


def _uvicorn_options(settings: Settings) -> dict[str, Any]:
    return {
        "loop": "uvloop",
        "http": BoundedHttpProtocol,
        "limit_concurrency": settings.connections,
        "ws": "none",
        "interface": "asgi3",
        "lifespan": "on",
        "workers": settings.workers,
        "access_log": False,
        "log_config": None,
        "server_header": False,
        "date_header": True,
        "proxy_headers": False,
        "backlog": settings.backlog,
        "timeout_keep_alive": settings.keep_alive_seconds,
        "timeout_graceful_shutdown": settings.shutdown_seconds,
    }
