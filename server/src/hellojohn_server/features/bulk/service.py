"""Acts on many users: each one is judged as it would be alone, and the others go on."""

from collections.abc import Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import UNSET

from hellojohn_server.features.audit.events import Event
from hellojohn_server.features.bulk.events import call_on_users
from hellojohn_server.features.bulk.schemas import (
    BulkActBody,
    BulkBanBody,
    BulkBannedBody,
    BulkDeletedBody,
    BulkDisableBody,
    BulkDisabledBody,
    BulkEnabledBody,
    BulkForceResetBody,
    BulkResetsForcedBody,
    BulkRestoredBody,
    BulkSessionsRevokedBody,
    BulkUnbannedBody,
    LeftAlone,
    Refusal,
)
from hellojohn_server.features.password_reset.service import PasswordResetService
from hellojohn_server.features.user_access.service import ban_of
from hellojohn_server.features.user_acts.service import (
    Act,
    Delete,
    Disable,
    Enable,
    Outcome,
    Restore,
    RevokeSessions,
    Unban,
    UserActs,
)
from hellojohn_server.kit.audit_types import AuditType
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.principal import Context
from hellojohn_server.storage.database import Database, Transaction

T = TypeVar("T", bound=LeftAlone)


class _Form(msgspec.Struct, Generic[T], frozen=True):
    """How the call for an act is recorded and answered. `changed` is what users are called to whom it was done."""

    kind: AuditType
    changed: str | None
    answer: type[T]


_BANNED: Final = _Form(AuditType.USERS_BULK_BANNED, "banned", BulkBannedBody)
_DELETED: Final = _Form(AuditType.USERS_BULK_DELETED, "deleted", BulkDeletedBody)
_DISABLED: Final = _Form(AuditType.USERS_BULK_DISABLED, "disabled", BulkDisabledBody)
_ENABLED: Final = _Form(AuditType.USERS_BULK_ENABLED, "enabled", BulkEnabledBody)
_RESETS_FORCED: Final = _Form(AuditType.USERS_BULK_PASSWORD_RESET_FORCED, "emails_queued", BulkResetsForcedBody)
_RESTORED: Final = _Form(AuditType.USERS_BULK_RESTORED, "restored", BulkRestoredBody)
_SESSIONS_REVOKED: Final = _Form(AuditType.USERS_BULK_SESSIONS_REVOKED, None, BulkSessionsRevokedBody)
_UNBANNED: Final = _Form(AuditType.USERS_BULK_UNBANNED, "unbanned", BulkUnbannedBody)


class BulkService:
    """Acts on many users of the caller's tenant, all in one transaction: an entry for each one changed, and the call's.

    What would be refused for a user alone is refused for that user only. With several super admins, the last active one
    in the order given stays.
    """

    def __init__(self, db: Database, clock: Clock, acts: UserActs, resets: PasswordResetService) -> None:
        self._db = db
        self._clock = clock
        self._acts = acts
        self._resets = resets

    async def disable_users(self, context: Context, body: BulkDisableBody) -> BulkDisabledBody:
        """Disable users."""
        act = Disable(body.reason, revoke=body.revoke_sessions)
        return await self._perform(context, act, body.user_ids, _DISABLED)

    async def enable_users(self, context: Context, body: BulkActBody) -> BulkEnabledBody:
        """Enable users."""
        return await self._perform(context, Enable(body.reason), body.user_ids, _ENABLED)

    async def ban_users(self, context: Context, body: BulkBanBody) -> BulkBannedBody:
        """Ban users, or change the bans that hold. Invalid when the end is not in the future."""
        return await self._perform(context, ban_of(body, self._clock.now_ms()), body.user_ids, _BANNED)

    async def unban_users(self, context: Context, body: BulkActBody) -> BulkUnbannedBody:
        """Lift bans."""
        return await self._perform(context, Unban(body.reason), body.user_ids, _UNBANNED)

    async def delete_users(self, context: Context, body: BulkActBody) -> BulkDeletedBody:
        """Move users to the recycle bin."""
        return await self._perform(context, Delete(body.reason), body.user_ids, _DELETED)

    async def restore_users(self, context: Context, body: BulkActBody) -> BulkRestoredBody:
        """Take users out of the recycle bin."""
        return await self._perform(context, Restore(body.reason), body.user_ids, _RESTORED)

    async def revoke_sessions(self, context: Context, body: BulkActBody) -> BulkSessionsRevokedBody:
        """End every session of users."""
        return await self._perform(context, RevokeSessions(body.reason), body.user_ids, _SESSIONS_REVOKED)

    async def force_password_resets(self, context: Context, body: BulkForceResetBody) -> BulkResetsForcedBody:
        """Mail users links for other passwords. MailNotConfigured, with nothing changed."""
        act = await self._resets.forcing(context, body.user_ids, body)
        return await self._perform(context, act, body.user_ids, _RESETS_FORCED)

    async def _perform(self, context: Context, act: Act, user_ids: Sequence[str], form: _Form[T]) -> T:
        async def command(tx: Transaction) -> T:
            def summary(outcome: Outcome) -> Event:
                return call_on_users(form.kind, _counts_of(outcome, act, form))

            outcome = await self._acts.perform(tx, context, act, user_ids, summary)
            return form.answer(
                **_done(outcome, act, form),
                unchanged=outcome.unchanged or UNSET,
                not_found=list(outcome.not_found) or UNSET,
                refused=[Refusal(each.user_id, each.error.code) for each in outcome.refused] or UNSET,
            )

        return await self._db.write(context.tenant_id, command, form.answer, idempotency=context.idempotency)


def _done(outcome: Outcome, act: Act, form: _Form[Any]) -> dict[str, int]:
    done = {} if form.changed is None else {form.changed: len(outcome.changed)}
    is_said = act.ends is not None or form is _RESETS_FORCED
    return {**done, "sessions_revoked": outcome.revocation.sessions_revoked} if is_said else done


def _counts_of(outcome: Outcome, act: Act, form: _Form[Any]) -> dict[str, int]:
    return {
        "requested": outcome.asked,
        **_done(outcome, act, form),
        "unchanged": outcome.unchanged,
        "not_found": len(outcome.not_found),
        "refused": len(outcome.refused),
    }
