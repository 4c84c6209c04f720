"""Imports as wholes: what is recorded, trials, interruption and going on, and how long they are kept."""

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hellojohn_server.features.imports import service
from hellojohn_server.features.imports.errors import ImportTakenOver
from hellojohn_server.features.imports.schemas import CreateImportQuery, HashingQuery
from hellojohn_server.kit.errors import ApiError, InvalidToken
from hellojohn_server.kit.retention import IMPORT_MS
from hellojohn_server.kit.routing import Content, Disconnected, Upload
from hellojohn_server.kit.user_files.formats import UserFormat
from hellojohn_server.kit.user_files.rows import FileShape
from tests.conftest import ManualClock
from tests.features.auth.parts import Front
from tests.features.imports.parts import done, faults_in, lines, people, pieces, report_of, send, total_of, users_of
from tests.kit.user_files.files import SAMPLES

TRIAL: dict[str, Any] = {"dry_run": "true"}


async def breaking(data: bytes, at: int, error: BaseException) -> AsyncIterator[bytes]:
    """Yield the beginning of a file in pieces, and then fail."""
    async for piece in pieces(data[:at]):
        yield piece
    raise error


async def begin(front: Front, data: bytes, at: int, error: BaseException) -> dict[str, Any]:
    """Import a file that breaks off, and return what is shown of it."""
    context = front.app.context(front.tenant_id)
    with pytest.raises(type(error)):
        await front.app.services.imports.import_users(
            context, CreateImportQuery(), Upload(Content.NDJSON, breaking(data, at, error))
        )
    (shown,) = (await front.admin("GET", "/v1/admin/imports?limit=1")).json()["data"]
    return dict(shown)


async def types_of(front: Front) -> list[str]:
    return [str(entry.type) for entry in await front.entries()]


async def test_each_user_has_an_entry_and_so_have_beginning_and_end(front: Front) -> None:
    made = await done(await send(front, lines(*people(3), {"email": "x"})), imported=3, refused=1)
    entries = [entry for entry in await front.entries() if entry.type != "api_key.created"]
    begun, *users, ended = [entry for entry in entries if not entry.type.startswith("tenant")]
    assert (begun.type, begun.resource.id if begun.resource else None) == ("users.import_started", made["id"])
    assert begun.metadata == {"content": "application/x-ndjson", "dry_run": False, "format": "hellojohn"}
    assert [entry.type for entry in users] == ["user.created"] * 3
    assert [entry.metadata for entry in users] == [{"password": "none", "import_id": made["id"]}] * 3
    assert len({entry.request_id for entry in entries[-5:]}) == 1
    assert (ended.type, ended.result) == ("users.import_completed", "success")
    assert {name: ended.metadata[name] for name in ("rows", "imported", "refused")} == {
        "rows": 4,
        "imported": 3,
        "refused": 1,
    }


async def test_counters_search_and_lists_know_who_came(front: Front) -> None:
    await done(await send(front, lines(*people(120))), imported=120)
    assert await total_of(front) == 120
    found = (await front.admin("POST", "/v1/admin/users/search", {"query": "person77"})).json()
    assert [user["email"] for user in found["data"]] == ["person77@example.com"]


async def test_a_trial_says_the_same_as_the_import_and_changes_nothing(front: Front) -> None:
    rows = [*people(90), *people(60, 40), {"email": "x"}, {"email": "p@example.com", "role": "pirate"}]
    rows += [{"email": f"{number}@example.com", "username": f"name{number % 70}"} for number in range(140)]
    rows += [{"email": "later@example.com", "phone": "x"}, {"email": "later@example.com"}]
    await front.admin("POST", "/v1/users", {"email": "person7@example.com"})

    trial = (await send(front, pieces(lines(*rows)), **TRIAL)).json()

    assert (trial["status"], trial["dry_run"]) == ("completed", True)
    assert await total_of(front) == 1
    assert "user.created" not in (await types_of(front))[-2:]
    real = (await send(front, lines(*rows))).json()
    for name in ("rows", "imported", "duplicates", "refused", "bytes_read"):
        assert trial[name] == real[name]
    assert real["imported"] == 90 + 10 - 1 + 70 + 1
    assert await report_of(front, trial["id"]) == await report_of(front, real["id"])


async def test_an_import_whose_connection_broke_goes_on_with_the_same_file(front: Front) -> None:
    data = lines(*people(150), {"email": "x"})

    shown = await begin(front, data, 6_000, Disconnected())

    assert (shown["status"], shown["stopped"]["code"]) == ("interrupted", "connection_lost")
    assert 0 < shown["imported"] < 150
    assert await total_of(front) == shown["imported"]
    again = await done(await send(front, pieces(data, 777), resume=shown["id"]), imported=150, refused=1)
    assert again["id"] == shown["id"]
    assert again["bytes_read"] == len(data)
    assert faults_in(await report_of(front, shown["id"])) == [(151, "email", "invalid")]
    assert await total_of(front) == 150
    said = await types_of(front)
    assert said.count("user.created") == 150
    assert [kind for kind in said if kind.startswith("users.import")] == [
        "users.import_started",
        "users.import_interrupted",
        "users.import_resumed",
        "users.import_completed",
    ]


