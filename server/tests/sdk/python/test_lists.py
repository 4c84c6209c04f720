"""Lists of any length, streams and files, on a real server."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from hellojohn import ApiConnectionError, AsyncHelloJohn, ConflictError, HelloJohn, NotFoundError
from hellojohn._lines import LineSplitter, RowReader
from hellojohn.types import Import, User
from tests.sdk.python.misbehaving import break_off, misbehaving_server
from tests.sdk.typescript.recorder import Site

USERS: Final = 2500
FILE: Final = b"".join(msgspec.json.encode({"email": f"u{n}@example.com"}) + b"\n" for n in range(USERS))
ADDRESSES: Final = {f"u{n}@example.com" for n in range(USERS)}


@pytest.fixture
async def hj(site: Site) -> AsyncIterator[AsyncHelloJohn]:
    async with AsyncHelloJohn(secret_key=site.world.secret_key, base_url=site.url) as client:
        yield client


def client_of(site: Site) -> HelloJohn:
    return HelloJohn(secret_key=site.world.secret_key, base_url=site.url)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("direction", ["asc", "desc"])
async def test_a_list_of_2500_is_iterated_while_users_are_added(site: Site, hj: AsyncHelloJohn, direction: Any) -> None:
    assert (await hj.admin.imports.create(FILE, content_type="application/x-ndjson")).imported == USERS
    added: list[str] = []

    async def add_one() -> None:
        added.append((await hj.users.create(email=f"late{len(added)}@example.com")).email)

    async def iterated() -> Counter[str]:
        seen: Counter[str] = Counter()
        async for user in hj.users.list(limit=100, direction=direction):
            if sum(seen.values()) % 100 == 50:
                await add_one()
            seen[user.email] += 1
        return seen

    seen = await iterated()
    assert len(added) >= USERS // 100
    assert ADDRESSES <= seen.keys() <= ADDRESSES | set(added)
    assert set(seen.values()) == {1}

    loop = asyncio.get_running_loop()

    def in_thread() -> Counter[str]:
        seen: Counter[str] = Counter()
        with client_of(site) as client:
            for user in client.users.list(limit=100, direction=direction):
                if sum(seen.values()) % 100 == 50:
                    asyncio.run_coroutine_threadsafe(add_one(), loop).result()
                seen[user.email] += 1
        return seen

    before = set(added)
    seen = await asyncio.to_thread(in_thread)
    assert ADDRESSES | before <= seen.keys() <= ADDRESSES | set(added)
    assert set(seen.values()) == {1}


SEVEN: Final = b"".join(FILE.splitlines(keepends=True)[:7])


async def test_a_page_can_be_had_alone_and_a_search_goes_on_too(site: Site, hj: AsyncHelloJohn) -> None:
    await hj.admin.imports.create(SEVEN, content_type="application/x-ndjson")
    page = await hj.users.list(limit=3)
    assert (len(page.data), page.pagination.total, page.pagination.has_more) == (3, 7, True)
    assert [len(each.data) async for each in page.pages()] == [3, 3, 1]
    found = [user.email async for user in hj.users.search(query="example", limit=2, filters={"disabled": False})]
    assert sorted(found) == [f"u{n}@example.com" for n in range(7)]
    assert await (await hj.users.list(limit=7)).next_page() is None

    def in_thread() -> None:
        with client_of(site) as client:
            first = client.users.list(limit=3)
            assert (len(first.data), first.pagination.total) == (3, 7)
            assert [len(each.data) for each in first.pages()] == [3, 3, 1]
            assert len(list(client.users.search(query="example", limit=2))) == 7
            assert client.users.list(email="U3@example.com").data[0].email == "u3@example.com"

    await asyncio.to_thread(in_thread)


async def test_an_export_is_lines_or_rows(site: Site, hj: AsyncHelloJohn) -> None:
    await hj.admin.imports.create(SEVEN, content_type="application/x-ndjson")
    await hj.users.create(email="lines@example.com", name='A, "quoted"')
    lines = [user async for user in hj.users.export_all()]
    assert {type(user) for user in lines} == {User}
    rows = [row async for row in hj.users.export_all(format="csv")]
    assert [row["id"] for row in rows] == [user.id for user in lines]
    assert rows[0]["name"] == 'A, "quoted"'
    saved = b"".join([piece async for piece in hj.users.export_all(format="csv").iter_bytes()])
    assert saved.count(b"@example.com") == 8

    def in_thread() -> None:
        with client_of(site) as client:
            assert [user.id for user in client.users.export_all()] == [user.id for user in lines]
            assert list(client.users.export_all(format="csv")) == rows
            with client.users.export_all(status="active") as left:
                next(iter(left))

    await asyncio.to_thread(in_thread)
    async with hj.users.export_all() as left:
        async for _ in left:
            break


async def test_an_export_that_breaks_off_is_not_taken_for_whole(site: Site) -> None:
    line = msgspec.json.encode({"user_id": "usr_1", "outcome": "changed", "code": None}) + b"\n"
    async with misbehaving_server() as server, AsyncHelloJohn(secret_key="sk_test_x", base_url=server.url) as hj:
        server.will(break_off(line))
        lines = aiter(hj.admin.jobs.report("job_1"))
        assert (await anext(lines)).user_id == "usr_1"
        with pytest.raises(ApiConnectionError):
            await anext(lines)
    with pytest.raises(NotFoundError), client_of(site) as client:
        await asyncio.to_thread(client.admin.jobs.report, "job_01HZX3Y5N8Q7W2K4M6P9R1T3VA")


async def test_a_file_is_a_path_bytes_a_file_or_pieces(site: Site, hj: AsyncHelloJohn, tmp_path: Path) -> None:
    path = tmp_path / "users.ndjson"
    path.write_bytes(SEVEN)

    async def later() -> AsyncIterator[bytes]:
        for piece in pieces(SEVEN, 11):
            yield piece

    made: list[Import] = [
        await hj.admin.imports.create(path, dry_run=True),
        await hj.admin.imports.create(str(path), dry_run=True),
        await hj.admin.imports.create(BytesIO(SEVEN), content_type="application/x-ndjson", dry_run=True),
        await hj.admin.imports.create(pieces(SEVEN, 11), content_type="application/x-ndjson", dry_run=True),
        await hj.admin.imports.create(later(), content_type="application/x-ndjson", dry_run=True),
    ]
    with path.open("rb") as file:
        made.append(await hj.admin.imports.create(file, dry_run=True))
        assert not file.closed

    def in_thread() -> None:
        with client_of(site) as client, path.open("rb") as file:
            made.append(client.admin.imports.create(path, dry_run=True))
            made.append(client.admin.imports.create(file, dry_run=True))
            made.append(client.admin.imports.create(SEVEN, content_type="application/x-ndjson", dry_run=True))
            pieced = pieces(SEVEN, 11)
            made.append(client.admin.imports.create(pieced, content_type="application/x-ndjson", dry_run=True))

    await asyncio.to_thread(in_thread)
    assert [(one.rows, one.imported, one.status) for one in made] == [(7, 7, "completed")] * 10
    for wrong in (tmp_path / "users.txt", SEVEN):
        with pytest.raises(ValueError, match="say what the file is written in"):
            await hj.admin.imports.create(wrong)
    with pytest.raises(TypeError, match="int is no file"):
        await hj.admin.imports.create(5, content_type="text/csv")  # type: ignore[arg-type] - a slip
    whole = await hj.admin.imports.create(path)
    with pytest.raises(ConflictError):
        await hj.admin.imports.resume(whole.id, path)


def test_lines_and_rows_come_out_of_any_pieces() -> None:
    text = b'id,name\r\n1,"a\r\nb ""c"""\r\n2,\r\n'
    for size in range(1, len(text) + 1):
        splitter, reader = LineSplitter(), RowReader()
        lines = [line for piece in pieces(text, size) for line in splitter.feed(piece)] + list(splitter.end())
        rows = [row for line in lines for row in reader.feed(line)]
        assert rows == [{"id": "1", "name": 'a\r\nb "c"'}, {"id": "2", "name": ""}]
    splitter = LineSplitter()
    assert [*splitter.feed(b"a\nb"), *splitter.end()] == [b"a", b"b"]
