"""`hj auth`: what users do for themselves, with a publishable key or their access token."""

from typing import Final

from hellojohn_server.cli.remote.commands import Command, Group
from hellojohn_server.cli.remote.keeping import SAVE, sign_in, sign_out
from hellojohn_server.cli.remote.users_table import FACTOR_COLUMNS
from hellojohn_server.features.account.routes import AccountRoutes
from hellojohn_server.features.auth.routes import AuthRoutes
from hellojohn_server.features.email_changes.routes import EmailChangeRoutes
from hellojohn_server.features.invitations.routes import InvitationRoutes
from hellojohn_server.features.magic_links.routes import MagicLinkRoutes
from hellojohn_server.features.mailed_links.routes import MailedLinkRoutes
from hellojohn_server.features.mfa_sign_in.routes import MfaSignInRoutes
from hellojohn_server.features.password_reset.routes import PasswordResetRoutes
from hellojohn_server.features.user_factors.routes import OwnFactorRoutes

_BELONGING_COLUMNS: Final = ("id", "name", "slug", "role", "joined_at")

AUTH: Final = Group(
    inner={
        "magic-link": "Sign in by a mailed link.",
        "mfa": "One's own second factors.",
        "organizations": "One's own organizations.",
        "passkeys": "Sign in with a passkey.",
        "password": "One's own password.",
        "sessions": "One's own sessions.",
    },
    commands=(
        Command(
            words="auth sign-up",
            handler=AuthRoutes.sign_up,
            method="auth.sign_up",
            arguments=("email",),
            switches=SAVE,
            performer=sign_in,
        ),
        Command(
            words="auth sign-in",
            handler=AuthRoutes.sign_in,
            method="auth.sign_in",
            arguments=("email",),
            switches=SAVE,
            performer=sign_in,
        ),
        Command(
            words="auth refresh",
            handler=AuthRoutes.refresh_tokens,
            method="auth.refresh",
            switches=SAVE,
            performer=sign_in,
            kept={"refresh_token": "refresh_token"},
            more="Without one in the profile, the refresh token is read from a prompt or standard input.",
        ),
        Command(words="auth sign-out", handler=AuthRoutes.sign_out, method="auth.sign_out", performer=sign_out),
        Command(words="auth me", handler=AccountRoutes.get_me, method="auth.me.get"),
        Command(words="auth update", handler=AccountRoutes.update_me, method="auth.me.update"),
        Command(
            words="auth change-email",
            handler=EmailChangeRoutes.change_email,
            method="auth.me.change_email",
            arguments=("email",),
        ),
        Command(words="auth verify-email", handler=MailedLinkRoutes.verify_email, method="auth.verify_email"),
        Command(
            words="auth accept-invitation",
            handler=PasswordResetRoutes.accept_invitation,
            method="auth.accept_invitation",
        ),
        Command(
            words="auth verify-mfa",
            handler=MfaSignInRoutes.verify_mfa,
            method="auth.verify_mfa",
            arguments=("challenge_id",),
            switches=SAVE,
            performer=sign_in,
        ),
        Command(
            words="auth magic-link request",
            handler=MagicLinkRoutes.request_magic_link,
            method="auth.magic_link.request",
            arguments=("email",),
        ),
        Command(
            words="auth magic-link verify",
            handler=MagicLinkRoutes.verify_magic_link,
            method="auth.magic_link.verify",
            switches=SAVE,
            performer=sign_in,
        ),
        Command(
            words="auth passkeys begin",
            handler=MfaSignInRoutes.begin_passkey_sign_in,
            method="auth.passkeys.options",
        ),
        Command(
            words="auth passkeys verify",
            handler=MfaSignInRoutes.sign_in_with_passkey,
            method="auth.passkeys.verify",
            arguments=("challenge_id",),
            switches=SAVE,
            performer=sign_in,
        ),
        Command(
            words="auth passkeys second-factor",
            handler=MfaSignInRoutes.get_passkey_options,
            method="auth.mfa_passkey_options",
            arguments=("challenge_id",),
        ),
        Command(
            words="auth password forgot",
            handler=PasswordResetRoutes.forgot_password,
            method="auth.password.forgot",
            arguments=("email",),
        ),
        Command(words="auth password reset", handler=PasswordResetRoutes.reset_password, method="auth.password.reset"),
        Command(words="auth password change", handler=AccountRoutes.change_password, method="auth.password.change"),
        Command(
            words="auth sessions list",
            handler=AccountRoutes.list_own_sessions,
            method="auth.sessions.list",
            columns=("id", "current", "ip_address", "user_agent", "created_at"),
        ),
        Command(words="auth sessions revoke", handler=AccountRoutes.revoke_own_session, method="auth.sessions.revoke"),
        Command(
            words="auth organizations list",
            handler=AccountRoutes.list_own_organizations,
            method="auth.organizations.list",
            columns=_BELONGING_COLUMNS,
        ),
        Command(
            words="auth organizations join",
            handler=InvitationRoutes.join_organization,
            method="auth.organizations.join",
        ),
        Command(
            words="auth organizations sign-up",
            handler=InvitationRoutes.sign_up_invited,
            method="auth.organizations.sign_up",
            switches=SAVE,
            performer=sign_in,
        ),
        Command(
            words="auth organizations leave",
            handler=AccountRoutes.leave_organization,
            method="auth.organizations.leave",
            ask="Leave the organization {organization_id}?",
        ),
        Command(
            words="auth mfa list",
            handler=OwnFactorRoutes.list_own_factors,
            method="auth.mfa.list",
            columns=FACTOR_COLUMNS,
        ),
        Command(
            words="auth mfa enroll",
            handler=OwnFactorRoutes.begin_own_factor,
            method="auth.mfa.enroll",
            arguments=("type",),
        ),
        Command(
            words="auth mfa confirm",
            handler=OwnFactorRoutes.confirm_own_factor,
            method="auth.mfa.confirm",
        ),
        Command(
            words="auth mfa remove",
            handler=OwnFactorRoutes.remove_own_factor,
            method="auth.mfa.remove",
            ask="Remove your second factor {factor_id}?",
        ),
        Command(
            words="auth mfa backup-codes",
            handler=OwnFactorRoutes.generate_own_backup_codes,
            method="auth.mfa.generate_backup_codes",
            ask="Make new backup codes? The ones of now are good no more.",
        ),
    ),
)
