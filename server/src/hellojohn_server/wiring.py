"""Every service, made once over an open store: what each stands on, in the order in which they need each other."""

from typing import Any, Final

import msgspec

from hellojohn_server.config import Settings
from hellojohn_server.features.access_tokens.service import AccessTokenService
from hellojohn_server.features.account.service import AccountService
from hellojohn_server.features.action_tokens.service import ActionTokenService, LinkMailer
from hellojohn_server.features.audit.service import AuditLog, AuditReader, CustomEntries
from hellojohn_server.features.audit_export.service import AuditExportService
from hellojohn_server.features.auth.service import AuthService, AuthServices
from hellojohn_server.features.bulk.service import BulkService
from hellojohn_server.features.email_changes.service import EmailChangeService, EmailChangeServices
from hellojohn_server.features.emails.service import EmailService, MailParts
from hellojohn_server.features.impersonation.service import ImpersonationService, ImpersonationServices
from hellojohn_server.features.imports.service import ImportService
from hellojohn_server.features.invitations.service import InvitationService, InvitationServices
from hellojohn_server.features.job_runs.service import JobRunner
from hellojohn_server.features.jobs.service import JobService, JobServices
from hellojohn_server.features.keys.service import KeyService
from hellojohn_server.features.magic_links.service import MagicLinkService, MagicServices
from hellojohn_server.features.mailed_links.service import MailedLinkService
from hellojohn_server.features.mfa.service import MfaService
from hellojohn_server.features.mfa_sign_in.service import MfaSignInService
from hellojohn_server.features.organizations.service import OrganizationService
from hellojohn_server.features.password_policy.service import NewPasswords
from hellojohn_server.features.password_reset.service import PasswordResetService, ResetServices
from hellojohn_server.features.plans.service import PlanService, PlanServices
from hellojohn_server.features.revocation_log.service import RevocationLog
from hellojohn_server.features.revocations.service import RevocationFeed, RevocationService
from hellojohn_server.features.roles.service import RoleCatalog, RoleService
from hellojohn_server.features.search.service import UserSearch
from hellojohn_server.features.selections.service import SelectionService
from hellojohn_server.features.sessions.service import SessionService
from hellojohn_server.features.signing_keys.service import SigningKeyService
from hellojohn_server.features.stats.service import StatsService
from hellojohn_server.features.tenant_settings.service import TenantSettingsService
from hellojohn_server.features.tenants.service import TenantService
from hellojohn_server.features.user_access.service import UserAccess
from hellojohn_server.features.user_acts.service import UserActs
from hellojohn_server.features.user_export.service import ExportServices, UserExportService
from hellojohn_server.features.user_factors.service import FactorService, FactorServices
from hellojohn_server.features.user_loading.service import UserLoading
from hellojohn_server.features.user_sessions.service import UserSessionService
from hellojohn_server.features.users.service import UserService
from hellojohn_server.features.users_export.service import UsersExportService
from hellojohn_server.http.router import Services
from hellojohn_server.http.settings import HttpSettings, rates_of
from hellojohn_server.kit.bell import Bell
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.ids import IdFactory
from hellojohn_server.kit.mail import Mailbox, Transport
from hellojohn_server.kit.metrics import Metrics
from hellojohn_server.kit.pagination import CursorCodec
from hellojohn_server.kit.passwords import PasswordHasher
from hellojohn_server.kit.rate_limits import RateLimiter
from hellojohn_server.kit.secrets import AddressHasher, BackupCodeHasher, Purpose, Sealer, derive_key
from hellojohn_server.kit.sightings import Sightings
from hellojohn_server.storage.database import Database
from hellojohn_server.worker.mail_transport import sender_of

_DEV_HOSTS: Final = ("localhost", "127.0.0.1", "[::1]")


def _signing_keys(
    settings: Settings, acting: tuple[Database, IdFactory, Clock, AuditLog], revocations: RevocationLog
) -> SigningKeyService:
    sealer = Sealer(derived_key(settings, Purpose.SEALED_VALUES))
    issuer = http_settings(settings).public_url
    return SigningKeyService(*acting, revocations=revocations, sealer=sealer, issuer=issuer)


def _action_tokens(
    settings: Settings,
    acting: tuple[Database, IdFactory, Clock],
    tenant_settings: TenantSettingsService,
    addresses: AddressHasher,
) -> ActionTokenService:
    public_url = http_settings(settings).public_url
    return ActionTokenService(*acting, settings=tenant_settings, addresses=addresses, public_url=public_url)


