"""`hj users export` as a process: into a file and to standard output, complete or not there."""

import json
import subprocess
from typing import Any

from hellojohn_server.cli.exits import ExitCode
from hellojohn_server.cli.parts import Tools
from hellojohn_server.features.audit.schemas import ListAuditQuery
from hellojohn_server.features.audit.service import AuditReader
from hellojohn_server.kit.ids import encode_ulid
from hellojohn_server.kit.pagination import CursorCodec
from tests.cli.conftest import Place
from tests.features.search.people import insert_people, person
from tests.support import HJ, run_hj


async def fill(place: Place, count: int) -> str:
    """Make a tenant with so many users, the first of whom is an administrator, and return its id."""
    made = run_hj("tenants", "create", "--name", "Acme", "--json", environ=place.environ)
    tenant_id: str = json.loads(made.stdout)["id"]
    users = [person(0, role="admin"), *(person(number, disabled=number % 2 == 0) for number in range(1, count))]

    async def insert(tools: Tools) -> None:
        await insert_people(tools.database, tenant_id, users)

    await place.use(insert)
    return tenant_id


async def test_everybody_is_written_to_standard_output_or_a_file(place: Place) -> None:
    tenant_id = await fill(place, 12)
    command = ("users", "export", "--tenant", tenant_id)

    printed = run_hj(*command, environ=place.environ)
    lines: list[dict[str, Any]] = [json.loads(line) for line in printed.stdout.splitlines()]
    assert (printed.returncode, printed.stderr) == (0, "")
    assert [line["email"] for line in lines] == [f"person{number}@example.com" for number in reversed(range(12))]

    target = place.directory / "users.csv"
    filtered = ("--format", "csv", "--disabled", "--role", "member", "--created-before", "2200-01-01T00:00:00Z")
    written = run_hj(*command, *filtered, "--output", str(target), environ=place.environ)
    assert (written.returncode, written.stdout) == (0, "")
    assert str(target) in written.stderr
    assert len(target.read_bytes().splitlines()) == 1 + 5
    assert target.stat().st_mode & 0o777 == 0o600
    assert not target.with_name("users.csv.part").exists()

    with_hashes = run_hj(*command, "--with-password-hashes", "--query", "person11", environ=place.environ)
    assert [json.loads(line)["password_hash"] for line in with_hashes.stdout.splitlines()] == [None]

    async def entries(tools: Tools) -> None:
        reader = AuditReader(tools.database, CursorCodec(bytes(32)))
        found = (await reader.list_entries(tenant_id, ListAuditQuery(type="users.exported"))).rows
        filters = {"role": "member", "disabled": True, "created_before": "2200-01-01T00:00:00Z"}
        assert [(entry.actor.type, entry.metadata) for entry in found] == [
            ("cli", {"format": "ndjson", "filters": {"query": "given"}, "with_password_hashes": True}),
            ("cli", {"format": "csv", "filters": filters}),
            ("cli", {"format": "ndjson", "filters": {}}),
        ]

    await place.use(entries)


async def test_what_is_refused_writes_nothing(embedded: Place) -> None:
    tenant_id = await fill(embedded, 3)
    target = embedded.directory / "users.ndjson"
    for arguments, code, said in (
        (("--tenant", f"tnt_{encode_ulid(1)}"), ExitCode.REFUSED, "There is no such tenant"),
        (("--tenant", tenant_id, "--query", "!"), ExitCode.REFUSED, "query"),
        (("--tenant", tenant_id, "--created-after", "yesterday"), ExitCode.USAGE, "--created-after"),
        (("--tenant", tenant_id, "--format", "xml"), ExitCode.USAGE, "--format"),
        ((), ExitCode.USAGE, "--tenant"),
    ):
        ended = run_hj("users", "export", "--output", str(target), *arguments, environ=embedded.environ)
        assert (ended.returncode, ended.stdout) == (code, ""), ended.stderr
        assert said in ended.stderr
        assert not list(embedded.directory.glob("users.ndjson*"))
    nowhere = str(embedded.directory / "missing" / "users.ndjson")
    ended = run_hj("users", "export", "--output", nowhere, "--tenant", tenant_id, environ=embedded.environ)
    assert ended.returncode == ExitCode.USAGE
    assert "cannot be written" in ended.stderr


async def test_a_reader_that_stops_early_is_no_defect(embedded: Place) -> None:
    tenant_id = await fill(embedded, 2_500)
    assert _first_line(embedded, tenant_id) == (0, b'{"id":"usr_', b"")


def _first_line(place: Place, tenant_id: str) -> tuple[int, bytes, bytes]:
    """Read one line of an export and no more, and return the exit code, how the line began, and the complaints."""
    command = [str(HJ), "users", "export", "--tenant", tenant_id]
    with subprocess.Popen(command, env=place.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        process.stdout.close()
        complaints = process.stderr.read()
    return process.returncode, line[:11], complaints