@pytest.mark.parametrize("name", ["hellojohn.csv", "keycloak_realm.json"])
async def test_it_goes_on_in_every_form(front: Front, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_FIRST_BATCH", 1)
    data = (SAMPLES / name).read_bytes()
    kind, shape = (UserFormat.HELLOJOHN, FileShape.CSV) if "csv" in name else (UserFormat.KEYCLOAK, FileShape.JSON)
    cut = data.rindex(b"otto" if "csv" in name else b"milo.ferri@")

    broken = (await send(front, pieces(data[:cut], 50), kind, shape)).json()

    assert broken["status"] == ("completed" if "csv" in name else "interrupted")
    if broken["status"] == "interrupted":
        assert (broken["stopped"]["code"], broken["imported"]) == ("malformed_file", 2)
        await done(await send(front, pieces(data, 50), kind, shape, resume=broken["id"]), imported=3)


async def test_it_goes_on_with_no_other_file(front: Front) -> None:
    data = lines(*people(400))
    shown = await begin(front, data, 15_000, Disconnected())
    read = shown["bytes_read"]
    for other in (
        data[: read - 1],
        data.replace(b"person0", b"person9", 1),
        data.replace(b"Person 1", b"Person  1"),
    ):
        answer = await send(front, other, resume=shown["id"])
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "import_file_differs")
    answer = await send(front, data, shape=FileShape.CSV, resume=shown["id"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "import_file_differs")
    assert await total_of(front) == shown["imported"]
    await done(await send(front, data, resume=shown["id"]), imported=400)


async def test_what_has_ended_or_was_a_trial_does_not_go_on(front: Front) -> None:
    ended = await done(await send(front, lines(*people(1))), imported=1)
    trial = (await send(front, b'{"email": "a@example.com"}\n', shape=FileShape.JSON, **TRIAL)).json()
    assert trial["status"] == "interrupted"
    for one, shape in ((ended, FileShape.NDJSON), (trial, FileShape.JSON)):
        answer = await send(front, b"\n", shape=shape, resume=one["id"])
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "import_not_resumable")
    for missing in ("imp_01HZX3Y5N8Q7W2K4M6P9R1T3V5", "imp_1", "x"):
        answer = await send(front, b"\n", resume=missing)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "import_not_found")


async def test_a_file_that_is_none_from_some_line_on_says_which(front: Front) -> None:
    good = json.dumps(people(60))
    answer = await send(front, f"{good[:-1]},\n\n 5]".encode(), shape=FileShape.JSON)
    assert answer.status_code == 201
    body = answer.json()
    assert (body["status"], body["imported"]) == ("interrupted", 60)
    assert body["stopped"] == {
        "code": "malformed_file",
        "line": 1,
        "message": "The array must hold objects, with a comma between two.",
    }
    assert answer.headers["location"] == f"/v1/admin/imports/{body['id']}"
    await done(await send(front, good.encode(), shape=FileShape.JSON, resume=body["id"]), imported=60)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Disconnected(), "connection_lost"),
        (asyncio.CancelledError(), "connection_lost"),
        (InvalidToken(), "invalid_token"),
        (RuntimeError("a defect"), "internal_error"),
    ],
)
async def test_why_it_stopped_is_written_down(front: Front, error: BaseException, code: str) -> None:
    shown = await begin(front, lines(*people(5)), 100, error)
    assert (shown["status"], shown["stopped"]) == ("interrupted", {"code": code, "message": None, "line": None})