class _Foundation(msgspec.Struct, frozen=True, kw_only=True):
    """What nearly every service stands on."""

    ids: IdFactory
    passwords: NewPasswords
    metrics: Metrics
    mail: MailParts
    cursors: CursorCodec
    sightings: Sightings
    addresses: AddressHasher
    audit_log: AuditLog
    audit: AuditReader
    keys: KeyService
    roles: RoleService
    role_catalog: RoleCatalog
    tenants: TenantService
    revocation_log: RevocationLog
    sessions: SessionService
    signing_keys: SigningKeyService
    tenant_settings: TenantSettingsService
    emails: EmailService
    access_tokens: AccessTokenService
    mfa: MfaService
    action_tokens: ActionTokenService
    mailer: LinkMailer
    limiter: RateLimiter


def _lay_foundation(  # noqa: PLR0913, PLR0917 - what build_services is given
    database: Database,
    settings: Settings,
    clock: Clock,
    ids: IdFactory,
    passwords: PasswordHasher,
    transport: Transport | None,
) -> _Foundation:
    metrics = Metrics(passwords)
    sealer = Sealer(derived_key(settings, Purpose.SEALED_VALUES))
    mail = MailParts(transport=transport, from_address=sender_of(settings), sealer=sealer, bell=Bell())
    cursors = CursorCodec(derived_key(settings, Purpose.CURSORS))
    backup_codes = BackupCodeHasher(derived_key(settings, Purpose.BACKUP_CODES))
    audit_log = AuditLog(ids, clock)
    acting = (database, ids, clock, audit_log)
    revocation_log = RevocationLog(database, Bell())
    tenants = TenantService(*acting, cursors, revocations=revocation_log)
    sessions = SessionService(database, cursors, revocation_log)
    sightings, roles = Sightings(), RoleService()
    signing_keys = _signing_keys(settings, acting, revocation_log)
    tenant_settings = TenantSettingsService(database, clock, audit_log)
    addresses = AddressHasher(derived_key(settings, Purpose.ADDRESSES))
    emails = EmailService(
        *acting,
        tenants=tenants,
        settings=tenant_settings,
        cursors=cursors,
        metrics=metrics,
        parts=mail,
        addresses=addresses,
    )
    action_tokens = _action_tokens(settings, (database, ids, clock), tenant_settings, addresses)
    return _Foundation(
        ids=ids,
        passwords=NewPasswords(database, settings=tenant_settings, tenants=tenants, hasher=passwords),
        metrics=metrics,
        mail=mail,
        cursors=cursors,
        sightings=sightings,
        addresses=addresses,
        audit_log=audit_log,
        audit=AuditReader(database, cursors),
        keys=KeyService(*acting, tenants=tenants, sessions=sessions, cursors=cursors, sightings=sightings),
        roles=roles,
        role_catalog=RoleCatalog(*acting, settings=tenant_settings, cursors=cursors),
        tenants=tenants,
        revocation_log=revocation_log,
        sessions=sessions,
        signing_keys=signing_keys,
        tenant_settings=tenant_settings,
        emails=emails,
        access_tokens=AccessTokenService(
            database, clock, tenants=tenants, signing_keys=signing_keys, sightings=sightings
        ),
        mfa=MfaService(database, clock, audit_log, tenant_settings, sealer=mail.sealer, backup_codes=backup_codes),
        action_tokens=action_tokens,
        mailer=LinkMailer(emails, action_tokens),
        limiter=RateLimiter(clock, rates_of(settings)),
    )


_People = tuple[UserService, OrganizationService, UserActs]


def _users(database: Database, clock: Clock, base: _Foundation) -> UserService:
    return UserService(
        database,
        base.ids,
        clock,
        base.audit_log,
        roles=base.roles,
        sessions=base.sessions,
        passwords=base.passwords,
        addresses=base.addresses,
        mailer=base.mailer,
    )


def _password_resets(  # noqa: PLR0913, PLR0917 - what it takes
    database: Database, settings: Settings, clock: Clock, base: _Foundation, users: UserService, acts: UserActs
) -> PasswordResetService:
    mail = (base.audit_log, base.emails, base.action_tokens)
    services = ResetServices(*mail, acts, users, base.sessions, base.passwords, base.addresses, base.limiter, base.mfa)
    return PasswordResetService(database, clock, services, floor_seconds=settings.sign_in_floor_ms / 1000)


def _email_changes(  # noqa: PLR0913, PLR0917 - what it takes
    database: Database, settings: Settings, clock: Clock, base: _Foundation, users: UserService, auth: AuthService
) -> EmailChangeService:
    mail = (base.audit_log, base.mailer, base.action_tokens, base.access_tokens)
    services = EmailChangeServices(*mail, auth, users, base.sessions, base.addresses, base.mail.sealer, base.limiter)
    return EmailChangeService(database, clock, services, floor_seconds=settings.sign_in_floor_ms / 1000)


