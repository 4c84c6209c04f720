"""Lists go on through as many pages as are wanted, and say when there is more; files are complete or not there."""

import asyncio
import csv
import json
import subprocess
from pathlib import Path

import pytest

from hellojohn_server.cli.exits import ExitCode
from tests.cli.remote.conftest import Person
from tests.features.search.people import insert_people
from tests.features.search.people import person as person_of
from tests.sdk.typescript.recorder import Site
from tests.support import HJ, hj_environment

COUNT = 250


@pytest.fixture
async def crowded(site: Site, person: Person) -> Site:
    users = [person_of(number, name=f"=Name {number}") for number in range(COUNT)]
    await insert_people(site.world.services.database, site.world.tenant_id, users)
    person.has(HELLOJOHN_API_URL=site.url, HELLOJOHN_SECRET_KEY=site.world.secret_key)
    return site


@pytest.mark.parametrize(
    ("arguments", "shown", "pages", "said"),
    [
        ([], 20, 1, "20 of 250: --all shows every one.\n"),
        (["--limit", "3"], 3, 1, "3 of 250: --all shows every one.\n"),
        (["--limit", "130"], 130, 2, "130 of 250: --all shows every one.\n"),
        (["--limit", "1000"], COUNT, 3, ""),
        (["--all"], COUNT, 3, ""),
        (["--email", "person7@example.com"], 1, 1, ""),
    ],
)
async def test_as_many_as_are_wanted(
    crowded: Site, person: Person, arguments: list[str], shown: int, pages: int, said: str
) -> None:
    crowded.recorder.seen.clear()
    ended = await person.types(["users", "list", *arguments])
    assert (ended.code, ended.err) == (0, said)
    ids = [json.loads(line)["id"] for line in ended.out.splitlines()]
    assert (len(ids), len(set(ids))) == (shown, shown)
    assert len(crowded.recorder.seen) == pages


async def test_csv_of_all(crowded: Site, person: Person) -> None:
    ended = await person.types(["users", "list", "--all", "--format", "csv", "--columns", "email,name"])
    head, *rows = csv.reader(ended.out.splitlines())
    assert head == ["email", "name"]
    assert sorted(row[1] for row in rows) == sorted(f"'=Name {number}" for number in range(COUNT))


async def test_a_file_is_there_once_it_is_complete(crowded: Site, person: Person, tmp_path: Path) -> None:
    await crowded.world.make("/v1/audit-logs", {"action": "invoice.sent"})
    for name, first in (("entries.csv", "id,type,"), ("entries.ndjson", '{"id":"evt_')):
        file = tmp_path / name
        ended = await person.types(["audit", "export", "--output", str(file)])
        assert (ended.code, ended.out) == (0, ""), ended.err
        assert file.read_text(encoding="utf-8").startswith(first)
        assert "invoice.sent" in file.read_text(encoding="utf-8")
        assert file.stat().st_mode & 0o777 == 0o600
    refused = await person.types(["audit", "export", "--from", "soon", "--output", str(tmp_path / "none")])
    assert refused.code == ExitCode.INVALID
    assert names_in(tmp_path) == {"data", "entries.csv", "entries.ndjson"}


async def test_a_reader_that_stops_early_is_no_defect(crowded: Site) -> None:
    environ = hj_environment(API_URL=crowded.url, SECRET_KEY=crowded.world.secret_key)
    assert await asyncio.to_thread(first_line, environ) == (0, b'{"id":"usr_', b"")


def names_in(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def first_line(environ: dict[str, str]) -> tuple[int, bytes, bytes]:
    """Read one line of a list and no more; return the exit code, how the line began, and the complaints."""
    command = [str(HJ), "users", "list", "--all"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        began = process.stdout.read(11)
        process.stdout.close()
        complaints = process.stderr.read()
    return process.returncode, began, complaints
