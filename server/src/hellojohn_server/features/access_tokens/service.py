"""The rules of access tokens: whom one stands for, read from the store each time."""

from hellojohn_server.features.access_tokens import repository
from hellojohn_server.features.auth.errors import SessionRevoked, TokenExpired, TokenStale
from hellojohn_server.features.auth.schemas import principal_of, standing_refusal_of
from hellojohn_server.features.sessions.schemas import Session
from hellojohn_server.features.signing_keys.service import SigningKeyService
from hellojohn_server.features.tenant_settings.schemas import mfa_settings_in, must_enroll
from hellojohn_server.features.tenants.errors import TenantNotFound
from hellojohn_server.features.tenants.service import TenantService
from hellojohn_server.features.users.schemas import User
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.errors import InvalidToken, MfaEnrollmentRequired
from hellojohn_server.kit.principal import Principal
from hellojohn_server.kit.sightings import SightingKind, Sightings
from hellojohn_server.kit.tokens import AccessClaims, InvalidAccessToken
from hellojohn_server.storage.database import Database, Reader, Transaction
from hellojohn_server.storage.errors import TenantStoreNotFound


class AccessTokenService:
    """Access tokens of every tenant."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        *,
        tenants: TenantService,
        signing_keys: SigningKeyService,
        sightings: Sightings,
    ) -> None:
        self._db = db
        self._clock = clock
        self._tenants = tenants
        self._signing_keys = signing_keys
        self._sightings = sightings

    async def authenticate(self, token: str) -> Principal:
        """Return whom an access token stands for; in an impersonation that is the credential behind it.

        Tenant, session and user are read from the store each time (two indexed reads). InvalidToken, TokenExpired,
        TokenStale, SessionRevoked, SessionExpired; AccountDisabled, AccountBanned; TenantSuspended.
        """
        claims = await self._claims_of(token)
        try:
            await self._tenants.require_open(claims.tenant_id)
            session, user, lacks_factor = await self._require_standing(claims)
        except (TenantNotFound, TenantStoreNotFound) as missing:
            raise InvalidToken from missing
        if not session.is_impersonation:  # somebody in the user's place says nothing of the user
            now = self._clock.now_ms()
            self._sightings.note(SightingKind.USER, claims.tenant_id, user.id, user.last_active_at, now)
        return principal_of(session, user, claims.tenant_id, must_enroll=lacks_factor)

    async def verify(self, tenant_id: str, token: str) -> tuple[Session, User]:
        """Return the session and the user of an access token of this tenant; raises as authenticate.

        MfaEnrollmentRequired for a token that only enrols.
        """
        claims = await self._claims_of(token)
        if claims.tenant_id != tenant_id:
            raise InvalidToken
        session, user, lacks_factor = await self._require_standing(claims)
        if lacks_factor:
            raise MfaEnrollmentRequired
        return session, user

    async def _require_standing(self, claims: AccessClaims) -> tuple[Session, User, bool]:
        """Return the session and user of claims that we signed, if both stand, and whether the user must enrol."""

        async def query(reader: Reader) -> tuple[Session, User, str | None] | None:
            return await repository.get_session_and_user(reader, claims.sid)

        found = await self._db.read(claims.tenant_id, query)
        if found is None or found[1].id != claims.sub:
            raise InvalidToken
        session, user, settings = found
        refusal = standing_refusal_of(session, user, self._clock.now_ms())
        if refusal is not None:
            raise refusal
        if claims.gen < user.generation or not _is_in_place(claims, session):
            raise TokenStale
        is_own = not session.is_impersonation
        return session, user, is_own and must_enroll(mfa_settings_in(settings), user.role, enrolled=user.mfa_enrolled)

    async def require_session_stands(self, tx: Transaction, session_id: str) -> None:
        """Raise unless the session and its user still stand, for a command that began with work of its own.

        The caller holds the user's row, so that whoever stops the user's access comes before this or after the command.
        """
        found = await repository.get_session_and_user(tx, session_id)
        refusal = SessionRevoked() if found is None else standing_refusal_of(*found[:2], self._clock.now_ms())
        if refusal is not None:
            raise refusal

    async def _claims_of(self, token: str) -> AccessClaims:
        try:
            claims = await self._signing_keys.verify(token)
        except InvalidAccessToken as error:
            raise InvalidToken from error
        if claims.exp * 1000 <= self._clock.now_ms():
            raise TokenExpired
        return claims


def _is_in_place(claims: AccessClaims, session: Session) -> bool:
    """Say whether what a token says of an organization is so still; one that names none says nothing."""
    named = (claims.org_id, claims.org_role)
    return claims.org_id is None or named == (session.organization_id, session.organization_role)
