"""Every operation by everyone: no credential, the wrong kind, each single scope, another tenant."""

from typing import Any, Final

import httpx
import pytest

from hellojohn_server.kit.scopes import Scope
from tests.walk.access_acts import BULK
from tests.walk.account_acts import BY_ACCESS_TOKEN, BY_PUBLISHABLE_KEY, EVERY_ACT, access_token
from tests.walk.test_audit_walk import TABLE
from tests.walk.world import EVERY_SCOPE, World, send

MASTER: Final = {
    "create_tenant",
    "create_tenant_api_key",
    "delete_tenant",
    "get_tenant",
    "list_tenants",
    "resume_tenant",
    "suspend_tenant",
    "update_tenant",
}
PUBLIC: Final = {"check_health", "check_readiness", "get_key_set"}
ANY_SCOPE: Final = {"get_current_api_key"}
"""Open to every secret key, whatever its scopes."""
NEEDS: Final[dict[str, set[str]]] = {
    "add_member": {"organizations:write"},
    "ban_user": {"users:write"},
    "begin_user_factor": {"users:credentials"},
    "bulk_ban_users": {"users:write"},
    "bulk_delete_users": {"users:write"},
    "bulk_disable_users": {"users:write"},
    "bulk_enable_users": {"users:write"},
    "bulk_force_password_reset": {"users:write"},
    "bulk_restore_users": {"users:write"},
    "bulk_revoke_sessions": {"sessions:write"},
    "bulk_unban_users": {"users:write"},
    "cancel_job": {"jobs:write", "users:write"},
    "confirm_user_factor": {"users:credentials"},
    "create_api_key": {"keys:write", "users:read", "audit:read"},
    "create_audit_log": {"audit:write"},
    "create_organization": {"organizations:write"},
    "create_plan": {"jobs:write", "users:write"},
    "create_role": {"roles:write", "admins:manage"},
    "create_user": {"users:write", "admins:manage"},
    "delete_organization": {"organizations:write"},
    "delete_role": {"roles:write"},
    "delete_user": {"users:write"},
    "disable_user": {"users:write"},
    "enable_user": {"users:write"},
    "export_audit_logs": {"audit:read"},
    "export_user": {"users:export"},
    "export_users": {"users:export"},
    "force_password_reset": {"users:write"},
    "generate_user_backup_codes": {"users:credentials"},
    "get_api_key": {"keys:read"},
    "get_audit_log": {"audit:read"},
    "get_config": {"config:read"},
    "get_job": {"jobs:read"},
    "get_organization": {"organizations:read"},
    "get_plan": {"jobs:read"},
    "get_role": {"roles:read"},
    "get_email": {"audit:read"},
    "get_session": {"sessions:read"},
    "create_import": {"users:write"},
    "get_import": {"users:read"},
    "get_import_report": {"users:read"},
    "list_imports": {"users:read"},
    "resume_import": {"users:write"},
    "get_user": {"users:read"},
    "get_user_access": {"users:read"},
    "get_stats": {"users:read"},
    "impersonate_user": {"users:impersonate"},
    "list_api_keys": {"keys:read"},
    "list_audit_logs": {"audit:read"},
    "list_jobs": {"jobs:read"},
    "list_members": {"organizations:read"},
    "list_organizations": {"organizations:read"},
    "list_revocations": {"revocations:read"},
    "list_roles": {"roles:read"},
    "list_emails": {"audit:read"},
    "list_sessions": {"sessions:read"},
    "list_user_organizations": {"users:read"},
    "list_user_sessions": {"sessions:read"},
    "list_users": {"users:read"},
    "report_job": {"jobs:read"},
    "resend_email": {"users:write"},
    "remove_member": {"organizations:write"},
    "list_user_factors": {"mfa:read"},
    "remove_user_factor": {"mfa:write"},
    "resend_invitation": {"users:write"},
    "resend_verification": {"users:write"},
    "restore_user": {"users:write"},
    "revoke_api_key": {"keys:write"},
    "revoke_every_session": {"sessions:write", "admins:manage"},
    "revoke_session": {"sessions:write"},
    "revoke_user_sessions": {"sessions:write"},
    "rotate_api_key": {"keys:write", "users:read"},
    "search_users": {"users:read"},
    "set_user_password": {"users:credentials"},
    "start_job": {"jobs:write", "users:write", "admins:manage"},
    "unban_user": {"users:write"},
    "undo_job": {"jobs:write", "users:write"},
    "unlock_user": {"users:write"},
    "update_config": {"config:write", "admins:manage"},
    "update_member": {"organizations:write"},
    "update_organization": {"organizations:write"},
    "update_role": {"roles:write"},
    "update_user": {"users:write", "users:credentials"},
    "verify_token": {"sessions:read"},
    "create_invitation": {"organizations:write"},
    "list_invitations": {"organizations:read"},
    "resend_organization_invitation": {"organizations:write"},
    "revoke_invitation": {"organizations:write"},
}
"""What the call in acts.py needs: its base scope and the conditional ones of what it does."""
NAMES_ANOTHERS_OBJECT: Final = {
    "add_member",
    "ban_user",
    "begin_user_factor",
    "cancel_job",
    "confirm_user_factor",
    "delete_organization",
    "delete_role",
    "delete_user",
    "disable_user",
    "enable_user",
    "export_user",
    "force_password_reset",
    "generate_user_backup_codes",
    "get_api_key",
    "get_audit_log",
    "get_email",
    "get_job",
    "get_import",
    "get_import_report",
    "get_organization",
    "get_plan",
    "get_role",
    "get_session",
    "get_user",
    "get_user_access",
    "impersonate_user",
    "list_members",
    "list_user_factors",
    "list_user_organizations",
    "list_user_sessions",
    "remove_member",
    "remove_user_factor",
    "report_job",
    "resend_email",
    "resend_invitation",
    "resend_verification",
    "restore_user",
    "resume_import",
    "revoke_api_key",
    "revoke_session",
    "revoke_user_sessions",
    "rotate_api_key",
    "set_user_password",
    "start_job",
    "unban_user",
    "undo_job",
    "unlock_user",
    "update_member",
    "update_organization",
    "update_role",
    "update_user",
    "create_invitation",
    "list_invitations",
    "revoke_invitation",
    "resend_organization_invitation",
}


