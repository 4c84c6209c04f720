"""The server as commands call it, by the methods of the Python SDK."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final, cast

import msgspec

import hellojohn
from hellojohn_server.cli.exits import CommandFailed, ExitCode
from hellojohn_server.cli.remote.access import Access, Credential
from hellojohn_server.cli.remote.failures import failures_told

PAGE: Final = 100
"""The most that every list gives at once."""

Client = hellojohn.HelloJohn


@contextmanager
def connected(access: Access, kind: Credential, *, acting_admin: str | None = None) -> Generator[Client]:
    """Yield a client with one credential; what it raises in the block becomes CommandFailed."""
    credentials: dict[str, Any] = {} if kind is Credential.NONE else {kind.value: access.credential}
    with failures_told(access.api_url):
        try:
            client = Client(base_url=access.api_url, acting_admin=acting_admin, **credentials)
        except ValueError as error:
            raise CommandFailed(ExitCode.USAGE, f"The address of the API is wrong: {error}.") from error
        with client:
            yield client


def plain(value: Any) -> Any:
    """Return what the SDK answered as dictionaries, lists and plain values, times as they are on the wire."""
    return _with_times(msgspec.to_builtins(value, builtin_types=(datetime,)))


def _with_times(value: Any) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case dict():
            return {name: _with_times(each) for name, each in cast("dict[str, Any]", value).items()}
        case list() | tuple():
            return [_with_times(each) for each in cast("Iterable[Any]", value)]
        case _:
            return value


def rows_of(pages: Any, most: int | None) -> Iterator[dict[str, Any]]:
    """Yield at most so many of what a list lists; None: all, from as many pages as it takes."""
    found = cast("Iterable[Any]", pages)
    yield from (plain(row) for row in islice(found, most))


def user_id_of(client: Client, named: str) -> str:
    """Return the id of the user who is named by it or by the e-mail address; CommandFailed when nobody has that."""
    return named if named.startswith("usr_") else str(find_user(client, named)["id"])


def find_user(client: Client, named: str) -> dict[str, Any]:
    """Return the user who is named by id or e-mail address, also one in the recycle bin; CommandFailed."""
    if "@" not in named:
        return cast("dict[str, Any]", plain(client.users.get(named)))
    found = client.users.list(email=named, limit=1).data
    found = found or client.users.list(email=named, limit=1, status="deleted").data
    if found:
        return cast("dict[str, Any]", plain(found[0]))
    raise CommandFailed(ExitCode.NOT_FOUND, f"Nobody has the address {named}.")
