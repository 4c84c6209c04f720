"""One call of every operation that the document names: what must exist before it, and the request itself."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from hellojohn_server.features.emails.schemas import Email
from hellojohn_server.kit.email_templates import EmailTemplate
from hellojohn_server.kit.mail import MailRefused
from hellojohn_server.storage.database import Transaction
from tests.walk.world import EVERY_SCOPE, World


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request. `objects` are the ids of what it is about, by the names that expectations use; `made` is its own.

    `credential` is what it is sent with, where that is no key of the world's that may do everything.
    """

    method: str
    path: str
    body: Any = None
    by_master: bool = False
    credential: str | None = None
    objects: dict[str, str] = {}


Act = Callable[[World], Awaitable[Call]]


async def _user(world: World, **fields: Any) -> str:
    made = await world.make("/v1/users", {"email": "a@example.com", **fields})
    return str(made["id"])


async def _tenant(world: World) -> str:
    return str((await world.make("/v1/tenants", {"name": "T"}, key=world.master_key))["id"])


async def create_user(_: World) -> Call:
    body = {"email": "New@example.com", "name": "New", "role": "admin", "public_metadata": {"plan": "pro"}}
    return Call(method="POST", path="/v1/users", body=body)


async def list_users(_: World) -> Call:
    return Call(method="GET", path="/v1/users?limit=2")


async def search_users(_: World) -> Call:
    return Call(method="POST", path="/v1/admin/users/search", body={"query": "a"})


async def get_user(world: World) -> Call:
    user = await _user(world)
    return Call(method="GET", path=f"/v1/users/{user}", objects={"user": user})


async def get_user_access(world: World) -> Call:
    user = await _user(world)
    return Call(method="GET", path=f"/v1/users/{user}/access", objects={"user": user})


async def get_stats(world: World) -> Call:
    await _user(world)
    return Call(method="GET", path="/v1/admin/stats")


async def export_user(world: World) -> Call:
    user = await _user(world)
    return Call(method="GET", path=f"/v1/admin/users/{user}/export", objects={"user": user})


async def export_audit_logs(world: World) -> Call:
    await _user(world)
    return Call(method="GET", path="/v1/audit-logs/export?type=user.created&ip_address=192.0.2.1")


async def export_users(world: World) -> Call:
    await _user(world)
    return Call(method="GET", path="/v1/admin/users/export?role=member&email_verified=false")


async def update_user(world: World) -> Call:
    user = await _user(world, name="A", private_metadata={"old": 1})
    body = {
        "name": "B",
        "email": "b@example.com",
        "private_metadata": {"old": None, "new": [2]},
        "disabled": True,
        "reason": "asked to",
    }
    return Call(method="PATCH", path=f"/v1/users/{user}", body=body, objects={"user": user})


async def disable_user(world: World) -> Call:
    user = await _user(world)
    return Call(method="POST", path=f"/v1/users/{user}/disable", body={"reason": "spam"}, objects={"user": user})


async def enable_user(world: World) -> Call:
    user = await _user(world)
    await world.send("POST", f"/v1/users/{user}/disable")
    body = {"reason": "a mistake"}
    return Call(method="POST", path=f"/v1/users/{user}/enable", body=body, objects={"user": user})


async def bulk_disable_users(world: World) -> Call:
    users = [await _user(world, email=f"{name}@example.com") for name in ("a", "b", "c")]
    await world.send("POST", f"/v1/users/{users[2]}/disable")
    body = {"user_ids": [*users, users[0], "usr_unknown"], "reason": "a wave of spam"}
    return Call(
        method="POST", path="/v1/admin/users/bulk-disable", body=body, objects={"user": users[0], "other": users[1]}
    )


async def impersonate_user(world: World) -> Call:
    user = await _user(world)
    await world.send("GET", "/.well-known/jwks.json")  # has the keys that tokens are signed with read
    body = {"user_id": user, "reason": "ticket 8842", "read_only": True}
    return Call(method="POST", path="/v1/admin/users/impersonate", body=body, objects={"user": user})


async def list_audit_logs(_: World) -> Call:
    return Call(method="GET", path="/v1/audit-logs?type=user.*")


async def get_audit_log(world: World) -> Call:
    entry = await world.make("/v1/audit-logs", {"action": "thing.done"})
    return Call(method="GET", path=f"/v1/audit-logs/{entry['id']}", objects={"entry": entry["id"]})


async def create_audit_log(world: World) -> Call:
    user = await _user(world)
    body = {"action": "user.suspended", "actor": "admin", "resource_id": user, "metadata": {"reason": "late"}}
    return Call(method="POST", path="/v1/audit-logs", body=body, objects={"user": user})


async def list_api_keys(_: World) -> Call:
    return Call(method="GET", path="/v1/api-keys")


async def get_api_key(world: World) -> Call:
    return Call(method="GET", path=f"/v1/api-keys/{world.secret_key_id}", objects={"key": world.secret_key_id})


async def get_current_api_key(_: World) -> Call:
    return Call(method="GET", path="/v1/api-keys/current")


