"""Sending files, and asking what came of them."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Final

import httpx

from hellojohn_server.kit.user_files.formats import UserFormat
from hellojohn_server.kit.user_files.rows import FileShape
from hellojohn_server.storage.database import Reader
from hellojohn_server.storage.sql import Statement
from tests.features.auth.parts import Front

CONTENTS: Final = {
    FileShape.CSV: "text/csv",
    FileShape.JSON: "application/json",
    FileShape.NDJSON: "application/x-ndjson",
}
LIST_HASHES: Final = Statement("SELECT email, password_hash FROM users WHERE tenant_id = :tenant_id ORDER BY email")
LIST_KEPT: Final = Statement(
    """
    SELECT i.digest, i.stopped_message, i.created_by, r.faults
    FROM imports AS i LEFT JOIN import_refused_rows AS r ON r.tenant_id = :tenant_id AND r.import_id = i.id
    WHERE i.tenant_id = :tenant_id
    """
)


def lines(*rows: Any) -> bytes:
    """Return rows as a file of lines."""
    return "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows).encode()


def people(count: int, start: int = 0) -> list[dict[str, Any]]:
    """Return as many users as the API shows them."""
    return [
        {"email": f"person{number}@example.com", "name": f"Person {number}"} for number in range(start, start + count)
    ]


async def pieces(data: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    """Yield a file in pieces."""
    for at in range(0, len(data), size):
        yield data[at : at + size]


async def send(
    front: Front,
    data: bytes | AsyncIterator[bytes],
    kind: UserFormat = UserFormat.HELLOJOHN,
    shape: FileShape = FileShape.NDJSON,
    *,
    key: str | None = None,
    resume: str | None = None,
    **query: Any,
) -> httpx.Response:
    """Send a file to be imported, or one of an import that goes on."""
    path = "/v1/admin/imports" if resume is None else f"/v1/admin/imports/{resume}/resume"
    given: dict[str, Any] = query if resume is not None else {"format": kind.value, **query}
    headers = {"Authorization": f"Bearer {key or front.secret}", "Content-Type": CONTENTS[shape]}
    return await front.app.request("POST", path, params=given, content=data, headers=headers)


async def done(answer: httpx.Response, **counts: int) -> dict[str, Any]:
    """Return an import that was read to its end, with these counts and nothing else."""
    assert answer.status_code in {200, 201}, answer.text
    body: dict[str, Any] = answer.json()
    expected = {"imported": 0, "duplicates": 0, "refused": 0, **counts}
    assert {name: body[name] for name in expected} == expected, body
    assert body["rows"] == sum(expected.values())
    assert (body["status"], body["stopped"]) == ("completed", None)
    return body


async def report_of(front: Front, import_id: str) -> list[dict[str, Any]]:
    """Return the lines of a report."""
    answer = await front.admin("GET", f"/v1/admin/imports/{import_id}/report")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def faults_in(report: Iterable[Mapping[str, Any]]) -> list[tuple[int, str, str]]:
    """Return every fault of a report: the row, the field and the code."""
    return [(line["row"], fault["field"], fault["code"]) for line in report for fault in line["faults"]]


async def users_of(front: Front) -> dict[str, dict[str, Any]]:
    """Return the first hundred users of a tenant by their addresses."""
    answer = await front.admin("GET", "/v1/users?limit=100")
    return {user["email"]: user for user in answer.json()["data"]}


async def total_of(front: Front) -> int:
    """Return how many users a tenant has."""
    return int((await front.admin("GET", "/v1/users?limit=1")).json()["pagination"]["total"])


async def hashes_of(front: Front) -> dict[str, str | None]:
    """Return the stored hash of each user's password, by the address."""

    async def read(reader: Reader) -> dict[str, str | None]:
        return {str(row[0]): row[1] for row in await reader.fetch_all(LIST_HASHES)}

    return await front.app.services.database.read(front.tenant_id, read)


async def kept_of(front: Front) -> str:
    """Return everything that imports keep, as a text."""

    async def read(reader: Reader) -> str:
        return repr(await reader.fetch_all(LIST_KEPT))

    return await front.app.services.database.read(front.tenant_id, read)