def _mailed_links(
    database: Database, clock: Clock, base: _Foundation, people: _People, changes: EmailChangeService
) -> MailedLinkService:
    own = (database, clock, base.audit_log, base.mailer, base.action_tokens)
    return MailedLinkService(*own, acts=people[2], users=people[0], changes=changes)


def _magic_links(
    database: Database, settings: Settings, clock: Clock, base: _Foundation, auth: AuthService
) -> MagicLinkService:
    mail = (base.audit_log, base.tenant_settings, base.mailer, base.action_tokens)
    services = MagicServices(*mail, auth, base.mfa, base.sessions, base.limiter)
    return MagicLinkService(database, base.ids, clock, services, floor_seconds=settings.sign_in_floor_ms / 1000)


def _people(database: Database, clock: Clock, base: _Foundation) -> _People:
    ids, audit, roles, sessions, addresses = base.ids, base.audit_log, base.roles, base.sessions, base.addresses
    users = _users(database, clock, base)
    organizations = OrganizationService(
        database, ids, clock, audit, roles=roles, users=users, sessions=sessions, cursors=base.cursors
    )
    acts = UserActs(clock, audit, roles=roles, sessions=sessions, users=users, addresses=addresses)
    return users, organizations, acts


def _account(database: Database, clock: Clock, base: _Foundation, people: _People, auth: AuthService) -> AccountService:
    own = (database, clock, base.audit_log, base.access_tokens)
    users, organizations, _ = people
    return AccountService(
        *own, auth=auth, users=users, sessions=base.sessions, passwords=base.passwords, organizations=organizations
    )


def _exports(database: Database, clock: Clock, base: _Foundation, people: _People) -> UserExportService:
    facts = (base.audit_log, base.audit, base.emails, base.mfa, people[1], base.roles, base.sessions, people[0])
    return UserExportService(database, clock, ExportServices(*facts))


def _auth(database: Database, settings: Settings, clock: Clock, base: _Foundation, people: _People) -> AuthService:
    facts = (base.audit_log, base.tenant_settings, base.tenants, people[0], base.sessions, base.signing_keys)
    services = AuthServices(*facts, base.passwords, base.addresses, base.sightings, people[1], base.mfa, base.mailer)
    return AuthService(database, base.ids, clock, services, floor_seconds=settings.sign_in_floor_ms / 1000)


def _factors(
    database: Database, clock: Clock, base: _Foundation, users: UserService, auth: AuthService
) -> FactorService:
    facts = (base.audit_log, base.tenants, base.roles, base.sessions, users, base.mfa, auth, base.access_tokens)
    return FactorService(database, base.ids, clock, FactorServices(*facts, base.emails))


def _impersonation(database: Database, clock: Clock, base: _Foundation, users: UserService) -> ImpersonationService:
    facts = (base.audit_log, base.emails, base.keys, base.roles, base.sessions, base.tenant_settings)
    services = ImpersonationServices(*facts, base.signing_keys, users)
    return ImpersonationService(database, base.ids, clock, services)


def _invitations(
    database: Database, clock: Clock, base: _Foundation, people: _People, auth: AuthService
) -> InvitationService:
    facts = (base.audit_log, auth, base.emails, base.action_tokens, people[1], base.passwords, people[0])
    services = InvitationServices(*facts, base.cursors, base.mfa, base.tenant_settings, base.addresses)
    return InvitationService(database, base.ids, clock, services)


def _revocations(database: Database, settings: Settings, clock: Clock, base: _Foundation) -> dict[str, Any]:
    revocations = RevocationService(database, clock, base.cursors)
    feed = RevocationFeed(
        revocations, base.keys, base.revocation_log.bell, metrics=base.metrics, most=settings.revocation_streams
    )
    return {"revocations": revocations, "revocation_feed": feed}


class _Jobs(msgspec.Struct, frozen=True):
    """Finding users, plans and jobs: what is asked for, who works it off, and what wakes that."""

    search: UserSearch
    plans: PlanService
    jobs: JobService
    job_runner: JobRunner
    job_bell: Bell


