"""The flat list of everything that is served."""

from typing import Any, cast

import msgspec

from hellojohn_server.features.access_tokens.service import AccessTokenService
from hellojohn_server.features.account.routes import AccountRoutes
from hellojohn_server.features.account.service import AccountService
from hellojohn_server.features.action_tokens.service import ActionTokenService
from hellojohn_server.features.audit.routes import AuditRoutes
from hellojohn_server.features.audit.service import AuditLog, AuditReader, CustomEntries
from hellojohn_server.features.audit_export.routes import AuditExportRoutes
from hellojohn_server.features.audit_export.service import AuditExportService
from hellojohn_server.features.auth.routes import AuthRoutes
from hellojohn_server.features.auth.service import AuthService
from hellojohn_server.features.bulk.routes import BulkRoutes
from hellojohn_server.features.bulk.service import BulkService
from hellojohn_server.features.email_changes.routes import EmailChangeRoutes
from hellojohn_server.features.email_changes.service import EmailChangeService
from hellojohn_server.features.emails.routes import EmailRoutes
from hellojohn_server.features.emails.service import EmailService
from hellojohn_server.features.impersonation.routes import ImpersonationRoutes
from hellojohn_server.features.impersonation.service import ImpersonationService
from hellojohn_server.features.imports.routes import ImportRoutes
from hellojohn_server.features.imports.service import ImportService
from hellojohn_server.features.invitations.routes import InvitationRoutes
from hellojohn_server.features.invitations.service import InvitationService
from hellojohn_server.features.job_runs.service import JobRunner
from hellojohn_server.features.jobs.routes import JobRoutes
from hellojohn_server.features.jobs.service import JobService
from hellojohn_server.features.keys.routes import KeyRoutes
from hellojohn_server.features.keys.service import KeyService
from hellojohn_server.features.magic_links.routes import MagicLinkRoutes
from hellojohn_server.features.magic_links.service import MagicLinkService
from hellojohn_server.features.mailed_links.routes import MailedLinkRoutes
from hellojohn_server.features.mailed_links.service import MailedLinkService
from hellojohn_server.features.mfa.service import MfaService
from hellojohn_server.features.mfa_sign_in.routes import MfaSignInRoutes
from hellojohn_server.features.mfa_sign_in.service import MfaSignInService
from hellojohn_server.features.organizations.routes import OrganizationRoutes
from hellojohn_server.features.organizations.service import OrganizationService
from hellojohn_server.features.password_reset.routes import PasswordResetRoutes
from hellojohn_server.features.password_reset.service import PasswordResetService
from hellojohn_server.features.plans.routes import PlanRoutes
from hellojohn_server.features.plans.service import PlanService
from hellojohn_server.features.revocation_log.service import RevocationLog
from hellojohn_server.features.revocations.routes import RevocationRoutes
from hellojohn_server.features.revocations.service import RevocationFeed, RevocationService
from hellojohn_server.features.roles.routes import RoleRoutes
from hellojohn_server.features.roles.service import RoleCatalog
from hellojohn_server.features.search.routes import SearchRoutes
from hellojohn_server.features.search.service import UserSearch
from hellojohn_server.features.sessions.service import SessionService
from hellojohn_server.features.signing_keys.routes import SigningKeyRoutes
from hellojohn_server.features.signing_keys.service import SigningKeyService
from hellojohn_server.features.stats.routes import StatsRoutes
from hellojohn_server.features.stats.service import StatsService
from hellojohn_server.features.tenant_settings.routes import TenantSettingsRoutes
from hellojohn_server.features.tenant_settings.service import TenantSettingsService
from hellojohn_server.features.tenants.routes import TenantRoutes
from hellojohn_server.features.tenants.service import TenantService
from hellojohn_server.features.user_access.routes import UserAccessRoutes
from hellojohn_server.features.user_access.service import UserAccess
from hellojohn_server.features.user_acts.service import UserActs
from hellojohn_server.features.user_export.routes import UserExportRoutes
from hellojohn_server.features.user_export.service import UserExportService
from hellojohn_server.features.user_factors.routes import OwnFactorRoutes, UserFactorRoutes
from hellojohn_server.features.user_factors.service import FactorService, OwnFactorService, UserFactorService
from hellojohn_server.features.user_loading.service import UserLoading
from hellojohn_server.features.user_sessions.routes import UserSessionRoutes
from hellojohn_server.features.user_sessions.service import UserSessionService
from hellojohn_server.features.users.routes import UserRoutes
from hellojohn_server.features.users.service import UserService
from hellojohn_server.features.users_export.routes import UsersExportRoutes
from hellojohn_server.features.users_export.service import UsersExportService
from hellojohn_server.http.system import SystemRoutes
from hellojohn_server.kit.bell import Bell
from hellojohn_server.kit.clock import Clock
from hellojohn_server.kit.ids import IdFactory
from hellojohn_server.kit.mail import Mailbox
from hellojohn_server.kit.metrics import Metrics
from hellojohn_server.kit.rate_limits import RateLimiter
from hellojohn_server.kit.sightings import Sightings
from hellojohn_server.storage.database import Database


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """Every service of the app, made once by the composition root."""

    database: Database
    clock: Clock
    ids: IdFactory
    sightings: Sightings
    metrics: Metrics
    limiter: RateLimiter
    audit_log: AuditLog
    audit: AuditReader
    custom_entries: CustomEntries
    tenants: TenantService
    tenant_settings: TenantSettingsService
    action_tokens: ActionTokenService
    emails: EmailService
    bell: Bell
    mailbox: Mailbox | None
    signing_keys: SigningKeyService
    organizations: OrganizationService
    invitations: InvitationService
    role_catalog: RoleCatalog
    sessions: SessionService
    keys: KeyService
    users: UserService
    loading: UserLoading
    acts: UserActs
    access: UserAccess
    mfa: MfaService
    auth: AuthService
    access_tokens: AccessTokenService
    mfa_sign_in: MfaSignInService
    account: AccountService
    password_resets: PasswordResetService
    factors: FactorService
    email_changes: EmailChangeService
    mailed_links: MailedLinkService
    magic_links: MagicLinkService
    user_sessions: UserSessionService
    impersonation: ImpersonationService
    search: UserSearch
    bulk: BulkService
    plans: PlanService
    jobs: JobService
    job_runner: JobRunner
    job_bell: Bell
    imports: ImportService
    revocation_log: RevocationLog
    revocations: RevocationService
    revocation_feed: RevocationFeed
    exports: UserExportService
    users_export: UsersExportService
    audit_export: AuditExportService
    stats: StatsService


