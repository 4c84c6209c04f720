"""`hj users`, `hj mfa`, `hj sessions` and the acts of `hj bulk`: the commands on users and their sessions."""

from typing import Final

from hellojohn_server.cli.remote.commands import Command, Group, Handler
from hellojohn_server.cli.remote.impersonating import impersonate
from hellojohn_server.features.bulk.routes import BulkRoutes
from hellojohn_server.features.impersonation.routes import ImpersonationRoutes
from hellojohn_server.features.mailed_links.routes import MailedLinkRoutes
from hellojohn_server.features.organizations.routes import OrganizationRoutes
from hellojohn_server.features.password_reset.routes import PasswordResetRoutes
from hellojohn_server.features.search.routes import SearchRoutes
from hellojohn_server.features.user_access.routes import UserAccessRoutes
from hellojohn_server.features.user_export.routes import UserExportRoutes
from hellojohn_server.features.user_factors.routes import UserFactorRoutes
from hellojohn_server.features.user_sessions.routes import UserSessionRoutes
from hellojohn_server.features.users.routes import UserRoutes

USER_COLUMNS: Final = ("id", "email", "name", "role", "status", "last_active_at")
SESSION_COLUMNS: Final = ("id", "user_id", "status", "created_at", "expires_at", "ip_address")
FACTOR_COLUMNS: Final = ("id", "type", "name", "created_at", "last_used_at")
_WHO: Final = "{email} ({id})"

USERS: Final = Group(
    commands=(
        Command(words="users list", handler=SearchRoutes.list_users, method="users.list", columns=USER_COLUMNS),
        Command(
            words="users search",
            handler=SearchRoutes.search_users,
            method="users.search",
            arguments=("query",),
            flags={"sort.field": "--order-by", "sort.direction": "--direction"},
            columns=USER_COLUMNS,
        ),
        Command(words="users get", handler=UserRoutes.get_user, method="users.get"),
        Command(words="users create", handler=UserRoutes.create_user, method="users.create", arguments=("email",)),
        Command(
            words="users update",
            handler=UserRoutes.update_user,
            method="users.update",
            subject="users.get",
            asks={"disabled": f"Disable {_WHO} and end their {{sessions}}?"},
        ),
        Command(words="users access", handler=UserRoutes.get_user_access, method="users.access"),
        Command(
            words="users disable",
            handler=UserAccessRoutes.disable_user,
            method="users.disable",
            subject="users.get",
            ask=f"Disable {_WHO} and end their {{sessions}}?",
        ),
        Command(words="users enable", handler=UserAccessRoutes.enable_user, method="users.enable"),
        Command(
            words="users ban",
            handler=UserAccessRoutes.ban_user,
            method="users.ban",
            subject="users.get",
            ask=f"Ban {_WHO} and end their {{sessions}}?",
        ),
        Command(words="users unban", handler=UserAccessRoutes.unban_user, method="users.unban"),
        Command(words="users unlock", handler=UserAccessRoutes.unlock_user, method="users.unlock"),
        Command(
            words="users delete",
            handler=UserAccessRoutes.delete_user,
            method="users.delete",
            subject="users.get",
            ask=f"Move {_WHO} to the recycle bin and end their {{sessions}}?",
            asks={"permanent": f"Erase {_WHO} for good, with everything held about the person?"},
        ),
        Command(words="users restore", handler=UserAccessRoutes.restore_user, method="users.restore"),
        Command(
            words="users sessions",
            handler=UserSessionRoutes.list_user_sessions,
            method="users.sessions",
            columns=SESSION_COLUMNS,
        ),
        Command(
            words="users end-sessions",
            handler=UserAccessRoutes.revoke_user_sessions,
            method="sessions.revoke_all",
            subject="users.get",
            ask=f"End the {{sessions}} of {_WHO}?",
        ),
        Command(
            words="users set-password",
            handler=UserAccessRoutes.set_user_password,
            method="users.set_password",
            required=("password",),
            subject="users.get",
            ask=f"Set the password of {_WHO}, who is told by mail?",
        ),
        Command(
            words="users reset-password",
            handler=PasswordResetRoutes.force_password_reset,
            method="users.password_reset",
            subject="users.get",
            ask=f"Mail {_WHO} a link to choose another password?",
        ),
        Command(
            words="users resend-verification",
            handler=MailedLinkRoutes.resend_verification,
            method="users.resend_verification",
        ),
        Command(
            words="users resend-invitation",
            handler=MailedLinkRoutes.resend_invitation,
            method="users.resend_invitation",
        ),
        Command(
            words="users impersonate",
            handler=ImpersonationRoutes.impersonate_user,
            method="admin.impersonate",
            arguments=("user_id",),
            performer=impersonate,
        ),
        Command(
            words="users mfa",
            handler=UserFactorRoutes.list_user_factors,
            method="mfa.list",
            columns=FACTOR_COLUMNS,
        ),
        Command(
            words="users organizations",
            handler=OrganizationRoutes.list_user_organizations,
            method="users.organizations",
            columns=("id", "name", "slug", "role"),
        ),
        Command(words="users export-data", handler=UserExportRoutes.export_user, method="users.export", is_file=True),
    )
)

