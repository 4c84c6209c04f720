"""The calls of acts.py for acts on users' access, one user or many."""

from typing import Any, Final

from hellojohn_server.storage.database import Transaction
from hellojohn_server.storage.sql import Kind, Statement
from tests.walk.acts import Act, Call
from tests.walk.world import World

LOCK: Final = Statement(
    "UPDATE users SET locked_at = :now, locked_until = :until WHERE tenant_id = :tenant_id AND id = :user_id",
    kind=Kind.BOOKKEEPING,
)
END: Final = "2100-01-01T00:00:00.000Z"
END_MS: Final = 4_102_444_800_000


async def _user(world: World, name: str = "a") -> str:
    return str((await world.make("/v1/users", {"email": f"{name}@example.com"}))["id"])


async def _with_session(world: World, name: str = "a") -> str:
    body = {"email": f"{name}@example.com", "password": "correct horse battery"}
    return str((await world.make("/v1/auth/sign-up", body, key=world.publishable_key))["user"]["id"])


def _call(user: str, verb: str, **body: Any) -> Call:
    return Call(method="POST", path=f"/v1/users/{user}/{verb}", body=body, objects={"user": user})


async def ban_user(world: World) -> Call:
    return _call(await _user(world), "ban", reason="spam", expires_at=END)


async def unban_user(world: World) -> Call:
    user = await _user(world)
    await world.send("POST", f"/v1/users/{user}/ban", {"reason": "spam", "expires_at": END})
    return _call(user, "unban", reason="a mistake")


async def unlock_user(world: World) -> Call:
    user = await _user(world)

    async def lock(tx: Transaction) -> None:
        await tx.execute(LOCK, user_id=user, now=world.services.clock.now_ms(), until=END_MS)

    await world.services.database.write(world.tenant_id, lock, type(None))
    return _call(user, "unlock", reason="called us")


async def delete_user(world: World) -> Call:
    user = await _user(world)
    return Call(method="DELETE", path=f"/v1/users/{user}", body={"reason": "left"}, objects={"user": user})


async def restore_user(world: World) -> Call:
    user = await _user(world)
    await world.send("DELETE", f"/v1/users/{user}")
    return _call(user, "restore", reason="came back")


async def revoke_user_sessions(world: World) -> Call:
    user = await _with_session(world)
    path = f"/v1/users/{user}/sessions"
    return Call(method="DELETE", path=path, body={"reason": "a lost phone"}, objects={"user": user})


async def set_user_password(world: World) -> Call:
    user = await _user(world)
    body = {"password": "another long one", "reason": "called us"}
    return Call(method="PUT", path=f"/v1/users/{user}/password", body=body, objects={"user": user})


async def _bulk(world: World, verb: str, users: list[str], **body: Any) -> Call:
    """Return a call on users of whom it changes the first two, and does nothing to the third."""
    ids = [*users, users[0], "usr_unknown"]
    return Call(
        method="POST",
        path=f"/v1/admin/users/bulk-{verb}",
        body={"user_ids": ids, "reason": "a wave of spam", **body},
        objects={"user": users[0], "other": users[1]},
    )


async def _three(world: World) -> list[str]:
    return [await _user(world, name) for name in ("a", "b", "c")]


async def bulk_ban_users(world: World) -> Call:
    users = await _three(world)
    await world.send("POST", f"/v1/users/{users[2]}/ban", {"reason": "a wave of spam"})
    return await _bulk(world, "ban", users)


async def bulk_delete_users(world: World) -> Call:
    users = await _three(world)
    await world.send("DELETE", f"/v1/users/{users[2]}")
    return await _bulk(world, "delete", users)


async def bulk_enable_users(world: World) -> Call:
    users = await _three(world)
    for user in users[:2]:
        await world.send("POST", f"/v1/users/{user}/disable")
    return await _bulk(world, "enable", users)


async def bulk_restore_users(world: World) -> Call:
    users = await _three(world)
    for user in users[:2]:
        await world.send("DELETE", f"/v1/users/{user}")
    return await _bulk(world, "restore", users)


async def bulk_revoke_sessions(world: World) -> Call:
    users = [await _with_session(world, "a"), await _with_session(world, "b"), await _user(world, "c")]
    return await _bulk(world, "revoke-sessions", users)


async def bulk_unban_users(world: World) -> Call:
    users = await _three(world)
    for user in users[:2]:
        await world.send("POST", f"/v1/users/{user}/ban")
    return await _bulk(world, "unban", users)


async def force_password_reset(world: World) -> Call:
    return _call(await _with_session(world), "password-reset", revoke_sessions=True, reason="a leak")


async def bulk_force_password_reset(world: World) -> Call:
    users = [await _with_session(world, "a"), await _user(world, "b")]
    return await _bulk(world, "password-reset", users)


async def resend_verification(world: World) -> Call:
    return _call(await _user(world), "resend-verification", reason="asked for it")


async def resend_invitation(world: World) -> Call:
    made = await world.make("/v1/users", {"email": "a@example.com", "send_invitation": True})
    return _call(str(made["id"]), "resend-invitation", reason="asked for it")


BULK: Final = {
    "bulk_ban_users": "banned",
    "bulk_delete_users": "deleted",
    "bulk_disable_users": "disabled",
    "bulk_enable_users": "enabled",
    "bulk_force_password_reset": "emails_queued",
    "bulk_restore_users": "restored",
    "bulk_revoke_sessions": "sessions_revoked",
    "bulk_unban_users": "unbanned",
}
"""The bulk calls, and what each calls its count."""
ACCESS_ACTS: Final[dict[str, Act]] = {
    act.__name__: act
    for act in (
        ban_user,
        bulk_ban_users,
        bulk_delete_users,
        bulk_enable_users,
        bulk_force_password_reset,
        bulk_restore_users,
        bulk_revoke_sessions,
        bulk_unban_users,
        delete_user,
        force_password_reset,
        resend_invitation,
        resend_verification,
        restore_user,
        revoke_user_sessions,
        set_user_password,
        unban_user,
        unlock_user,
    )
}
