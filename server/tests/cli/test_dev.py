"""`hj dev` as a process: the first start, the next one, and who may reach it."""

import json
import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from hellojohn_server.app import PARTS
from hellojohn_server.cli import root
from hellojohn_server.cli.exits import ExitCode
from tests.cli.conftest import Place
from tests.support import hj_environment, run_hj, server_process

DEV = ("dev", "--port", "0")


def printed_facts(text: str) -> dict[str, str]:
    return dict(re.findall(r"^  (Tenant|Secret key|Publishable key|Master key) +(\S+)$", text, re.MULTILINE))


def dev_environment(place: Place) -> dict[str, str]:
    """A newcomer sets nothing; only the place of the data is the test's."""
    kept = {"HELLOJOHN_DATA_DIR", "HELLOJOHN_DATABASE_URL"}
    return hj_environment() | {name: text for name, text in place.environ.items() if name in kept}


def test_a_second_start_keeps_the_data_and_prints_the_same(place: Place) -> None:
    environ = dev_environment(place)
    with server_process(place.directory, environ, DEV) as server:
        first = printed_facts(server.printed())
        assert set(first) == {"Tenant", "Secret key", "Publishable key", "Master key"}
        with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {first['Secret key']}"}) as client:
            assert client.get("/v1/users").json()["pagination"]["total"] == 193
            made = client.post("/v1/users", json={"email": "newcomer@example.com"})
            assert made.status_code == 201
            assert f"{server.url}/dev/mailbox\n".replace("127.0.0.1", "localhost") in server.printed()
            assert client.get("/dev/mailbox.json").json() == {"data": []}
        assert server.stop() == 0
    data_dir = place.directory / "data"
    for name in ("encryption.key", "demo.json"):
        assert stat.S_IMODE((data_dir / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
    with server_process(place.directory, environ, DEV) as server:
        assert printed_facts(server.printed()) == first
        with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {first['Secret key']}"}) as client:
            assert client.get("/v1/users").json()["pagination"]["total"] == 194
            assert client.get(f"/v1/users/{made.json()['id']}").status_code == 200


def paste(line: str) -> dict[str, Any]:
    """Return what a shell prints for a printed call."""
    answer = subprocess.run(["sh", "-c", f"{line} -sS"], capture_output=True, text=True, check=True, timeout=30)
    printed: dict[str, Any] = json.loads(answer.stdout)
    return printed


def test_the_printed_calls_work_when_they_are_pasted(place: Place) -> None:
    with server_process(place.directory, dev_environment(place), DEV) as server:
        search, impersonate = re.findall(r"^curl (?:.*\\\n)*.*$", server.printed(), re.MULTILINE)
        names = [user["name"] for user in paste(search)["data"]]
        begun = paste(impersonate)
        keys = {"Authorization": f"Bearer {printed_facts(server.printed())['Secret key']}"}
        user = httpx.get(f"{server.url}/v1/users/{begun['impersonated_user_id']}", headers=keys).json()
        me = httpx.get(f"{server.url}/v1/auth/me", headers={"Authorization": f"Bearer {begun['access_token']}"})
    assert "Alice Smith" in names
    assert set(begun) == {"access_token", "session_id", "impersonated_user_id", "expires_at"}
    assert (user["status"], user["role"]) == ("active", "member")
    assert (me.status_code, me.json()["id"]) == (200, user["id"])


def test_somebody_who_cannot_be_impersonated_any_more_is_not_printed(embedded: Place) -> None:
    environ = dev_environment(embedded)
    with server_process(embedded.directory, environ, DEV) as server:
        first = re.findall(r'"user_id": "(usr_\w+)"', server.printed())
        keys = {"Authorization": f"Bearer {printed_facts(server.printed())['Secret key']}"}
        assert httpx.post(f"{server.url}/v1/users/{first[0]}/disable", headers=keys).status_code == 200
    with server_process(embedded.directory, environ, DEV) as server:
        second = re.findall(r'"user_id": "(usr_\w+)"', server.printed())
    assert len(first) == len(second) == 1
    assert first != second


def test_a_revoked_demo_key_is_replaced_and_the_others_stay(embedded: Place) -> None:
    environ = dev_environment(embedded)
    with server_process(embedded.directory, environ, DEV) as server:
        first = printed_facts(server.printed())
    keys = {"Authorization": f"Bearer {first['Secret key']}"}
    with server_process(embedded.directory, environ, DEV) as server:
        current = httpx.get(f"{server.url}/v1/api-keys?type=secret", headers=keys).json()["data"][0]["id"]
        revoked = run_hj("keys", "revoke", "--tenant", first["Tenant"], current, environ=environ)
        assert revoked.returncode == 0, revoked.stderr
        assert httpx.get(f"{server.url}/v1/users", headers=keys).status_code == 401
    with server_process(embedded.directory, environ, DEV) as server:
        second = printed_facts(server.printed())
        assert second.pop("Secret key") != first.pop("Secret key")
        assert second == first


def test_a_request_that_names_another_host_is_refused(embedded: Place) -> None:
    with server_process(embedded.directory, dev_environment(embedded), DEV) as server:
        port = httpx.URL(server.url).port
        for host, status in {
            f"localhost:{port}": 200,
            f"127.0.0.1:{port}": 200,
            f"[::1]:{port}": 200,
            "evil.example": 400,
            f"evil.example:{port}": 400,
            "localhost.evil.example": 400,
        }.items():
            answer = httpx.get(f"{server.url}/health", headers={"Host": host})
            assert (host, answer.status_code) == (host, status)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "id.example.com"])
def test_it_refuses_addresses_that_others_reach(
    embedded: Place, host: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HELLOJOHN_DATA_DIR", embedded.environ["HELLOJOHN_DATA_DIR"])
    assert root.run(PARTS, ("dev", "--host", host)) == ExitCode.USAGE
    assert "listens on this machine only" in capsys.readouterr().err
    assert not (embedded.directory / "data").exists()


def test_a_broken_demo_file_is_named(embedded: Place, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "demo.json").write_text("{")
    refused = run_hj(*DEV, environ=dev_environment(embedded))
    assert refused.returncode == ExitCode.DATA_DIR
    assert "demo.json cannot be read" in refused.stderr