def routers(services: Services) -> list[object]:
    """Return the routes objects of every feature, in the order in which the document lists them."""
    return [
        SearchRoutes(services.search),
        UserRoutes(services.users),
        UserAccessRoutes(services.access),
        PasswordResetRoutes(services.password_resets),
        MailedLinkRoutes(services.mailed_links),
        MagicLinkRoutes(services.magic_links),
        ImpersonationRoutes(services.impersonation),
        BulkRoutes(services.bulk),
        PlanRoutes(services.plans),
        JobRoutes(services.jobs),
        ImportRoutes(services.imports),
        UserExportRoutes(services.exports),
        UsersExportRoutes(services.users_export),
        StatsRoutes(services.stats),
        UserSessionRoutes(services.user_sessions),
        RevocationRoutes(services.revocations, services.revocation_feed),
        OrganizationRoutes(services.organizations),
        InvitationRoutes(services.invitations),
        RoleRoutes(services.role_catalog),
        UserFactorRoutes(UserFactorService(services.factors)),
        AuditRoutes(services.audit, services.custom_entries),
        AuditExportRoutes(services.audit_export),
        KeyRoutes(services.keys),
        TenantSettingsRoutes(services.tenant_settings),
        EmailRoutes(services.emails),
        TenantRoutes(services.tenants),
        SigningKeyRoutes(services.signing_keys),
        AuthRoutes(services.auth),
        MfaSignInRoutes(services.mfa_sign_in),
        AccountRoutes(services.account),
        EmailChangeRoutes(services.email_changes),
        OwnFactorRoutes(OwnFactorService(services.factors)),
        SystemRoutes(services.database),
    ]


class _NoServices:
    """Stands for all services, and for each of them, where only declarations are read: none is ever called."""

    def __getattr__(self, name: str) -> Any:
        return self


def declared_routers() -> list[object]:
    """Return the routes objects of every feature, of which nothing can be called: they have their declarations only."""
    return routers(cast("Services", _NoServices()))
