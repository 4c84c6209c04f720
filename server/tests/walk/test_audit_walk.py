"""Every mutating operation of the document, on both stores, with exactly the audit entries it must write.

The operations come from /openapi.json, the entries from the table below, written by hand. An operation without a row
fails, and so does every act in which any one of its entries is not written.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import pytest

from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.audit.schemas import AuditEntryBody
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdPrefix, is_id, is_session_id
from tests.walk.access_table import ACCESS_TABLE
from tests.walk.account_acts import EMAIL, EVERY_ACT
from tests.walk.account_table import ACCOUNT_TABLE, SESSION
from tests.walk.acts import Call
from tests.walk.import_acts import IMPORT_TABLE
from tests.walk.job_table import JOB, JOB_TABLE, PLAN
from tests.walk.mfa_table import FACTOR, MFA_TABLE
from tests.walk.organization_table import INVITATION, ORGANIZATION_TABLE
from tests.walk.rows import Entry, Row
from tests.walk.world import ADDRESS, AGENT, World, operations_of, send

NOW: Final = "<now>"
MADE: Final = "<made>"


OTHERS: Final[dict[str, Row]] = {
    "create_user": Row(
        201,
        [
            Entry(
                type="user.created",
                resource=("user", "made"),
                changes={
                    "email": (None, "New@example.com"),
                    "name": (None, "New"),
                    "role": (None, "admin"),
                    "public_metadata.plan": (None, "pro"),
                },
                metadata={"password": "none"},
            )
        ],
    ),
    "update_user": Row(
        200,
        [
            Entry(
                type="user.updated",
                resource=("user", "user"),
                reason="asked to",
                changes={
                    "name": ("A", "B"),
                    "email": ("a@example.com", "b@example.com"),
                    "private_metadata.old": (1, None),
                    "private_metadata.new": (None, [2]),
                },
            ),
            Entry(
                type="user.disabled",
                resource=("user", "user"),
                reason="asked to",
                changes={"disabled": (False, True)},
                metadata={"sessions_revoked": 0},
            ),
        ],
    ),
    "disable_user": Row(
        200,
        [
            Entry(
                type="user.disabled",
                resource=("user", "user"),
                reason="spam",
                changes={"disabled": (False, True)},
                metadata={"sessions_revoked": 0},
            )
        ],
    ),
    "export_audit_logs": Row(
        200,
        [
            Entry(
                type="audit_logs.exported",
                resource=("audit_log", ""),
                metadata={"format": "ndjson", "filters": {"type": "user.created", "ip_address": "given"}},
            )
        ],
    ),
    "export_user": Row(200, [Entry(type="user.exported", resource=("user", "user"))]),
    "export_users": Row(
        200,
        [
            Entry(
                type="users.exported",
                resource=("user", ""),
                metadata={"format": "ndjson", "filters": {"role": "member", "email_verified": False}},
            )
        ],
    ),
    "enable_user": Row(
        200,
        [
            Entry(
                type="user.enabled",
                resource=("user", "user"),
                reason="a mistake",
                changes={"disabled": (True, False)},
            )
        ],
    ),
    "bulk_disable_users": Row(
        200,
        [
            *(
                Entry(
                    type="user.disabled",
                    resource=("user", name),
                    reason="a wave of spam",
                    changes={"disabled": (False, True)},
                    metadata={"sessions_revoked": 0},
                )
                for name in ("user", "other")
            ),
            Entry(
                type="users.bulk_disabled",
                resource=("user", ""),
                metadata={
                    "requested": 4,
                    "disabled": 2,
                    "sessions_revoked": 0,
                    "unchanged": 1,
                    "not_found": 1,
                    "refused": 0,
                },
            ),
        ],
    ),
    "impersonate_user": Row(
        200,
        [
            Entry(
                type="user.impersonated",
                resource=("user", "user"),
                on_behalf_of="user",
                reason="ticket 8842",
                metadata={"session_id": SESSION, "expires_at": "2026-09-21T15:13:20Z", "read_only": True},
            )
        ],
    ),
    "create_audit_log": Row(
        201,
        [
            Entry(
                type="user.suspended",
                resource=("user", "user"),
                source="custom",
                metadata={"claimed_actor": "admin", "reason": "late"},
            )
        ],
    ),
    "create_api_key": Row(
        201,
        [
            Entry(
                type="api_key.created",
                resource=("api_key", "made"),
                changes={
                    "name": (None, "reader"),
                    "type": (None, "secret"),
                    "scopes": (None, ["audit:read", "users:read"]),
                    "expires_at": (None, None),
                },
            )
        ],
    ),
    "revoke_api_key": Row(
        204,
        [
            Entry(
                type="api_key.revoked",
                resource=("api_key", "key"),
                reason="leaked",
                changes={"revoked_at": (None, NOW)},
            )
        ],
    ),
    "rotate_api_key": Row(
        201,
        [
            Entry(
                type="api_key.rotated",
                resource=("api_key", "key"),
                reason="quarterly",
                changes={"expires_at": (None, "2026-09-21T15:13:20.000Z")},
                metadata={"replaced_by": MADE},
            ),
            Entry(
                type="api_key.created",
                resource=("api_key", "made"),
                changes={
                    "name": (None, "worker"),
                    "type": (None, "secret"),
                    "scopes": (None, ["users:read"]),
                    "expires_at": (None, None),
                },
            ),
        ],
    ),
    "create_tenant_api_key": Row(
        201,
        [
            Entry(
                type="api_key.created",
                resource=("api_key", "made"),
                by="master",
                changes={
                    "name": (None, "first"),
                    "type": (None, "secret"),
                    "scopes": (None, ["*", "admins:manage"]),
                    "expires_at": (None, None),
                },
            )
        ],
    ),
    "resend_email": Row(
        200,
        [
            Entry(
                type="email.resent",
                resource=("email", "email"),
                metadata={"template": "email_changed", "user_id": "usr_1"},
            )
        ],
    ),
    "update_config": Row(
        200,
        [
            Entry(
                type="config.updated",
                resource=("tenant", "tenant"),
                changes={"impersonation.enabled": (True, False), "impersonation.max_duration": ("24h", "2h")},
            )
        ],
    ),
    "create_tenant": Row(
        201,
        [
            Entry(
                type="tenant.created",
                resource=("tenant", "made"),
                where="control",
                by="master",
                changes={"name": (None, "T"), "environment": (None, "test")},
            )
        ],
    ),
    "update_tenant": Row(
        200,
        [
            Entry(
                type="tenant.updated",
                resource=("tenant", "tenant"),
                where="control",
                by="master",
                changes={"name": ("T", "U")},
            )
        ],
    ),
    "suspend_tenant": Row(
        200,
        [
            Entry(
                type="tenant.suspended",
                resource=("tenant", "tenant"),
                where="control",
                by="master",
                reason="unpaid",
                changes={"status": ("active", "suspended")},
            )
        ],
    ),
    "resume_tenant": Row(
        200,
        [
            Entry(
                type="tenant.resumed",
                resource=("tenant", "tenant"),
                where="control",
                by="master",
                changes={"status": ("suspended", "active")},
            )
        ],
    ),
    "delete_tenant": Row(
        204,
        [
            Entry(
                type="tenant.deleted",
                resource=("tenant", "tenant"),
                where="control",
                by="master",
                changes={"name": ("T", None), "environment": ("live", None)},
            )
        ],
    ),
}
TABLE: Final[dict[str, Row]] = {
    **OTHERS,
    **ACCESS_TABLE,
    **ACCOUNT_TABLE,
    **ORGANIZATION_TABLE,
    **MFA_TABLE,
    **JOB_TABLE,
    **IMPORT_TABLE,
}
CHANGES_NOTHING: Final = {"begin_passkey_sign_in", "get_passkey_options", "search_users", "verify_token"}
"""Operations that are no GET and change nothing."""
RECORDED: Final = {"export_audit_logs", "export_user", "export_users"}
"""A GET that is recorded."""
NOTICED: Final = r"entries of |internal_error|audit_log_not_found"
"""What fails when an entry is missing: the comparison, the store, which refuses acts without any, or a made entry."""


async def test_every_operation_has_its_call(world: World) -> None:
    assert {name for name, _ in await operations_of(world)} == EVERY_ACT.keys()


async def test_every_mutating_operation_has_its_row(world: World) -> None:
    mutating = {name for name, method in await operations_of(world) if method != "get"}

    assert mutating | RECORDED == TABLE.keys() | CHANGES_NOTHING


@pytest.mark.parametrize("operation", sorted(TABLE))
async def test_an_operation_writes_exactly_its_entries(world: World, operation: str) -> None:
    await walk(world, operation)


@pytest.mark.parametrize(
    ("operation", "missing"), [(name, number) for name in sorted(TABLE) for number in range(len(TABLE[name].entries))]
)
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_an_act_whose_entry_is_not_written_is_noticed(world: World, operation: str, missing: int) -> None:
    call = await EVERY_ACT[operation](world)
    record_many = world.services.audit_log.record_many
    seen = 0
    forgotten: list[Event] = []

    async def forget(tx: Any, context: Any, events: Sequence[Event]) -> list[str]:
        nonlocal seen
        numbered = list(enumerate(events, seen))
        forgotten.extend(event for number, event in numbered if number == missing)
        seen += len(events)
        recorded = await record_many(tx, context, [event for number, event in numbered if number != missing])
        if len(recorded) < len(events):
            recorded.insert(next(place for place, (number, _) in enumerate(numbered) if number == missing), "evt_lost")
        return recorded

    world.services.audit_log.record_many = forget  # type: ignore[method-assign] - forgetting is the test

    with pytest.raises(AssertionError, match=NOTICED):
        await do(world, operation, call)

    assert [event.type for event in forgotten] == [TABLE[operation].entries[missing].type]


async def walk(world: World, operation: str) -> None:
    """Prepare an operation, do it, and compare what the logs gained with its entries. AssertionError if they differ."""
    await do(world, operation, await EVERY_ACT[operation](world))


async def do(world: World, operation: str, call: Call) -> None:
    """Do an operation that is prepared, and compare what the logs gained with its entries."""
    row = TABLE[operation]
    answer = await send(world, call)
    assert answer.status_code == row.status, answer.text
    body = answer.json() if answer.content else {}
    objects = {**call.objects, "made": body.get("id", ""), "made_user": body.get("user", {}).get("id", "")}
    request_id = answer.headers["X-Request-ID"]
    stores = {"tenant": world.tenant_id, "control": CONTROL_TENANT_ID}
    found = [
        (where, entry)
        for where, tenant_id in stores.items()
        for entry in await world.entries(tenant_id)
        if entry.request_id == request_id
    ]
    shown = [_shown(where, entry) for where, entry in found]
    assert shown == [_expected(world, entry, objects) for entry in row.entries], f"entries of {operation}"
    assert all(is_id(entry.id, IdPrefix.EVENT) for _, entry in found)


def _shown(where: str, entry: AuditEntryBody) -> dict[str, Any]:
    body = msgspec.to_builtins(entry)
    assert isinstance(body, dict)
    for field in ("id", "request_id"):
        del body[field]
    if "revoked_at" in body["changes"]:
        assert body["changes"]["revoked_at"][1] == body["created_at"]
        body["changes"]["revoked_at"] = (None, NOW)
    if "session_id" in body["metadata"]:
        assert is_session_id(body["metadata"]["session_id"])
        body["metadata"]["session_id"] = SESSION
    if "invitation_id" in body["metadata"]:
        assert is_id(body["metadata"]["invitation_id"], IdPrefix.INVITATION)
        body["metadata"]["invitation_id"] = INVITATION
    del body["created_at"]
    return {"where": where, **body}


def _expected(world: World, entry: Entry, objects: dict[str, str]) -> dict[str, Any]:
    actors = {
        "secret": {"id": world.secret_key_id, "type": "api_key", "name": "walk"},
        "master": {"id": world.master_key_id, "type": "master_key", "name": "walk master"},
        "publishable": {"id": world.publishable_key_id, "type": "api_key", "name": "walk front"},
    }
    user = {"id": objects.get(entry.by), "type": "user", "name": EMAIL}
    kind, name = entry.resource
    ids = {MADE: objects["made"], FACTOR: objects.get("factor"), PLAN: objects.get("plan"), JOB: objects.get("job")}
    return {
        "where": entry.where,
        "type": entry.type,
        "source": entry.source,
        "actor": actors.get(entry.by, user),
        "on_behalf_of": None if entry.on_behalf_of is None else {"id": objects[entry.on_behalf_of], "type": "user"},
        "resource": {"id": objects.get(name), "type": kind},
        "tenant_id": world.tenant_id if entry.where == "tenant" else CONTROL_TENANT_ID,
        "organization_id": None if entry.organization is None else objects[entry.organization],
        "ip_address": ADDRESS,
        "user_agent": AGENT,
        "result": entry.result,
        "reason": entry.reason,
        "changes": {field: tuple(values) for field, values in entry.changes.items()},
        "impersonated": entry.on_behalf_of is not None,
        "metadata": {field: ids.get(str(value), value) for field, value in entry.metadata.items()},
        "personal_data_erased": False,
    }