async def create_api_key(_: World) -> Call:
    body = {"name": "reader", "type": "secret", "scopes": ["users:read", "audit:read"]}
    return Call(method="POST", path="/v1/api-keys", body=body)


async def rotate_api_key(world: World) -> Call:
    key = (await world.make("/v1/api-keys", {"name": "worker", "scopes": ["users:read"]}))["id"]
    path = f"/v1/api-keys/{key}/rotate"
    return Call(method="POST", path=path, body={"overlap": "1h", "reason": "quarterly"}, objects={"key": key})


async def revoke_api_key(world: World) -> Call:
    key = (await world.make("/v1/api-keys", {"name": "leaked", "type": "publishable"}))["id"]
    return Call(method="DELETE", path=f"/v1/api-keys/{key}", body={"reason": "leaked"}, objects={"key": key})


async def create_tenant_api_key(world: World) -> Call:
    body = {"name": "first", "type": "secret", "scopes": list(EVERY_SCOPE)}
    return Call(method="POST", path=f"/v1/tenants/{world.tenant_id}/api-keys", body=body, by_master=True)


async def get_config(_: World) -> Call:
    return Call(method="GET", path="/v1/admin/config")


async def update_config(world: World) -> Call:
    body = {"impersonation": {"max_duration": "2h", "enabled": False}}
    return Call(method="PATCH", path="/v1/admin/config", body=body, objects={"tenant": world.tenant_id})


async def _email(world: World) -> str:
    """Return a mail that was refused for good."""
    email = Email(EmailTemplate.EMAIL_CHANGED, "a@example.com", "usr_1")

    async def command(tx: Transaction) -> str:
        return await world.services.emails.queue(tx, email)

    email_id = await world.services.database.write(world.tenant_id, command, str)
    mailbox = world.services.mailbox
    assert mailbox is not None
    mailbox.failure = MailRefused("recipient_refused 550")
    await world.services.emails.deliver(world.tenant_id)
    mailbox.failure = None
    return email_id


async def list_emails(_: World) -> Call:
    return Call(method="GET", path="/v1/admin/emails?limit=2")


async def get_email(world: World) -> Call:
    email = await _email(world)
    return Call(method="GET", path=f"/v1/admin/emails/{email}", objects={"email": email})


async def resend_email(world: World) -> Call:
    email = await _email(world)
    return Call(method="POST", path=f"/v1/admin/emails/{email}/resend", objects={"email": email})


async def list_tenants(_: World) -> Call:
    return Call(method="GET", path="/v1/tenants", by_master=True)


async def get_tenant(world: World) -> Call:
    return Call(method="GET", path=f"/v1/tenants/{world.tenant_id}", by_master=True)


async def create_tenant(_: World) -> Call:
    return Call(method="POST", path="/v1/tenants", body={"name": "T", "environment": "test"}, by_master=True)


async def update_tenant(world: World) -> Call:
    tenant = await _tenant(world)
    path = f"/v1/tenants/{tenant}"
    return Call(method="PATCH", path=path, body={"name": "U"}, by_master=True, objects={"tenant": tenant})


async def suspend_tenant(world: World) -> Call:
    tenant = await _tenant(world)
    path = f"/v1/tenants/{tenant}/suspend"
    return Call(method="POST", path=path, body={"reason": "unpaid"}, by_master=True, objects={"tenant": tenant})


async def resume_tenant(world: World) -> Call:
    tenant = await _tenant(world)
    path = f"/v1/tenants/{tenant}"
    await world.send("POST", f"{path}/suspend", {"reason": "unpaid"}, key=world.master_key)
    return Call(method="POST", path=f"{path}/resume", by_master=True, objects={"tenant": tenant})


async def delete_tenant(world: World) -> Call:
    tenant = await _tenant(world)
    path = f"/v1/tenants/{tenant}?confirm={tenant}"
    return Call(method="DELETE", path=path, by_master=True, objects={"tenant": tenant})


async def get_key_set(_: World) -> Call:
    return Call(method="GET", path="/.well-known/jwks.json")


async def check_health(_: World) -> Call:
    return Call(method="GET", path="/health")


async def check_readiness(_: World) -> Call:
    return Call(method="GET", path="/ready")


ACTS: Final[dict[str, Act]] = {
    act.__name__: act
    for act in (
        bulk_disable_users,
        check_health,
        check_readiness,
        create_api_key,
        create_audit_log,
        create_tenant,
        create_tenant_api_key,
        create_user,
        delete_tenant,
        disable_user,
        enable_user,
        get_api_key,
        get_audit_log,
        get_current_api_key,
        get_config,
        get_email,
        get_key_set,
        get_tenant,
        get_user,
        get_user_access,
        export_audit_logs,
        export_user,
        export_users,
        get_stats,
        impersonate_user,
        list_api_keys,
        list_audit_logs,
        list_emails,
        list_tenants,
        list_users,
        resend_email,
        resume_tenant,
        revoke_api_key,
        rotate_api_key,
        search_users,
        suspend_tenant,
        update_config,
        update_tenant,
        update_user,
    )
}