def _jobs(
    database: Database,
    clock: Clock,
    base: _Foundation,
    acts: UserActs,
    resets: PasswordResetService,
) -> _Jobs:
    bell, search = Bell(), UserSearch(database, clock, base.cursors)
    selections = SelectionService(database, clock, roles=base.roles, search=search)
    facts = (base.audit_log, base.emails, base.roles, selections, base.mail.sealer, bell)
    plans = PlanService(database, base.ids, clock, PlanServices(*facts))
    below = (base.audit_log, acts, base.emails, base.keys, plans, resets, selections, base.tenants, base.cursors, bell)
    services = JobServices(*below)
    jobs, runner = JobService(database, base.ids, clock, services), JobRunner(database, base.ids, clock, services)
    return _Jobs(search, plans, jobs, runner, bell)


def _shared(base: _Foundation) -> dict[str, Any]:
    """Return those of the foundation's services that everybody else is given too, by name."""
    names = set(Services.__struct_fields__) & set(_Foundation.__struct_fields__)
    return {name: getattr(base, name) for name in names}


def _loading(clock: Clock, base: _Foundation) -> UserLoading:
    return UserLoading(clock, base.audit_log, roles=base.roles, addresses=base.addresses)


def _imports(database: Database, clock: Clock, base: _Foundation) -> ImportService:
    acting = (database, base.ids, clock, base.audit_log)
    return ImportService(*acting, roles=base.roles, loading=_loading(clock, base), cursors=base.cursors)


def build_services(  # noqa: PLR0913 - what it takes, each by name
    database: Database,
    settings: Settings,
    clock: Clock,
    *,
    ids: IdFactory | None = None,
    passwords: PasswordHasher | None = None,
    transport: Transport | None = None,
) -> Services:
    """Return every service over an open store, and make what is absent; without a `transport` no mail can be sent."""
    base = _lay_foundation(database, settings, clock, ids or IdFactory(clock), passwords or PasswordHasher(), transport)
    acting, tokens, roles, sessions = (database, clock, base.audit_log), base.access_tokens, base.roles, base.sessions
    users, organizations, acts = people = _people(database, clock, base)
    auth = _auth(database, settings, clock, base, people)
    resets = _password_resets(database, settings, clock, base, users, acts)
    changes = _email_changes(database, settings, clock, base, users, auth)
    return Services(
        **_shared(base),
        database=database,
        clock=clock,
        custom_entries=CustomEntries(database, base.audit_log, base.audit),
        bell=base.mail.bell,
        mailbox=transport if isinstance(transport, Mailbox) else None,
        organizations=organizations,
        invitations=_invitations(database, clock, base, people, auth),
        users=users,
        loading=_loading(clock, base),
        imports=_imports(database, clock, base),
        auth=auth,
        account=_account(database, clock, base, people, auth),
        mfa_sign_in=MfaSignInService(database, base.ids, auth=auth, mfa=base.mfa),
        factors=_factors(database, clock, base, users, auth),
        user_sessions=UserSessionService(*acting, access_tokens=tokens, roles=roles, sessions=sessions, users=users),
        impersonation=_impersonation(database, clock, base, users),
        acts=acts,
        access=UserAccess(database, clock, acts=acts, users=users, passwords=base.passwords),
        password_resets=resets,
        email_changes=changes,
        mailed_links=_mailed_links(database, clock, base, people, changes),
        magic_links=_magic_links(database, settings, clock, base, auth),
        bulk=BulkService(database, clock, acts, resets),
        **msgspec.structs.asdict(_jobs(database, clock, base, acts, resets)),
        exports=_exports(database, clock, base, people),
        users_export=UsersExportService(*acting, keys=base.keys, roles=roles),
        audit_export=AuditExportService(database, base.audit_log, base.audit, base.keys),
        **_revocations(database, settings, clock, base),
        stats=StatsService(database, clock, sessions=sessions, organizations=organizations),
    )


def http_settings(settings: Settings, *, dev: bool = False) -> HttpSettings:
    """Return what the HTTP door is told."""
    return HttpSettings(
        public_url=str(settings.public_url) if settings.public_url else f"http://{settings.host}:{settings.port}",
        trusted_proxies=settings.trusted_proxies,
        proxy_header=settings.proxy_header,
        dev_host_check=_DEV_HOSTS if dev else None,
        metrics_token=settings.metrics_token,
        max_upload_bytes=settings.max_upload_bytes,
        request_seconds=settings.request_seconds,
        concurrent_requests=settings.concurrent_requests,
    )


def derived_key(settings: Settings, purpose: Purpose) -> bytes:
    """Return the key for one purpose; RuntimeError when the settings hold no encryption key."""
    if settings.encryption_key is None:
        raise RuntimeError("the encryption key is missing: settings come from with_encryption_key")
    return derive_key(settings.encryption_key.value, purpose)