MFA: Final = Group(
    commands=(
        Command(
            words="mfa list", handler=UserFactorRoutes.list_user_factors, method="mfa.list", columns=FACTOR_COLUMNS
        ),
        Command(words="mfa enroll", handler=UserFactorRoutes.begin_user_factor, method="mfa.enroll"),
        Command(
            words="mfa confirm",
            handler=UserFactorRoutes.confirm_user_factor,
            method="mfa.confirm",
            arguments=("code",),
        ),
        Command(
            words="mfa remove",
            handler=UserFactorRoutes.remove_user_factor,
            method="mfa.remove",
            subject="users.get",
            ask=f"Remove the second factor {{factor_id}} of {_WHO}, who is told by mail?",
        ),
        Command(
            words="mfa backup-codes",
            handler=UserFactorRoutes.generate_user_backup_codes,
            method="mfa.generate_backup_codes",
            subject="users.get",
            ask=f"Make new backup codes for {_WHO}? The ones of now are good no more.",
        ),
    )
)

SESSIONS: Final = Group(
    commands=(
        Command(
            words="sessions list",
            handler=UserSessionRoutes.list_sessions,
            method="sessions.list",
            columns=SESSION_COLUMNS,
        ),
        Command(words="sessions get", handler=UserSessionRoutes.get_session, method="sessions.get"),
        Command(
            words="sessions revoke",
            handler=UserSessionRoutes.revoke_session,
            method="sessions.revoke",
            subject="sessions.get",
            ask="End the session {id} of the user {user_id}?",
        ),
        Command(
            words="sessions revoke-all",
            handler=UserAccessRoutes.revoke_user_sessions,
            method="sessions.revoke_all",
            subject="users.get",
            ask=f"End the {{sessions}} of {_WHO}?",
        ),
        Command(
            words="sessions revoke-every",
            handler=UserSessionRoutes.revoke_every_session,
            method="sessions.revoke_every",
            required=("confirm",),
            ask="Sign out everybody in the tenant {confirm}, administrators and impersonations too?",
        ),
        Command(words="sessions verify", handler=UserSessionRoutes.verify_token, method="sessions.verify"),
    )
)


def _bulk(word: str, handler: Handler, method: str, ask: str) -> Command:
    return Command(words=f"bulk {word}", handler=handler, method=method, arguments=("user_ids",), ask=ask)


BULK_ACTS: Final = (
    _bulk("disable", BulkRoutes.bulk_disable_users, "users.bulk_disable", "Disable {count} and end their sessions?"),
    _bulk("enable", BulkRoutes.bulk_enable_users, "users.bulk_enable", "Enable {count}?"),
    _bulk("ban", BulkRoutes.bulk_ban_users, "users.bulk_ban", "Ban {count} and end their sessions?"),
    _bulk("unban", BulkRoutes.bulk_unban_users, "users.bulk_unban", "Lift the bans of {count}?"),
    _bulk("delete", BulkRoutes.bulk_delete_users, "users.bulk_delete", "Move {count} to the recycle bin?"),
    _bulk("restore", BulkRoutes.bulk_restore_users, "users.bulk_restore", "Take {count} out of the recycle bin?"),
    _bulk(
        "revoke-sessions",
        BulkRoutes.bulk_revoke_sessions,
        "users.bulk_revoke_sessions",
        "End every session of {count}?",
    ),
    _bulk(
        "reset-password",
        BulkRoutes.bulk_force_password_reset,
        "users.bulk_password_reset",
        "Mail {count} a link to choose another password?",
    ),
)
