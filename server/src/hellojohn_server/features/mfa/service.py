"""The rules of second factors: which codes are right, that each is good once, and how many may be wrong."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

from hellojohn_server.features.audit.service import AuditLog
from hellojohn_server.features.mfa import repository
from hellojohn_server.features.mfa.errors import (
    InvalidMfaCode,
    InvalidPasskey,
    MfaChallengeInvalid,
    TooManyMfaAttempts,
    WebauthnNotConfigured,
)
from hellojohn_server.features.mfa.events import passkey_refused, user_mfa_challenged, user_mfa_failed
from hellojohn_server.features.mfa.schemas import (
    CHALLENGE_MS,
    FAILURES,
    PASSKEY_CHALLENGE_MS,
    Challenge,
    CodeMatch,
    Factor,
    FactorRef,
    FactorType,
    FirstStep,
    is_alive,
    refs_of,
)
from hellojohn_server.features.tenant_settings.schemas import must_enroll
from hellojohn_server.features.tenant_settings.service import TenantSettingsService
from hellojohn_server.features.users.schemas import User
from hellojohn_server.features.users.service import change_counters
from hellojohn_server.kit.backup_codes import normalize_code
from hellojohn_server.kit.challenges import (
    end_of_passkey_challenge,
    hash_challenge,
    make_passkey_challenge,
    mark_of,
)
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.day_counters import DayCounter, day_facet
from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.passkeys import Passkey, RelyingParty, challenge_of, request_options, verified_assertion
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.secrets import BackupCodeHasher, Sealer
from hellojohn_server.kit.totp import DIGITS, matching_step
from hellojohn_server.storage.database import Database, Exempt, Reader, Transaction

T = TypeVar("T")

_PLACE: Final = ("mfa_factors", "secret")
_AT_A_TIME: Final = 100


class CodeSpent(Exception):
    """A code that was right has been used meanwhile: the command that was to use it is undone."""


class MfaService:
    """Second factors of users of one tenant at a time. Knows users by id; operations on factors are in user_factors."""

    def __init__(  # noqa: PLR0913 - what it takes, each by name
        self,
        db: Database,
        clock: Clock,
        audit: AuditLog,
        settings: TenantSettingsService,
        *,
        sealer: Sealer,
        backup_codes: BackupCodeHasher,
    ) -> None:
        self._db = db
        self._clock = clock
        self._audit = audit
        self._settings = settings
        self._sealer = sealer
        self._backup_codes = backup_codes

    async def must_enroll(self, reader: Reader, role: str, *, enrolled: bool) -> bool:
        """Say whether a user of this role lacks the second factor that the tenant asks for."""
        return not enrolled and must_enroll((await self._settings.get_settings(reader)).mfa, role, enrolled=False)

    def seal_secret(self, tenant_id: str, factor_id: str, secret: str) -> bytes:
        """Return a factor's secret as it is stored: sealed, and bound to its row."""
        return self._sealer.seal(secret.encode(), tenant_id, _PLACE[0], factor_id, _PLACE[1])

    def hash_backup_code(self, tenant_id: str, user_id: str, code: str) -> str:
        """Return a backup code as it is stored."""
        return self._backup_codes.hash(tenant_id, user_id, normalize_code(code))

    def matching_step(self, tenant_id: str, factor: Factor, code: str) -> int | None:
        """Return the time step of a factor that a code is of; None when it is of none, or the factor makes no codes."""
        if factor.type is not FactorType.TOTP or factor.secret is None:
            return None
        return matching_step(self.open_secret(tenant_id, factor), normalize_code(code), self._clock.now_ms())

    async def list_factors(self, reader: Reader, user_id: str) -> list[Factor]:
        """Return a user's factors, the oldest first; those whose time to be confirmed is over are not among them."""
        now = self._clock.now_ms()
        return [one for one in await repository.list_factors(reader, user_id) if is_alive(one, now)]

    async def with_match(
        self, context: Context, user_id: str, match: CodeMatch | None, write: Callable[[CodeMatch], Awaitable[T]]
    ) -> T:
        """Run `write` with what a code or passkey was found to be; its command must spend it.

        InvalidMfaCode for None and for what was used before, which is counted in a write of its own; TooManyMfaAttempts
        after too many of them.
        """
        if match is not None:
            try:
                return await write(match)
            except CodeSpent:
                pass
        await self.count_failure(context, user_id)
        raise InvalidMfaCode

    async def spend_code(self, tx: Transaction, match: CodeMatch) -> None:
        """Use up a code, and hold the user's row. Of any number at once with one code one may: CodeSpent.

        TooManyMfaAttempts when too many were wrong by now; else those are forgotten.
        """
        now = self._clock.now_ms()
        await repository.get_user_locked(tx, match.user_id)
        await self.require_attempt(tx, match.user_id)
        if match.sign_count is not None:
            is_good = await repository.consume_count(tx, match.user_id, match.factor_id or "", match.sign_count, now)
        elif match.backup_hash is not None:
            is_good = await repository.consume_backup_code(tx, match.user_id, match.backup_hash)
        else:
            is_good = await repository.consume_step(tx, match.user_id, match.factor_id or "", match.step or 0, now)
        if not is_good:
            raise CodeSpent
        await repository.delete_failures(tx, match.user_id)

    async def require_attempt(self, tx: Transaction, user_id: str) -> None:
        """Raise TooManyMfaAttempts while too many codes of a user were wrong. The caller holds the user's row."""
        now = self._clock.now_ms()
        failures, until = await repository.get_failures(tx, user_id)
        if failures >= FAILURES and until > now:
            raise _too_many(until, now)

    async def count_failure(self, context: Context, user_id: str) -> None:
        """Count a wrong code, in a write of its own; TooManyMfaAttempts when there were too many before it."""

        async def command(tx: Transaction) -> int:
            now = self._clock.now_ms()
            if await repository.get_user_locked(tx, user_id) is None:
                return 0
            counted = await repository.update_failures(tx, user_id, now)
            if counted is None:
                return (await repository.get_failures(tx, user_id))[1]
            tx.mark_due((await repository.get_failures(tx, user_id))[1])
            await self._audit.record(tx, context, user_mfa_failed(user_id, InvalidMfaCode.code))
            return 0

        until = await self._db.write(context.tenant_id, command, int)
        if until:
            raise _too_many(until, self._clock.now_ms())

    async def record_refusal(self, context: Context, user_id: str, code: ErrorCode) -> None:
        """Record that the second step was refused although the code was right, unless the user is gone."""

        async def command(tx: Transaction) -> None:
            if await repository.get_user_locked(tx, user_id) is not None:
                await self._audit.record(tx, context, user_mfa_failed(user_id, code))

        await self._db.write(context.tenant_id, command, type(None))

    async def begin_challenge(
        self, tx: Transaction, context: Context, first: FirstStep, challenge: str
    ) -> list[FactorRef]:
        """Let a sign-in wait for its second step, and return what it may be finished with.

        The caller holds the user's row.
        """
        end = self._clock.now_ms() + CHALLENGE_MS
        mark = mark_of(first.password_hash)
        stored = Challenge(hash_challenge(challenge), first.user_id, first.generation, mark, end, first.amr)
        await repository.insert_challenge(tx, stored)
        await self._audit.record(tx, context, user_mfa_challenged(first.user_id))
        tx.mark_due(end)
        return refs_of(await repository.list_factors(tx, first.user_id))

    async def require_challenge(self, tenant_id: str, challenge: str) -> Challenge:
        """Return a challenge that waits for its second step; MfaChallengeInvalid."""

        async def query(reader: Reader) -> Challenge | None:
            return await repository.get_challenge(reader, hash_challenge(challenge), self._clock.now_ms())

        found = await self._db.read(tenant_id, query)
        if found is None:
            raise MfaChallengeInvalid
        return found

    async def require_waiting(self, tx: Transaction, challenge: Challenge) -> None:
        """Raise MfaChallengeInvalid unless a challenge still waits; whoever uses it comes after `tx`.

        From here on the user's row is held.
        """
        await repository.get_user_locked(tx, challenge.user_id)
        if await repository.get_challenge(tx, challenge.challenge_hash, self._clock.now_ms()) is None:
            raise MfaChallengeInvalid

    async def consume_challenge(self, tx: Transaction, challenge: Challenge) -> None:
        """Use up a challenge. Of any number at once one may: MfaChallengeInvalid."""
        if not await repository.consume_challenge(tx, challenge.challenge_hash, self._clock.now_ms()):
            raise MfaChallengeInvalid

    async def purge(self, tenant_id: str, now_ms: int) -> None:
        """Delete challenges and counts that are over, and factors that were never confirmed."""

        async def first_due(reader: Reader) -> int | None:
            return await repository.get_next_end(reader, now_ms)

        async def delete_some(tx: Transaction) -> int:
            return await repository.delete_ended(tx, now_ms, _AT_A_TIME)

        if await self._db.read(tenant_id, first_due) is None:
            return
        while await self._db.write(tenant_id, delete_some, int, exempt=Exempt.HOUSEKEEPING) == _AT_A_TIME:
            pass

    async def get_next_purge(self, reader: Reader) -> int | None:
        """Return when there is next something to delete, or None."""
        return await repository.get_next_end(reader)

    async def require_party(self, tenant_id: str, name: str = "") -> RelyingParty:
        """Return whose passkeys the tenant's are; WebauthnNotConfigured."""
        settings = (await self._db.read(tenant_id, self._settings.get_settings)).mfa.webauthn
        if settings.rp_id is None or not settings.origins:
            raise WebauthnNotConfigured
        return RelyingParty(settings.rp_id, name, settings.origins)

    def open_secret(self, tenant_id: str, factor: Factor) -> str:
        """Return a factor's secret; "" when it has none."""
        if factor.secret is None:
            return ""
        return self._sealer.open(factor.secret, tenant_id, _PLACE[0], factor.id, _PLACE[1]).decode()

    async def passkey_options(self, tenant_id: str, user_id: str, challenge: str) -> dict[str, Any]:
        """Return what a browser needs to have one of the user's passkeys used. WebauthnNotConfigured."""
        party = await self.require_party(tenant_id)
        known = [one.credential_id for one in await self._passkeys_of(tenant_id, user_id) if one.credential_id]
        return request_options(party, challenge_of(challenge), known)

    async def match_passkey(
        self, tenant_id: str, user_id: str, challenge: str, credential: Mapping[str, Any], *, verified: bool = False
    ) -> CodeMatch | None:
        """Return which passkey of the user was used for a challenge; None when none was. WebauthnNotConfigured.

        With `verified` the authenticator must have looked who it was.
        """
        party = await self.require_party(tenant_id)
        for factor in await self._passkeys_of(tenant_id, user_id):
            if factor.credential_id == credential.get("id") and factor.public_key is not None:
                passkey = Passkey(factor.credential_id or "", factor.public_key, factor.sign_count or 0)
                used = verified_assertion(party, challenge_of(challenge), credential, passkey, verified=verified)
                if used is not None:
                    return CodeMatch(user_id, factor.id, sign_count=used.sign_count, amr=used.amr)
        return None

    async def any_passkey_options(self, tenant_id: str) -> tuple[str, dict[str, Any], int]:
        """Return a challenge, what a browser needs to have any passkey used that it keeps for the tenant, and the end.

        WebauthnNotConfigured. Nothing is stored before the challenge is used.
        """
        party = await self.require_party(tenant_id)
        end = self._clock.now_ms() + PASSKEY_CHALLENGE_MS
        challenge = make_passkey_challenge(self._sealer, tenant_id, end)
        return challenge, request_options(party, challenge_of(challenge), (), verified=True), end

    def is_good_passkey_challenge(self, tenant_id: str, challenge: str) -> bool:
        """Say whether a challenge was made for the tenant and has not ended. Whether it was used shows when it is."""
        end = end_of_passkey_challenge(self._sealer, tenant_id, challenge)
        return end is not None and end > self._clock.now_ms()

    async def spend_passkey_challenge(self, tx: Transaction, user_id: str, challenge: str) -> None:
        """Use up a challenge, and hold the user's row. Of any number at once one may: InvalidPasskey."""
        await repository.get_user_locked(tx, user_id)
        end = end_of_passkey_challenge(self._sealer, tx.tenant_id, challenge)
        if end is None or end <= self._clock.now_ms():
            raise InvalidPasskey
        if not await repository.consume_passkey_challenge(tx, hash_challenge(challenge), end):
            raise InvalidPasskey
        tx.mark_due(end)

    async def record_passkey_refusal(self, context: Context, user_id: str, code: ErrorCode) -> None:
        """Record that a user's passkey did not sign the user in, unless the user is gone."""

        async def command(tx: Transaction) -> None:
            if await repository.get_user_locked(tx, user_id) is not None:
                await change_counters(tx, {day_facet(DayCounter.SIGN_IN_FAILED, self._clock.now_ms()): 1})
                await self._audit.record(tx, context, passkey_refused(user_id, code))

        await self._db.write(context.tenant_id, command, type(None))

    async def knows_passkey(self, tenant_id: str, user_id: str, credential: Mapping[str, Any]) -> bool:
        """Say whether a credential names one of the user's passkeys."""
        known = [one.credential_id for one in await self._passkeys_of(tenant_id, user_id)]
        return credential.get("id") in known

    async def forget_passkeys(self, tx: Transaction, user: User) -> tuple[User, int]:
        """Delete the passkeys of a held user, and return the user as of then, and how many there were.

        For when an address is proved for the first time: who enrolled them had proved nothing, and each signs in alone.
        """
        gone = await repository.delete_passkeys(tx, user.id)
        after = await repository.update_unenrolled(tx, user.id) if gone else None
        return after or user, gone

    async def _passkeys_of(self, tenant_id: str, user_id: str) -> list[Factor]:
        async def query(reader: Reader) -> list[Factor]:
            return await repository.list_factors(reader, user_id)

        found = await self._db.read(tenant_id, query)
        return [one for one in found if one.type is FactorType.WEBAUTHN and one.confirmed_at is not None]

    async def match_code(
        self, tenant_id: str, user_id: str, code: str, factor_id: str | None = None
    ) -> CodeMatch | None:
        """Return what a code is of; with `factor_id` of this factor only, and no backup code.

        Whether a backup code is one shows when it is spent.
        """
        given = normalize_code(code)
        if len(given) != DIGITS:
            hashed = self._backup_codes.hash(tenant_id, user_id, given)
            return CodeMatch(user_id, backup_hash=hashed) if factor_id is None else None

        async def query(reader: Reader) -> list[Factor]:
            return await repository.list_factors(reader, user_id)

        for factor in await self._db.read(tenant_id, query):
            if factor.confirmed_at is not None and factor_id in {None, factor.id}:
                step = self.matching_step(tenant_id, factor, given)
                if step is not None:
                    return CodeMatch(user_id, factor.id, step)
        return None


def _too_many(until: int, now_ms: int) -> TooManyMfaAttempts:
    refusal = TooManyMfaAttempts()
    refusal.retry_after = max(1, -(-(until - now_ms) // 1000))
    return refusal
