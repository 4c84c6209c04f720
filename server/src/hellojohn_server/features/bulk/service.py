"""The rules of acts on many users: each one is judged as it would be alone, and the others go on."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET

from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.bulk.events import users_bulk_disabled
from hellojohn_server.features.bulk.schemas import BulkDisableBody, BulkDisabledBody, Refusal
from hellojohn_server.features.roles.service import RoleService
from hellojohn_server.features.users.schemas import User
from hellojohn_server.features.users.service import UserService, is_active_super_admin
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.ids import IdPrefix, is_id
from hellojohn_server.kit.principal import Context, Principal
from hellojohn_server.kit.scopes import Scope
from hellojohn_server.storage.database import Database, Transaction


class _Verdict(msgspec.Struct, frozen=True):
    allowed: list[User]
    refused: list[Refusal]


class BulkService:
    """Acts on many users of the caller's tenant."""

    def __init__(self, db: Database, clock: Clock, audit: AuditLog, *, roles: RoleService, users: UserService) -> None:
        self._db = db
        self._clock = clock
        self._audit = audit
        self._roles = roles
        self._users = users

    async def disable_users(self, context: Context, body: BulkDisableBody) -> BulkDisabledBody:
        """Disable users, all in one transaction: an entry for each one changed, and one for the call.

        What would be refused for a user alone is refused for that user only. With several super admins, the last active
        one in the order given stays.
        """

        async def command(tx: Transaction) -> BulkDisabledBody:
            return await self._disable(tx, context, body)

        return await self._db.write(context.tenant_id, command, BulkDisabledBody, idempotency=context.idempotency)

    async def _disable(self, tx: Transaction, context: Context, body: BulkDisableBody) -> BulkDisabledBody:
        now = self._clock.now_ms()
        asked = list(dict.fromkeys(body.user_ids))
        locked = await self._users.lock_users(tx, [user_id for user_id in asked if is_id(user_id, IdPrefix.USER)])
        await tx.slice()
        privileges = await self._roles.list_privileges(tx, {user.role for user in locked.values()})
        verdict = _judge(asked, locked, privileges, context.principal, now)
        done = await self._users.disable_locked(
            tx, context, verdict.allowed, revoke=body.revoke_sessions, reason=body.reason, now_ms=now
        )
        await tx.slice()
        not_found = [user_id for user_id in asked if user_id not in locked]
        unchanged = len(verdict.allowed) - len(done.disabled)
        sessions_revoked = sum(done.sessions_by_user.values())
        counts = {
            "requested": len(asked),
            "disabled": len(done.disabled),
            "sessions_revoked": sessions_revoked,
            "unchanged": unchanged,
            "not_found": len(not_found),
            "refused": len(verdict.refused),
        }
        await self._audit.record(tx, context, users_bulk_disabled(counts, body.reason))
        return BulkDisabledBody(
            disabled=len(done.disabled),
            sessions_revoked=sessions_revoked,
            unchanged=unchanged or UNSET,
            not_found=not_found or UNSET,
            refused=verdict.refused or UNSET,
        )


def _judge(
    asked: Sequence[str], locked: Mapping[str, User], privileges: Mapping[str, bool], principal: Principal, now_ms: int
) -> _Verdict:
    """Say of each user that was found whether disabling is allowed, as if one came after the other."""
    may_manage = principal.may(Scope.ADMINS_MANAGE)
    active = {user.id for user in locked.values() if is_active_super_admin(user, now_ms)}
    verdict = _Verdict([], [])
    for user in (locked[user_id] for user_id in asked if user_id in locked):
        if privileges.get(user.role, False) and not may_manage:
            verdict.refused.append(Refusal(user.id, ErrorCode.INSUFFICIENT_SCOPE))
        elif user.deleted_at is not None:
            verdict.refused.append(Refusal(user.id, ErrorCode.USER_DELETED))
        elif active == {user.id}:
            verdict.refused.append(Refusal(user.id, ErrorCode.LAST_SUPER_ADMIN))
        else:
            verdict.allowed.append(user)
            active.discard(user.id)
    return verdict
