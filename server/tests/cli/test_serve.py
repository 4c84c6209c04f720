"""`hj serve` as a process: what it needs, what keeps it from starting, and how it stops."""

import base64
import signal
import socket
import threading
from pathlib import Path

import httpx
import pytest

from hellojohn_server.cli.exits import ExitCode
from tests.cli.conftest import Place
from tests.support import hj_environment, run_hj, serve_environment, server_process

OTHER_KEY = base64.b64encode(bytes(32)).decode()
SERVE = ("serve", "--port", "0")


def assert_refused(environ: dict[str, str], code: ExitCode, *says: str, arguments: tuple[str, ...] = SERVE) -> None:
    ended = run_hj(*arguments, environ=environ)
    assert ended.returncode == code, ended.stderr
    for words in says:
        assert words in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def without(environ: dict[str, str], *names: str) -> dict[str, str]:
    return {name: text for name, text in environ.items() if name.removeprefix("HELLOJOHN_") not in names}


def test_it_needs_a_public_address_and_a_key(embedded: Place) -> None:
    environ = embedded.environ
    assert_refused(without(environ, "PUBLIC_URL"), ExitCode.USAGE, "HELLOJOHN_PUBLIC_URL is required")
    assert_refused(without(environ, "ENCRYPTION_KEY"), ExitCode.USAGE, "HELLOJOHN_ENCRYPTION_KEY is required")


def test_wrong_settings_are_listed_all_at_once(embedded: Place) -> None:
    environ = {**embedded.environ, "HELLOJOHN_PORTS": "1", "HELLOJOHN_LOG_LEVEL": "loud"}
    assert_refused(environ, ExitCode.USAGE, "HELLOJOHN_PORTS is not a setting", "HELLOJOHN_LOG_LEVEL must be")


def test_several_processes_need_postgresql(embedded: Place) -> None:
    arguments = (*SERVE, "--workers", "2")
    assert_refused(embedded.environ, ExitCode.USAGE, "needs PostgreSQL", "HELLOJOHN_DATABASE_URL", arguments=arguments)


def test_a_directory_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert_refused(serve_environment(tmp_path / "file" / "data"), ExitCode.DATA_DIR, "cannot be used")


def test_a_database_that_cannot_be_reached(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"postgresql://someone:hidden@127.0.0.1:{port}/nothing"
    assert_refused(serve_environment(tmp_path, url), ExitCode.STORE, "cannot be reached")
    ended = run_hj(*SERVE, environ=serve_environment(tmp_path, url))
    assert "hidden" not in ended.stderr


def test_a_database_or_a_role_that_does_not_exist(shared: Place) -> None:
    url = shared.environ["HELLOJOHN_DATABASE_URL"]
    for wrong in (f"{url}_nothing", url.replace("://", "://no")):
        environ = {**shared.environ, "HELLOJOHN_DATABASE_URL": wrong}
        assert_refused(environ, ExitCode.STORE, "does not exist")


def test_a_file_that_is_no_store(embedded: Place) -> None:
    data_dir = embedded.directory / "data"
    data_dir.mkdir()
    (data_dir / "control.db").write_text("something else altogether")
    assert_refused(embedded.environ, ExitCode.STORE, "file is not a database")


def test_an_address_that_is_taken(embedded: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        arguments = ("serve", "--port", str(taken.getsockname()[1]))
        assert_refused(embedded.environ, ExitCode.ADDRESS, "another program listens there", arguments=arguments)


def test_another_key_than_the_store_was_made_with(place: Place) -> None:
    made = run_hj("migrate", environ=place.environ)
    assert made.returncode == 0, made.stderr
    environ = {**place.environ, "HELLOJOHN_ENCRYPTION_KEY": OTHER_KEY}
    assert_refused(environ, ExitCode.WRONG_KEY, "The encryption key is not the one")
    assert run_hj("tenants", "create", "--name", "x", environ=environ).returncode == ExitCode.WRONG_KEY
    assert run_hj("tenants", "create", "--name", "x", environ=place.environ).returncode == 0


def test_a_second_server_on_the_directory_is_refused_and_after_the_first_one_served(embedded: Place) -> None:
    with server_process(embedded.directory, embedded.environ) as server:
        assert_refused(embedded.environ, ExitCode.LOCKED, f"process {server.process.pid}")
        dev = hj_environment(DATA_DIR=embedded.environ["HELLOJOHN_DATA_DIR"])
        assert_refused(dev, ExitCode.LOCKED, "Another server", arguments=("dev", "--port", "0"))
    with server_process(embedded.directory, embedded.environ) as server:
        server.process.kill()
        server.process.wait(30)
    with server_process(embedded.directory, embedded.environ) as server:
        assert httpx.get(f"{server.url}/ready").status_code == 200


def test_the_key_file_of_hj_dev_serves_it_too(embedded: Place) -> None:
    environ = without(embedded.environ, "ENCRYPTION_KEY")
    with server_process(embedded.directory, without(environ, "PUBLIC_URL"), ("dev", "--port", "0")) as dev:
        tenant = next(line.split()[1] for line in dev.printed().splitlines() if line.startswith("  Tenant"))
    with server_process(embedded.directory, environ) as server:
        made = run_hj("keys", "create", "--tenant", tenant, "--name", "x", environ=environ)
        key = made.stdout.split("key: ")[1].strip()
        answer = httpx.get(f"{server.url}/v1/users?limit=1", headers={"Authorization": f"Bearer {key}"})
        assert answer.json()["pagination"]["total"] == 193


def test_a_request_that_runs_is_finished_before_the_server_stops(embedded: Place) -> None:
    with server_process(embedded.directory, embedded.environ) as server:
        host, port = httpx.URL(server.url).host, httpx.URL(server.url).port or 0
        with socket.create_connection((host, port), timeout=30) as open_request:
            body = b'{"email": "x"}'
            head = f"POST /v1/users HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
            head += "Content-Type: application/json\r\nAuthorization: Bearer x\r\n\r\n"
            open_request.sendall(head.encode() + body[:5])
            codes: list[int] = []
            stopping = threading.Thread(target=lambda: codes.append(server.stop()))
            stopping.start()
            wait_until_refusing(host, port)
            open_request.sendall(body[5:])
            answer = open_request.recv(65_536)
            assert answer.startswith(b"HTTP/1.1 401 ")
            stopping.join(30)
        assert codes == [0]


def wait_until_refusing(host: str, port: int) -> None:
    for _ in range(3_000):
        try:
            with socket.create_connection((host, port), timeout=1):
                threading.Event().wait(0.01)
        except OSError:
            return
    pytest.fail("the server went on listening")


def test_ctrl_c_stops_it_in_order(embedded: Place) -> None:
    with server_process(embedded.directory, embedded.environ) as server:
        assert server.stop(signal.SIGINT) == 0
        assert "Traceback" not in server.printed()


def test_answers_name_no_server_software_and_logs_are_json(embedded: Place) -> None:
    with server_process(embedded.directory, embedded.environ) as server:
        answer = httpx.get(f"{server.url}/health")
        assert "server" not in answer.headers
        server.stop()
        lines = server.printed().splitlines()
        assert len(server.lines()) == len(lines)
        requests = [line for line in server.lines() if line.get("event") == "request"]
        assert requests
        assert {line["route"] for line in requests} == {"/health"}


async def test_several_processes_serve_one_postgresql(shared: Place) -> None:
    arguments = (*SERVE, "--workers", "2")
    with server_process(shared.directory, shared.environ, arguments) as server:
        async with server.client() as client:
            for _ in range(20):
                assert (await client.get("/ready")).status_code == 200
        assert server.stop() == 0
