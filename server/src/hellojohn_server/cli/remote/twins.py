"""What the commands that also work on the store do over HTTP."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import msgspec

from hellojohn.streams import Stream
from hellojohn_server.cli.confirm import confirm
from hellojohn_server.cli.progress import Advance, progress
from hellojohn_server.cli.remote.access import Credential, find_access
from hellojohn_server.cli.remote.calls import Client, connected, plain
from hellojohn_server.features.imports.schemas import ImportBody
from hellojohn_server.features.keys.schemas import ApiKeyBody, CreateKeyBody, MadeKeyBody
from hellojohn_server.features.tenants.schemas import CreateTenantBody, TenantBody
from hellojohn_server.features.users_export.schemas import ExportUsersQuery
from hellojohn_server.kit.routing import Content

T = TypeVar("T")

_KIB: Final = 1024
_ON_HOST: Final = " To work on the store itself, name it: --data-dir or --database-url."
_PART_BYTES: Final = 65_536


def create_key(profile: str | None, tenant: str | None, body: CreateKeyBody) -> MadeKeyBody:
    """Make a key of the tenant of the secret key or, with a master key, of the tenant that is named."""
    kind = Credential.SECRET_KEY if tenant is None else Credential.MASTER_KEY
    with _connected(kind, profile) as client:
        given = _given(body)
        made = client.api_keys.create(**given) if tenant is None else client.tenants.create_api_key(tenant, **given)
        return _as(made, MadeKeyBody)


def rotate_key(profile: str | None, key_id: str, change: Mapping[str, Any], *, yes: bool) -> MadeKeyBody:
    """Make a key in the place of another of the tenant of the secret key."""
    with _connected(Credential.SECRET_KEY, profile) as client:
        if not yes:
            key = client.api_keys.get(key_id)
            ends = "which ends at once" if change.get("overlap", "") is None else "which works on for the overlap"
            confirm(f"Make a key in the place of {key.name} ({key.id}), {ends}?", yes=False)
        return _as(client.api_keys.rotate(key_id, **change), MadeKeyBody)


def revoke_key(profile: str | None, key_id: str, reason: str | None, *, yes: bool) -> ApiKeyBody:
    """Revoke a key of the tenant of the secret key, and return what it is then."""
    with _connected(Credential.SECRET_KEY, profile) as client:
        if not yes:
            key = client.api_keys.get(key_id)
            confirm(f"Revoke the {key.type} key {key.name} ({key.id}), and end its impersonations?", yes=False)
        client.api_keys.revoke(key_id, reason=reason)
        return _as(client.api_keys.get(key_id), ApiKeyBody)


def create_tenant(profile: str | None, body: CreateTenantBody) -> TenantBody:
    """Make a tenant with a master key."""
    with _connected(Credential.MASTER_KEY, profile) as client:
        return _as(client.tenants.create(**_given(body)), TenantBody)


def export_users(profile: str | None, wanted: ExportUsersQuery, write: Callable[[bytes], object]) -> None:
    """Write every user whom the filters select, as they come in."""
    with _connected(Credential.SECRET_KEY, profile) as client:
        export: Callable[..., Stream[Any]] = client.users.export_all
        stream = export(**_given(wanted))
        for part in stream.iter_bytes():
            write(part)


def import_users(
    profile: str | None, file: Path, content: Content, named: Mapping[str, Any], *, resume: str | None
) -> ImportBody:
    """Send a file, and show how much of it was sent; or go on with an import that was interrupted."""
    with _connected(Credential.SECRET_KEY, profile) as client:
        with progress("KiB", file.stat().st_size // _KIB) as advance:
            sent = _parts(file, advance)
            imports = client.admin.imports
            given: dict[str, Any] = {**named, "content_type": content.value}
            made = imports.create(sent, **given) if resume is None else imports.resume(resume, sent, **given)
        return _as(made, ImportBody)


def write_report(profile: str | None, import_id: str, write: Callable[[bytes], object]) -> None:
    """Write the report of an import as it comes in."""
    with _connected(Credential.SECRET_KEY, profile) as client:
        for part in client.admin.imports.report(import_id).iter_bytes():
            write(part)


def _connected(kind: Credential, profile: str | None) -> AbstractContextManager[Client]:
    return connected(find_access(kind, profile, otherwise=_ON_HOST), kind)


def _parts(file: Path, advance: Advance) -> Iterator[bytes]:
    with file.open("rb") as opened:
        read = 0
        while part := opened.read(_PART_BYTES):
            yield part
            advance((read + len(part)) // _KIB - read // _KIB)
            read += len(part)


def _given(body: msgspec.Struct) -> dict[str, Any]:
    """Return the fields that hold something, by their names, as plain values."""
    values = cast("dict[str, Any]", msgspec.to_builtins(body))
    return {name: value for name, value in values.items() if value is not None}


def _as(answer: Any, wanted: type[T]) -> T:
    return msgspec.convert(plain(answer), wanted)
