"""The listening socket."""

import socket

from hellojohn_server.cli.serving import listen


def test_a_connection_whose_client_takes_nothing_is_ended_by_the_system() -> None:
    with listen("127.0.0.1", 0, 5) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000
