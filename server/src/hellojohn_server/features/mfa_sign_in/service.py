"""The rules of the second step of a sign-in: what the first has proved must still be so when the second is taken."""

from typing import Any

from hellojohn_server.features.auth.errors import ShutOut
from hellojohn_server.features.auth.schemas import Entry, SignedInBody
from hellojohn_server.features.auth.service import AuthService
from hellojohn_server.features.mfa.errors import InvalidPasskey, MfaChallengeInvalid
from hellojohn_server.features.mfa.schemas import Challenge, CodeMatch
from hellojohn_server.features.mfa.service import CodeSpent, MfaService
from hellojohn_server.features.mfa_sign_in.schemas import (
    PasskeyOptionsBody,
    PasskeySignInBody,
    RequestOptionsBody,
    SignInWithPasskeyBody,
    VerifyMfaBody,
)
from hellojohn_server.features.sessions.schemas import Session
from hellojohn_server.features.users.schemas import User
from hellojohn_server.kit.errors import Invalid
from hellojohn_server.kit.ids import IdFactory, IdPrefix, is_id
from hellojohn_server.kit.passkeys import user_of
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.refresh_tokens import make_refresh_token
from hellojohn_server.kit.routing import faults_together
from hellojohn_server.kit.times import format_time
from hellojohn_server.storage.database import Database, Reader, Transaction


class MfaSignInService:
    """Sign-ins of users who have a second factor."""

    def __init__(self, db: Database, ids: IdFactory, *, auth: AuthService, mfa: MfaService) -> None:
        self._db = db
        self._ids = ids
        self._auth = auth
        self._mfa = mfa

    async def verify(self, context: Context, body: VerifyMfaBody) -> SignedInBody:
        """Finish a sign-in with a code. Of any number at once with one challenge, and with one code, one succeeds.

        MfaChallengeInvalid, also when password, access or factors of the user changed since; InvalidMfaCode, which
        counts and leaves the challenge; TooManyMfaAttempts; AccountBanned, AccountDisabled, AccountLocked,
        PasswordResetRequired.
        """
        faults = faults_together(body)
        if faults:
            raise Invalid(details=faults)
        challenge = await self._mfa.require_challenge(context.tenant_id, body.challenge_id)
        refresh = make_refresh_token(self._ids.new(IdPrefix.SESSION))

        async def find(reader: Reader) -> User | None:
            return await self._auth.get_unchanged(reader, _entry_of(challenge, None))

        if await self._db.read(context.tenant_id, find) is None:  # no code of it counts as a wrong one
            raise MfaChallengeInvalid

        async def write(match: CodeMatch) -> tuple[User, Session]:
            entry = _entry_of(challenge, match)

            async def command(tx: Transaction) -> tuple[User, Session]:
                await self._mfa.require_waiting(tx, challenge)
                user = await self._auth.get_unchanged(tx, entry)
                if user is None:
                    raise MfaChallengeInvalid
                await self._mfa.spend_code(tx, match)
                await self._mfa.consume_challenge(tx, challenge)
                return user, await self._auth.enter(tx, context, user, entry, refresh)

            return await self._db.write(context.tenant_id, command, tuple[User, Session])

        try:
            match = await self._match(context.tenant_id, challenge.user_id, body)
            if match is None:  # what the other of two at once has just used is no wrong answer
                await self._mfa.require_challenge(context.tenant_id, body.challenge_id)
            user, session = await self._mfa.with_match(context, challenge.user_id, match, write)
        except ShutOut as refusal:
            await self._mfa.record_refusal(context, challenge.user_id, refusal.code)
            raise
        return await self._auth.signed_in(context.tenant_id, user, session, refresh)

    async def passkey_options(self, context: Context, body: PasskeyOptionsBody) -> RequestOptionsBody:
        """Return what a browser needs to use a passkey now. MfaChallengeInvalid; WebauthnNotConfigured."""
        challenge = await self._mfa.require_challenge(context.tenant_id, body.challenge_id)
        options = await self._mfa.passkey_options(context.tenant_id, challenge.user_id, body.challenge_id)
        return RequestOptionsBody(options)

    async def begin_passkey_sign_in(self, context: Context) -> PasskeySignInBody:
        """Return what a browser needs to sign somebody in with a passkey alone. WebauthnNotConfigured."""
        challenge, options, end = await self._mfa.any_passkey_options(context.tenant_id)
        return PasskeySignInBody(challenge, options, format_time(end))

    async def sign_in_with_passkey(self, context: Context, body: SignInWithPasskeyBody) -> SignedInBody:
        """Sign in with a passkey alone. Of any number at once with one challenge one succeeds.

        InvalidPasskey, alike for one that is of nobody, a wrong answer, and a challenge that was used or is over;
        AccountBanned, AccountDisabled, AccountLocked, PasswordResetRequired, and TooManyMfaAttempts, only after a right
        answer; they use nothing up. WebauthnNotConfigured.
        """
        match = await self._match_known(context, body)
        entry = Entry(match.user_id, (*match.amr, "mfa"), metadata={"factor_id": match.factor_id})
        refresh = make_refresh_token(self._ids.new(IdPrefix.SESSION))

        async def command(tx: Transaction) -> tuple[User, Session]:
            await self._mfa.spend_passkey_challenge(tx, match.user_id, body.challenge_id)
            user = await self._auth.get_unchanged(tx, entry)
            if user is None:
                raise InvalidPasskey
            await self._mfa.spend_code(tx, match)
            return user, await self._auth.enter(tx, context, user, entry, refresh)

        try:
            user, session = await self._db.write(context.tenant_id, command, tuple[User, Session])
        except ShutOut as refusal:
            await self._mfa.record_passkey_refusal(context, match.user_id, refusal.code)
            raise
        except CodeSpent as copied:
            await self._mfa.record_passkey_refusal(context, match.user_id, InvalidPasskey.code)
            raise InvalidPasskey from copied
        return await self._auth.signed_in(context.tenant_id, user, session, refresh)

    async def _match_known(self, context: Context, body: SignInWithPasskeyBody) -> CodeMatch:
        """Return the passkey that answered; InvalidPasskey, which is recorded when it is one that somebody has."""
        tenant_id, user_id = context.tenant_id, user_of(body.credential)
        if (
            user_id is None
            or not is_id(user_id, IdPrefix.USER)
            or not self._mfa.is_good_passkey_challenge(tenant_id, body.challenge_id)
        ):
            await self._mfa.require_party(tenant_id)
            raise InvalidPasskey
        match = await self._mfa.match_passkey(tenant_id, user_id, body.challenge_id, body.credential, verified=True)
        if match is not None:
            return match
        if await self._mfa.knows_passkey(tenant_id, user_id, body.credential):
            await self._mfa.record_passkey_refusal(context, user_id, InvalidPasskey.code)
        raise InvalidPasskey

    async def _match(self, tenant_id: str, user_id: str, body: VerifyMfaBody) -> CodeMatch | None:
        if body.credential is not None:
            return await self._mfa.match_passkey(tenant_id, user_id, body.challenge_id, body.credential)
        return await self._mfa.match_code(tenant_id, user_id, body.code or "", body.factor_id)


def _entry_of(challenge: Challenge, match: CodeMatch | None) -> Entry:
    used: dict[str, Any] = {}
    if match is not None:
        used = {"backup_code": True} if match.factor_id is None else {"factor_id": match.factor_id}
    amr = (challenge.first_step, *(() if match is None else match.amr), "mfa")
    return Entry(challenge.user_id, amr, challenge.generation, challenge.password_mark, used)