async def test_one_whose_process_is_gone_is_seen_from_its_silence(front: Front, clock: ManualClock) -> None:
    waits = asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        yield lines(*people(200))
        waits.set()
        await asyncio.sleep(3600)

    running = asyncio.create_task(send(front, stuck()))
    await waits.wait()
    (shown,) = (await front.admin("GET", "/v1/admin/imports")).json()["data"]
    assert (shown["status"], shown["stopped"]) == ("running", None)
    assert shown["imported"] > 0
    clock.advance(61)
    path = f"/v1/admin/imports/{shown['id']}"
    assert (await front.admin("GET", path)).json()["status"] == "interrupted"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_who_goes_on_with_an_import_takes_it_from_who_reads_it(front: Front) -> None:
    data = lines(*people(300))
    imports, context = front.app.services.imports, front.app.context(front.tenant_id)
    waits, go_on = asyncio.Event(), asyncio.Event()

    async def halting() -> AsyncIterator[bytes]:
        yield data[:9000]
        waits.set()
        await go_on.wait()
        yield data[9000:]

    first = asyncio.create_task(imports.import_users(context, CreateImportQuery(), Upload(Content.NDJSON, halting())))
    await waits.wait()
    (shown,) = (await front.admin("GET", "/v1/admin/imports")).json()["data"]
    second = await imports.resume_import(context, shown["id"], HashingQuery(), Upload(Content.NDJSON, pieces(data)))
    go_on.set()
    with pytest.raises(ImportTakenOver):
        await first
    assert (second.status, second.imported, second.duplicates) == ("completed", 300, 0)
    assert await total_of(front) == 300
    assert (await front.admin("GET", f"/v1/admin/imports/{shown['id']}")).json()["status"] == "completed"


async def test_many_who_go_on_at_once_make_nobody_twice(front: Front) -> None:
    data = lines(*people(300))
    shown = await begin(front, data, 9_000, Disconnected())
    answers = await asyncio.gather(*(send(front, data, resume=shown["id"]) for _ in range(16)))
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(200) >= 1
    assert set(statuses) <= {200, 409}
    assert {answer.json()["error"]["code"] for answer in answers if answer.status_code == 409} <= {
        "import_taken_over",
        "import_not_resumable",
    }
    body = (await front.admin("GET", f"/v1/admin/imports/{shown['id']}")).json()
    assert (body["status"], body["imported"], body["duplicates"]) == ("completed", 300, 0)
    assert await total_of(front) == 300


async def test_the_list_is_in_pages_newest_first(front: Front, clock: ManualClock) -> None:
    made = []
    for _ in range(3):
        made.append((await done(await send(front, b"\n")))["id"])
        clock.advance(1)
    first = (await front.admin("GET", "/v1/admin/imports?limit=2")).json()
    assert [one["id"] for one in first["data"]] == made[:0:-1]
    assert first["pagination"]["total"] == 3
    cursor = first["pagination"]["next_cursor"]
    second = (await front.admin("GET", f"/v1/admin/imports?limit=2&cursor={cursor}")).json()
    assert [one["id"] for one in second["data"]] == made[:1]
    assert second["pagination"]["next_cursor"] is None


async def test_imports_and_reports_go_after_thirty_days(front: Front, clock: ManualClock) -> None:
    imports = front.app.services.imports
    made = await done(await send(front, lines(*[{"email": "x"}] * 1200)), refused=1200)
    assert len(await report_of(front, made["id"])) == 1200
    due = await front.app.services.database.read(front.tenant_id, imports.get_next_purge)
    assert due == clock.now_ms() + IMPORT_MS
    await imports.purge(front.tenant_id, due - 1)
    assert len((await front.admin("GET", "/v1/admin/imports")).json()["data"]) == 1
    await imports.purge(front.tenant_id, due)
    assert (await front.admin("GET", "/v1/admin/imports")).json()["data"] == []
    assert await front.app.services.database.read(front.tenant_id, imports.get_next_purge) is None
    assert await imports.list_refused_rows(front.tenant_id, made["id"], 0) == []


async def test_a_store_that_is_changed_meanwhile_is_asked_again(front: Front) -> None:
    data = lines(*people(200))

    async def create() -> None:
        for number in range(0, 200, 10):
            await front.admin("POST", "/v1/users", {"email": f"person{number}@example.com"})

    answer, _ = await asyncio.gather(send(front, pieces(data, 300)), create())
    body = answer.json()
    assert (answer.status_code, body["status"], body["rows"]) == (201, "completed", 200)
    assert body["imported"] + body["duplicates"] == 200
    assert await total_of(front) == 200


async def test_memory_stays_flat_however_long_the_file_is(front: Front) -> None:
    context = front.app.context(front.tenant_id)
    taken: list[int] = []

    async def rows() -> AsyncIterator[bytes]:
        for start in range(0, 3000, 100):
            yield lines(*[{**person, "public_metadata": {"text": "x" * 5000}} for person in people(100, start)])
            taken.append(tracemalloc.get_traced_memory()[0])

    tracemalloc.start()
    try:
        made = await front.app.services.imports.import_users(
            context, CreateImportQuery(dry_run=True), Upload(Content.NDJSON, rows())
        )
    finally:
        tracemalloc.stop()
    assert made.imported == 3000
    assert made.bytes_read > 15_000_000
    assert taken[-1] - taken[9] < 4_000_000


async def test_errors_are_of_the_tree(front: Front) -> None:
    assert issubclass(ImportTakenOver, ApiError)
    assert await users_of(front) == {}