def error_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def make_key(world: World, *scopes: str, tenant_id: str | None = None, kind: str = "secret") -> str:
    body: dict[str, Any] = {"name": "some", "type": kind}
    if kind == "secret":
        body["scopes"] = scopes
    made = await world.make(f"/v1/tenants/{tenant_id or world.tenant_id}/api-keys", body, key=world.master_key)
    return str(made["key"])


def kind_of(operation: str) -> str:
    """Return the kind of credential that an operation takes."""
    if operation in BY_ACCESS_TOKEN:
        return "access token"
    if operation in BY_PUBLISHABLE_KEY:
        return "publishable key"
    return "master key" if operation in MASTER else "secret key"


def test_the_table_names_every_operation() -> None:
    named = MASTER | PUBLIC | ANY_SCOPE | NEEDS.keys() | BY_PUBLISHABLE_KEY.keys() | BY_ACCESS_TOKEN.keys()
    assert EVERY_ACT.keys() == named


@pytest.mark.parametrize("operation", sorted(EVERY_ACT.keys() - PUBLIC))
async def test_the_wrong_credential_is_refused(world: World, operation: str) -> None:
    call = await EVERY_ACT[operation](world)
    kinds = {
        "access token": await access_token(world),
        "master key": world.master_key,
        "publishable key": world.publishable_key,
        "secret key": world.secret_key,
    }
    del kinds[kind_of(operation)]
    altered = f"{world.secret_key[:-1]}{'A' if world.secret_key[-1] != 'A' else 'B'}"
    entries = len(await world.entries(world.tenant_id))

    bare = await world.client.request(call.method, call.path, json=call.body)

    assert error_of(bare) == (401, "missing_token")
    assert bare.headers["WWW-Authenticate"].startswith("Bearer")
    assert error_of(await send(world, call, key=altered)) == (401, "invalid_api_key")
    assert error_of(await send(world, call, key="eyJhbGciOiJFZERTQSJ9.e30.x")) == (401, "invalid_token")
    for wrong in kinds.values():
        assert error_of(await send(world, call, key=wrong)) == (403, "credential_not_allowed")
    gained = (await world.entries(world.tenant_id))[entries:]
    assert {(entry.type, entry.result) for entry in gained} == {("operation.denied", "denied")}


@pytest.mark.parametrize("operation", sorted(NEEDS))
async def test_each_single_scope_opens_exactly_what_it_is_for(world: World, operation: str) -> None:
    needed = NEEDS[operation]
    call = await EVERY_ACT[operation](world)
    for scope in Scope:
        if {scope.value} == needed:
            continue
        answer = await send(world, call, key=await make_key(world, scope.value))
        assert error_of(answer) == (403, "insufficient_scope"), (scope, answer.text)
        named = {detail["message"] for detail in answer.json()["error"]["details"]}
        assert named <= {f"Needs the scope {missing}." for missing in needed - {scope.value}}, (scope, named)
        assert named

    allowed = await send(world, call, key=await make_key(world, *needed))

    assert allowed.is_success, allowed.text


@pytest.mark.parametrize("operation", sorted(ANY_SCOPE))
async def test_what_needs_no_scope_is_open_to_each(world: World, operation: str) -> None:
    call = await EVERY_ACT[operation](world)
    for scope in Scope:
        assert (await send(world, call, key=await make_key(world, scope.value))).is_success, scope


@pytest.mark.parametrize("operation", sorted(NEEDS.keys() | ANY_SCOPE))
async def test_another_tenant_finds_nothing(world: World, operation: str) -> None:
    other = str((await world.make("/v1/tenants", {"name": "Other"}, key=world.master_key))["id"])
    others_key = await make_key(world, *EVERY_SCOPE, tenant_id=other)
    call = await EVERY_ACT[operation](world)

    mismatch = await send(world, call, key=others_key, **{"X-Tenant-ID": world.tenant_id})
    answer = await send(world, call, key=others_key)

    assert error_of(mismatch) == (403, "tenant_mismatch")
    if operation in NAMES_ANOTHERS_OBJECT:
        assert answer.status_code == httpx.codes.NOT_FOUND, answer.text
    elif operation in BULK:
        assert answer.json()[BULK[operation]] == 0
        assert set(answer.json()["not_found"]) == set(call.body["user_ids"])
    elif operation in {
        "list_emails",
        "list_imports",
        "list_jobs",
        "list_organizations",
        "list_revocations",
        "list_sessions",
        "list_users",
        "search_users",
    }:
        assert answer.json()["data"] == []
    elif operation == "verify_token":
        assert answer.json() == {"valid": False, "reason": "invalid_token"}
    elif operation == "revoke_every_session":
        assert error_of(answer) == (422, "validation_failed")
    else:
        assert answer.is_success
    own = await send(world, call, **{"X-Tenant-ID": world.tenant_id})
    assert own.status_code == (TABLE[operation].status if operation in TABLE else httpx.codes.OK), own.text
