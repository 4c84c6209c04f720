"""Every mutating operation under an Idempotency-Key: eight at once and again later, one effect and one answer."""

import asyncio
from typing import Any, Final

import httpx
import msgspec
import pytest

from hellojohn_server.kit.ids import CONTROL_TENANT_ID
from hellojohn_server.storage.database import Reader
from hellojohn_server.storage.sql import TENANT_TABLES, Statement
from tests.walk.account_acts import EVERY_ACT
from tests.walk.test_audit_walk import CHANGES_NOTHING, RECORDED, TABLE
from tests.walk.world import World, another_tenant, send

AT_ONCE: Final = 8
KEY: Final = "walk-1"
REFUSED: Final = {
    "accept_invitation",
    "join_organization",
    "begin_own_factor",
    "change_email",
    "change_password",
    "begin_passkey_sign_in",
    "confirm_own_factor",
    "create_import",
    "forgot_password",
    "generate_own_backup_codes",
    "get_passkey_options",
    "refresh_tokens",
    "remove_own_factor",
    "request_magic_link",
    "reset_password",
    "resume_import",
    "sign_in",
    "sign_in_with_passkey",
    "sign_up",
    "sign_up_invited",
    "verify_mfa",
    "verify_email",
    "verify_magic_link",
}
"""Their answers hold what must not be kept, or their bodies are too long to be compared."""
ENDS_ITSELF: Final = {"sign_out"}
"""Once done, its credential opens nothing: there is nothing to replay."""
KEPT: Final = TABLE.keys() - REFUSED - ENDS_ITSELF - RECORDED
"""What is done once under a key, however often it is asked for."""
COUNTS: Final = {
    table: Statement(f"SELECT count(*) AS found FROM {table} WHERE tenant_id = :tenant_id")
    for table in TENANT_TABLES
    - {"audit_denials", "idempotency_records", "user_counter_deltas", "user_counters", "user_sequence_runs"}
}
"""Of every table whose rows are effects. Counters are compared by what they say; the last is of one engine only."""
OTHERWISE: Final[dict[str, dict[str, Any]]] = {
    "add_member": {"reason": "another"},
    "ban_user": {"reason": "another"},
    "begin_user_factor": {"reason": "another"},
    "bulk_ban_users": {"reason": "another"},
    "bulk_delete_users": {"reason": "another"},
    "bulk_disable_users": {"reason": "another"},
    "bulk_enable_users": {"reason": "another"},
    "bulk_force_password_reset": {"reason": "another"},
    "bulk_restore_users": {"reason": "another"},
    "bulk_revoke_sessions": {"reason": "another"},
    "bulk_unban_users": {"reason": "another"},
    "confirm_user_factor": {"code": "another"},
    "create_api_key": {"name": "another"},
    "create_audit_log": {"action": "thing.else"},
    "create_organization": {"name": "another"},
    "create_plan": {"action": "delete"},
    "create_role": {"name": "another"},
    "create_tenant": {"name": "another"},
    "create_tenant_api_key": {"name": "another"},
    "create_user": {"name": "another"},
    "delete_user": {"reason": "another"},
    "disable_user": {"reason": "another"},
    "enable_user": {"reason": "another"},
    "force_password_reset": {"reason": "another"},
    "generate_user_backup_codes": {"reason": "another"},
    "impersonate_user": {"reason": "another"},
    "remove_member": {"reason": "another"},
    "remove_user_factor": {"reason": "another"},
    "resend_invitation": {"reason": "another"},
    "resend_verification": {"reason": "another"},
    "restore_user": {"reason": "another"},
    "revoke_api_key": {"reason": "another"},
    "revoke_every_session": {"reason": "another"},
    "revoke_session": {"reason": "another"},
    "revoke_user_sessions": {"reason": "another"},
    "rotate_api_key": {"reason": "another"},
    "set_user_password": {"reason": "another"},
    "start_job": {"accept_changes": True},
    "suspend_tenant": {"reason": "another"},
    "unban_user": {"reason": "another"},
    "undo_job": {"reason": "another"},
    "unlock_user": {"reason": "another"},
    "update_config": {"impersonation": {"enabled": False}},
    "update_me": {"name": "another"},
    "update_member": {"reason": "another"},
    "update_organization": {"name": "another"},
    "update_role": {"description": "another"},
    "update_tenant": {"name": "another"},
    "update_user": {"reason": "another"},
    "create_invitation": {"reason": "another"},
    "resend_organization_invitation": {"reason": "another"},
    "revoke_invitation": {"reason": "another"},
}
"""What makes the body of each operation that has one another body."""


