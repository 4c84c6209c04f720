"""The canonical form of an entry's core, its published vector, and the hashes that bind the side rows."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from hellojohn_server.features.audit.events import (
    ActorValues,
    EntryCore,
    Part,
    PartState,
    ResourceValues,
    SideRow,
    canonical_core,
    document_of,
    hash_of,
    verify_side_rows,
)

TENANT_ID = "tnt_01HABCDEF6543210000000000Z"
ACTOR_DOCUMENT = '{"asserted":null,"ip_address":"192.0.2.7","name":"backend","user_agent":"curl/8"}'
RESOURCE_DOCUMENT = '{"changes":{"disabled":[false,true]},"metadata":{},"reason":"Zoë left"}'
ACTOR_SALT = bytes(range(16))
RESOURCE_SALT = bytes(range(16, 32))
CORE = EntryCore(
    id="evt_01HABCDEF6543210000000000E",
    type="user.disabled",
    source="builtin",
    actor_id="key_01HABCDEF6543210000000000K",
    actor_type="api_key",
    on_behalf_of_id=None,
    on_behalf_of_type=None,
    resource_id="usr_01HABCDEF6543210000000000V",
    resource_type="user",
    organization_id=None,
    request_id="req_01HABCDEF6543210000000000R",
    result="success",
    impersonated=False,
    created_at=1_700_000_000_123,
    actor_hash=hash_of(ACTOR_SALT, ACTOR_DOCUMENT),
    resource_hash=hash_of(RESOURCE_SALT, RESOURCE_DOCUMENT),
)
CANONICAL = (
    '{"actor_hash":"ACTOR","actor_id":"key_01HABCDEF6543210000000000K","actor_type":"api_key",'
    '"created_at":1700000000123,"id":"evt_01HABCDEF6543210000000000E","impersonated":false,"on_behalf_of_id":null,'
    '"on_behalf_of_type":null,"organization_id":null,"request_id":"req_01HABCDEF6543210000000000R",'
    '"resource_hash":"RESOURCE","resource_id":"usr_01HABCDEF6543210000000000V","resource_type":"user",'
    '"result":"success","source":"builtin","tenant_id":"tnt_01HABCDEF6543210000000000Z","type":"user.disabled"}'
)
"""The published vector: docs/audit.md has it with the hashes written out."""

texts = st.text(st.characters(codec="utf-8"), max_size=40)
optional = st.none() | texts
cores = st.builds(
    EntryCore,
    id=texts,
    type=texts,
    source=texts,
    actor_id=texts,
    actor_type=texts,
    on_behalf_of_id=optional,
    on_behalf_of_type=optional,
    resource_id=optional,
    resource_type=optional,
    organization_id=optional,
    request_id=texts,
    result=texts,
    impersonated=st.booleans(),
    created_at=st.integers(0, 2**53 - 1),
    actor_hash=texts,
    resource_hash=texts,
)


def jcs(value: dict[str, Any]) -> bytes:
    """Return RFC 8785's form of an object of strings, whole numbers, booleans and nulls."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def test_the_published_vector() -> None:
    assert CORE.actor_hash == "2479f726109fad5473a89621745387a88dc2461eb7ff3c291d16248fce7f22d0"
    assert CORE.resource_hash == "e87b4ddb4ae687b4ef157595860fab553cea59a214e7e52066620500773c26b1"
    canonical = canonical_core(TENANT_ID, CORE)
    written = CANONICAL.replace("ACTOR", CORE.actor_hash).replace("RESOURCE", CORE.resource_hash)
    assert canonical.decode() == written
    assert hashlib.sha256(canonical).hexdigest() == "2be571e24755c6fd9fc8689f2f2b88b68eddcd3b8ccb2595710dec50f18faa52"


@given(texts, cores)
def test_the_core_is_canonical_json(tenant_id: str, core: EntryCore) -> None:
    assert canonical_core(tenant_id, core) == jcs({"tenant_id": tenant_id, **asdict(core)})


@pytest.mark.parametrize("field", EntryCore.__struct_fields__)
def test_every_field_is_in_the_form(field: str) -> None:
    value = getattr(CORE, field)
    other: Any = not value if isinstance(value, bool) else value + 1 if isinstance(value, int) else f"{value}x"
    assert canonical_core(TENANT_ID, replace(CORE, **{field: other})) != canonical_core(TENANT_ID, CORE)


def test_the_same_core_in_another_tenant_is_another() -> None:
    assert canonical_core("tnt_other", CORE) != canonical_core(TENANT_ID, CORE)


def test_side_documents_are_compact_and_in_order() -> None:
    assert document_of(ActorValues("backend", None, "192.0.2.7", "curl/8")) == ACTOR_DOCUMENT
    assert document_of(ResourceValues("Zoë left", {"disabled": (False, True)}, {})) == RESOURCE_DOCUMENT


def row(part: Part, /, **changed: Any) -> SideRow:
    salt, document = (ACTOR_SALT, ACTOR_DOCUMENT) if part is Part.ACTOR else (RESOURCE_SALT, RESOURCE_DOCUMENT)
    return replace(SideRow(CORE.id, part, None, salt, document, None), **changed)


@pytest.mark.parametrize(
    ("rows", "actor", "resource"),
    [
        ([row(Part.ACTOR), row(Part.RESOURCE)], PartState.INTACT, PartState.INTACT),
        ([row(Part.ACTOR)], PartState.INTACT, PartState.DESTROYED),
        ([], PartState.DESTROYED, PartState.DESTROYED),
        ([row(Part.ACTOR, document="{}"), row(Part.RESOURCE)], PartState.ALTERED, PartState.INTACT),
        ([row(Part.ACTOR), row(Part.RESOURCE, salt=bytes(16))], PartState.INTACT, PartState.ALTERED),
        ([row(Part.ACTOR, entry_id="evt_other")], PartState.ALTERED, PartState.DESTROYED),
        ([row(Part.ACTOR, part=Part.RESOURCE)], PartState.DESTROYED, PartState.ALTERED),
    ],
)
def test_side_rows_are_checked_part_by_part(rows: list[SideRow], actor: PartState, resource: PartState) -> None:
    assert verify_side_rows(CORE, rows) == {Part.ACTOR: actor, Part.RESOURCE: resource}
