"""`hj users import`: files on the host, also beside a server, and killed in the middle."""

import asyncio
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from hellojohn_server.cli.parts import Tools
from hellojohn_server.features.audit.schemas import AuditEntryBody, ListAuditQuery
from hellojohn_server.features.audit.service import AuditReader
from hellojohn_server.features.imports.schemas import ImportBody, ListImportsQuery
from hellojohn_server.features.search.schemas import ListUsersQuery
from hellojohn_server.kit.pagination import CursorCodec
from tests.cli.conftest import Place
from tests.features.imports.parts import lines, people
from tests.kit.user_files.files import SAMPLES, SIGNER_KEY
from tests.support import HJ, run_hj, server_process


def tenant_of(place: Place) -> str:
    ended = run_hj("tenants", "create", "--name", "Acme", "--json", environ=place.environ)
    return str(json.loads(ended.stdout)["id"])


def begun(place: Place, file: Path, tenant: str) -> "subprocess.Popen[bytes]":
    """Run the command in a process of its own that nobody listens to."""
    command = [str(HJ), "users", "import", str(file), "--tenant", tenant]
    return subprocess.Popen(command, env=place.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def imported(place: Place, *arguments: str | Path, code: int = 0) -> tuple[dict[str, Any], str]:
    """Run the command, and return what it printed as JSON, and said on standard error."""
    ended = run_hj("users", "import", *map(str, arguments), "--json", environ=place.environ)
    assert ended.returncode == code, ended.stderr
    return (json.loads(ended.stdout) if ended.stdout else {}), ended.stderr


def total_of(place: Place, tenant: str) -> int:
    totals: list[int] = []

    async def count(tools: Tools) -> None:
        totals.append((await tools.search.list_users(tenant, ListUsersQuery(limit=1))).pagination.total)

    asyncio.run(place.use(count))
    return totals[0]


def imports_of(place: Place, tenant: str) -> list[ImportBody]:
    found: list[ImportBody] = []

    async def read(tools: Tools) -> None:
        found.extend((await tools.imports.list_imports(tenant, ListImportsQuery())).rows)

    asyncio.run(place.use(read))
    return found


def test_a_file_goes_in_and_what_was_left_out_is_written_down(place: Place, tmp_path: Path) -> None:
    tenant = tenant_of(place)
    file, report = tmp_path / "people.jsonl", tmp_path / "refused.ndjson"
    file.write_bytes(lines(*people(120), {"email": "x"}, *people(2)))

    trial, told = imported(place, file, "--tenant", tenant, "--dry-run", code=10)
    assert "--resume" not in told
    assert (trial["imported"], trial["duplicates"], trial["refused"]) == (120, 2, 1)
    assert total_of(place, tenant) == 0
    made, said = imported(place, file, "--tenant", tenant, "--report", report, code=10)

    assert (made["imported"], made["duplicates"], made["refused"], made["created_by"]) == (120, 2, 1, "cli")
    assert f"--resume {made['id']}" in said
    assert "Rows that were refused: 1." in said
    assert [json.loads(line)["row"] for line in report.read_text().splitlines()] == [121, 122, 123]
    assert report.stat().st_mode & 0o777 == 0o600
    assert total_of(place, tenant) == 120
    again, _ = imported(place, file, "--tenant", tenant, code=10)
    assert (again["imported"], again["duplicates"]) == (0, 122)
    plain = run_hj("users", "import", str(file), "--tenant", tenant, environ=place.environ)
    assert "duplicates: 122" in plain.stdout


def test_files_of_other_systems_go_in(embedded: Place) -> None:
    tenant = tenant_of(embedded)
    of_tenant = ("--tenant", tenant)
    key = ("--firebase-signer-key", SIGNER_KEY, "--firebase-salt-separator", "Bw==")
    cost = ("--firebase-rounds", "8", "--firebase-memory-cost", "14")
    assert imported(embedded, SAMPLES / "keycloak_realm.json", *of_tenant, "--format", "keycloak")[0]["imported"] == 3
    firebase = (SAMPLES / "firebase_export.csv", *of_tenant, "--format", "firebase")
    assert imported(embedded, *firebase, code=10)[0]["refused"] == 1
    assert imported(embedded, *firebase, *key, *cost)[0]["imported"] == 1


def test_one_that_is_killed_goes_on_where_it_was(place: Place, tmp_path: Path) -> None:
    tenant, file, count = tenant_of(place), tmp_path / "people.ndjson", 3000
    file.write_bytes(lines(*people(count)))
    with begun(place, file, tenant) as process:
        deadline = time.monotonic() + 60
        while not any(one.imported for one in imports_of(place, tenant)) and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    (one,) = imports_of(place, tenant)
    assert 0 < one.imported < count
    assert total_of(place, tenant) == one.imported

    other = tmp_path / "other.ndjson"
    other.write_bytes(file.read_bytes().replace(b"person1@", b"person0001@"))
    _, said = imported(place, other, "--tenant", tenant, "--resume", one.id, code=8)
    assert "not the file" in said
    ended, _ = imported(place, file, "--tenant", tenant, "--resume", one.id)

    assert (ended["id"], ended["status"], ended["imported"], ended["duplicates"]) == (one.id, "completed", count, 0)
    assert total_of(place, tenant) == count
    entries: list[AuditEntryBody] = []

    async def read(tools: Tools) -> None:
        cursor = None
        while True:
            page = await AuditReader(tools.database, CursorCodec(bytes(32))).list_entries(
                tenant, ListAuditQuery(limit=200, type="user.created", cursor=cursor)
            )
            entries.extend(page.rows)
            cursor = page.pagination.next_cursor
            if cursor is None:
                return

    asyncio.run(place.use(read))
    made = [entry.resource.id for entry in entries if entry.resource is not None]
    assert len(made) == len(set(made)) == count


def test_it_runs_beside_a_server_that_goes_on_writing(place: Place, tmp_path: Path) -> None:
    file, count = tmp_path / "people.ndjson", 600
    file.write_bytes(lines(*people(count)))
    with server_process(place.directory, place.environ) as server, httpx.Client(base_url=server.url) as client:
        tenant = tenant_of(place)
        made = run_hj("keys", "create", "--tenant", tenant, "--name", "a", "--json", environ=place.environ)
        headers = {"Authorization": f"Bearer {json.loads(made.stdout)['key']}"}
        written = 0
        with begun(place, file, tenant) as process:
            while process.poll() is None:
                body = {"email": f"beside{written}@example.com"}
                assert client.post("/v1/users", headers=headers, json=body).status_code == 201
                written += 1
        assert process.returncode == 0
        total = client.get("/v1/users?limit=1", headers=headers).json()["pagination"]["total"]
    assert written > 0
    assert total == count + written


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["people.txt", "--tenant", "tnt_1"], "--content"),
        (["people.csv", "--tenant", "tnt_1", "--dry-run", "--resume", "imp_1"], "--dry-run"),
        (["people.csv", "--tenant", "tnt_1", "--firebase-signer-key", "?"], "--firebase-signer-key"),
        (["missing.csv", "--tenant", "tnt_1"], "missing.csv"),
    ],
)
def test_wrong_options_are_said_before_anything_is_done(
    embedded: Place, tmp_path: Path, arguments: list[str], said: str
) -> None:
    for name in ("people.txt", "people.csv"):
        (tmp_path / name).write_text("email\n")
    ended = run_hj("users", "import", str(tmp_path / arguments[0]), *arguments[1:], environ=embedded.environ)
    assert ended.returncode == 2
    assert said in ended.stderr


def test_what_does_not_exist_is_refused(embedded: Place, tmp_path: Path) -> None:
    tenant, file = tenant_of(embedded), tmp_path / "people.csv"
    file.write_text("email\na@example.com\n")
    missing = "01HZX3Y5N8Q7W2K4M6P9R1T3V5"
    imported(embedded, file, "--tenant", f"tnt_{missing}", code=8)
    imported(embedded, file, "--tenant", tenant, "--resume", f"imp_{missing}", code=8)
    _, said = imported(embedded, file, "--tenant", tenant, "--report", tmp_path / "no" / "where", code=2)
    assert "cannot be written" in said