async def count_entries(world: World) -> int:
    return sum([len(await world.entries(tenant_id)) for tenant_id in (world.tenant_id, CONTROL_TENANT_ID)])


async def rows_of(world: World) -> dict[str, int]:
    """Return how many rows each table of a tenant has, and what its figures are."""

    async def query(reader: Reader) -> dict[str, int]:
        rows = {table: await reader.fetch_one(COUNTS[table]) for table in COUNTS}
        return {table: int(row[0]) for table, row in rows.items() if row is not None}

    figures = (await world.send("GET", "/v1/admin/stats")).json()
    return await world.services.database.read(world.tenant_id, query) | figures


async def test_what_takes_a_key_is_tried_with_one(world: World) -> None:
    paths = (await world.client.get("/openapi.json")).json()["paths"]
    takes = {
        operation["operationId"]: {"$ref": "#/components/parameters/IdempotencyKey"} in operation.get("parameters", ())
        for item in paths.values()
        for method, operation in item.items()
        if method != "get"
    }
    assert {name for name, does in takes.items() if does} == KEPT | ENDS_ITSELF
    assert {name for name, does in takes.items() if not does} == REFUSED | CHANGES_NOTHING


@pytest.mark.parametrize("operation", sorted(KEPT))
async def test_one_effect_and_one_answer(world: World, operation: str) -> None:
    beside = await another_tenant(world, "Walk")
    call = await EVERY_ACT[operation](world)
    before = await count_entries(world)

    at_once = await asyncio.gather(*(send(world, call, **{"Idempotency-Key": KEY}) for _ in range(AT_ONCE)))
    later = [await send(world, call, **{"Idempotency-Key": KEY}) for _ in range(2)]

    answers = [*at_once, *later]
    assert {answer.status_code for answer in answers} == {TABLE[operation].status}, answers[0].text
    assert len({answer.content for answer in answers}) == 1
    assert len({(answer.headers.get("ETag"), answer.headers.get("Location")) for answer in answers}) == 1
    assert [answer.headers.get("Idempotency-Replayed") for answer in answers].count(None) == 1
    assert await count_entries(world) - before == len(TABLE[operation].entries)
    once = await send(beside, await EVERY_ACT[operation](beside))
    assert once.status_code == TABLE[operation].status, once.text
    assert await rows_of(world) == await rows_of(beside)


@pytest.mark.parametrize("operation", sorted(ENDS_ITSELF))
async def test_what_ends_its_own_credential_is_done_once(world: World, operation: str) -> None:
    call = await EVERY_ACT[operation](world)
    before = await count_entries(world)

    answers = await asyncio.gather(*(send(world, call, **{"Idempotency-Key": KEY}) for _ in range(AT_ONCE)))
    later = [await send(world, call, **{"Idempotency-Key": KEY}) for _ in range(2)]

    assert TABLE[operation].status in {answer.status_code for answer in answers}
    assert {answer.status_code for answer in answers} <= {TABLE[operation].status, httpx.codes.UNAUTHORIZED}
    assert {answer.status_code for answer in later} == {httpx.codes.UNAUTHORIZED}
    assert await count_entries(world) - before == len(TABLE[operation].entries)


@pytest.mark.parametrize("operation", sorted(REFUSED))
async def test_a_key_is_refused_where_nothing_is_kept(world: World, operation: str) -> None:
    call = await EVERY_ACT[operation](world)
    answer = await send(world, call, **{"Idempotency-Key": KEY})
    assert answer.json()["error"]["code"] == "idempotency_not_supported"


def test_every_operation_with_a_body_is_there() -> None:
    without_body = {
        "cancel_job",
        "delete_organization",
        "delete_role",
        "delete_tenant",
        "leave_organization",
        "resend_email",
        "resume_tenant",
        "revoke_own_session",
    }
    assert KEPT - OTHERWISE.keys() == without_body


@pytest.mark.parametrize("operation", sorted(OTHERWISE))
async def test_another_request_under_the_key_is_refused(world: World, operation: str) -> None:
    call = await EVERY_ACT[operation](world)
    first = await send(world, call, **{"Idempotency-Key": KEY})
    assert first.status_code == TABLE[operation].status
    before = await count_entries(world)

    changed = msgspec.structs.replace(call, body={**call.body, **OTHERWISE[operation]})
    other = await send(world, changed, **{"Idempotency-Key": KEY})

    assert other.status_code == httpx.codes.UNPROCESSABLE_ENTITY, other.text
    assert other.json()["error"]["code"] == "idempotency_key_reused"
    assert await count_entries(world) == before
