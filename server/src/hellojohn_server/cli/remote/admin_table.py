"""`hj orgs`, `roles`, `keys`, `audit`, `tenants`, `bulk` and the like: the rest of administration."""

from typing import Final

from hellojohn_server.cli.remote.auditing import show_feed, tail, write_stream
from hellojohn_server.cli.remote.commands import Command, Group
from hellojohn_server.cli.remote.following import NO_WAIT, follow_job, make_plan
from hellojohn_server.cli.remote.users_table import BULK_ACTS
from hellojohn_server.features.audit.routes import AuditRoutes
from hellojohn_server.features.audit_export.routes import AuditExportRoutes
from hellojohn_server.features.emails.routes import EmailRoutes
from hellojohn_server.features.imports.routes import ImportRoutes
from hellojohn_server.features.invitations.routes import InvitationRoutes
from hellojohn_server.features.jobs.routes import JobRoutes
from hellojohn_server.features.keys.routes import KeyRoutes
from hellojohn_server.features.organizations.routes import OrganizationRoutes
from hellojohn_server.features.plans.routes import PlanRoutes
from hellojohn_server.features.revocations.routes import RevocationRoutes
from hellojohn_server.features.roles.routes import RoleRoutes
from hellojohn_server.features.signing_keys.routes import SigningKeyRoutes
from hellojohn_server.features.tenant_settings.routes import TenantSettingsRoutes
from hellojohn_server.features.tenants.routes import TenantRoutes

_ORGANIZATION_COLUMNS: Final = ("id", "name", "slug", "created_at")
_MEMBER_COLUMNS: Final = ("user_id", "email", "name", "role", "joined_at")
_INVITATION_COLUMNS: Final = ("id", "email", "role", "sent_at", "expires_at")
_JOB_COLUMNS: Final = ("id", "action", "status", "users", "done", "changed", "failed")
AUDIT_COLUMNS: Final = ("created_at", "type", "result", "actor.id", "resource.id", "reason", "ip_address")

_PLAN_FLAGS: Final = {
    "parameters.expires_at": "--expires-at",
    "parameters.private_metadata": "--set-private-metadata",
    "parameters.public_metadata": "--set-public-metadata",
    "parameters.require": "--require",
    "parameters.role": "--set-role",
}
_WHOM: Final = (
    "Whom: those whom --query and the filters select (--query '' alone is everybody), or those named with --user. "
    "Nothing is changed until the plan is run: hj bulk run."
)

ORGS: Final = Group(
    inner={
        "members": "Who is in an organization, and as what.",
        "invitations": "Who was invited into an organization.",
    },
    commands=(
        Command(
            words="orgs list",
            handler=OrganizationRoutes.list_organizations,
            method="organizations.list",
            columns=_ORGANIZATION_COLUMNS,
        ),
        Command(words="orgs get", handler=OrganizationRoutes.get_organization, method="organizations.get"),
        Command(words="orgs create", handler=OrganizationRoutes.create_organization, method="organizations.create"),
        Command(words="orgs update", handler=OrganizationRoutes.update_organization, method="organizations.update"),
        Command(
            words="orgs delete",
            handler=OrganizationRoutes.delete_organization,
            method="organizations.delete",
            subject="organizations.get",
            ask="Delete the organization {name} ({id}) with its memberships and invitations?",
        ),
        Command(
            words="orgs members list",
            handler=OrganizationRoutes.list_members,
            method="organizations.members.list",
            columns=_MEMBER_COLUMNS,
        ),
        Command(
            words="orgs members add",
            handler=OrganizationRoutes.add_member,
            method="organizations.members.add",
            arguments=("user_id",),
        ),
        Command(
            words="orgs members update",
            handler=OrganizationRoutes.update_member,
            method="organizations.members.update",
        ),
        Command(
            words="orgs members remove",
            handler=OrganizationRoutes.remove_member,
            method="organizations.members.remove",
            subject="users.get",
            ask="End the membership of {email} ({id}) in {organization_id}?",
        ),
        Command(
            words="orgs invitations list",
            handler=InvitationRoutes.list_invitations,
            method="organizations.invitations.list",
            columns=_INVITATION_COLUMNS,
        ),
        Command(
            words="orgs invitations create",
            handler=InvitationRoutes.create_invitation,
            method="organizations.invitations.create",
            arguments=("email",),
        ),
        Command(
            words="orgs invitations resend",
            handler=InvitationRoutes.resend_organization_invitation,
            method="organizations.invitations.resend",
        ),
        Command(
            words="orgs invitations revoke",
            handler=InvitationRoutes.revoke_invitation,
            method="organizations.invitations.revoke",
            ask="Revoke the invitation {invitation_id}? Its link is good no more.",
        ),
    ),
)

ROLES: Final = Group(
    commands=(
        Command(
            words="roles list",
            handler=RoleRoutes.list_roles,
            method="roles.list",
            columns=("id", "name", "display_name", "scope", "privileged", "built_in"),
        ),
        Command(words="roles get", handler=RoleRoutes.get_role, method="roles.get"),
        Command(words="roles create", handler=RoleRoutes.create_role, method="roles.create"),
        Command(words="roles update", handler=RoleRoutes.update_role, method="roles.update"),
        Command(
            words="roles delete",
            handler=RoleRoutes.delete_role,
            method="roles.delete",
            subject="roles.get",
            ask="Delete the role {name} ({id})?",
        ),
    )
)

KEYS: Final = Group(
    commands=(
        Command(
            words="keys list",
            handler=KeyRoutes.list_api_keys,
            method="api_keys.list",
            columns=("id", "type", "name", "hint", "status", "expires_at", "last_used_at"),
        ),
        Command(words="keys get", handler=KeyRoutes.get_api_key, method="api_keys.get"),
        Command(words="keys current", handler=KeyRoutes.get_current_api_key, method="api_keys.current"),
    )
)

AUDIT: Final = Group(
    commands=(
        Command(
            words="audit list", handler=AuditRoutes.list_audit_logs, method="audit_logs.list", columns=AUDIT_COLUMNS
        ),
        Command(
            words="audit tail",
            handler=AuditRoutes.list_audit_logs,
            method="audit_logs.list",
            columns=AUDIT_COLUMNS,
            performer=tail,
            help="Print the newest audit entries, and then each that comes, until interrupted.",
        ),
        Command(
            words="audit export",
            handler=AuditExportRoutes.export_audit_logs,
            method="audit_logs.export",
            is_file=True,
            performer=write_stream,
        ),
        Command(words="audit get", handler=AuditRoutes.get_audit_log, method="audit_logs.get"),
        Command(words="audit create", handler=AuditRoutes.create_audit_log, method="audit_logs.create"),
    )
)

TENANTS: Final = Group(
    commands=(
        Command(
            words="tenants list",
            handler=TenantRoutes.list_tenants,
            method="tenants.list",
            columns=("id", "name", "environment", "status", "created_at"),
        ),
        Command(words="tenants get", handler=TenantRoutes.get_tenant, method="tenants.get"),
        Command(words="tenants update", handler=TenantRoutes.update_tenant, method="tenants.update"),
        Command(
            words="tenants delete",
            handler=TenantRoutes.delete_tenant,
            method="tenants.delete",
            required=("confirm",),
            subject="tenants.get",
            ask="Destroy the tenant {name} ({id}) and everything in it?",
        ),
        Command(
            words="tenants suspend",
            handler=TenantRoutes.suspend_tenant,
            method="tenants.suspend",
            subject="tenants.get",
            ask="Suspend the tenant {name} ({id})? Every key and token of it is refused.",
        ),
        Command(words="tenants resume", handler=TenantRoutes.resume_tenant, method="tenants.resume"),
    )
)

CONFIG: Final = Group(
    commands=(
        Command(words="config get", handler=TenantSettingsRoutes.get_config, method="admin.config.get"),
        Command(
            words="config update",
            handler=TenantSettingsRoutes.update_config,
            method="admin.config.update",
            ask="Change the settings of the tenant?",
        ),
    )
)

REVOCATIONS: Final = Group(
    commands=(
        Command(
            words="revocations list",
            handler=RevocationRoutes.list_revocations,
            method="revocations.list",
            columns=("type", "session_id", "user_id", "gen_below", "kid", "revoked_at", "forget_at"),
            performer=show_feed,
        ),
    )
)

EMAILS: Final = Group(
    commands=(
        Command(
            words="emails list",
            handler=EmailRoutes.list_emails,
            method="admin.emails.list",
            columns=("id", "template", "to", "status", "attempts", "created_at", "sent_at"),
        ),
        Command(words="emails get", handler=EmailRoutes.get_email, method="admin.emails.get"),
        Command(words="emails resend", handler=EmailRoutes.resend_email, method="admin.emails.resend"),
    )
)

IMPORTS: Final = Group(
    commands=(
        Command(
            words="imports list",
            handler=ImportRoutes.list_imports,
            method="admin.imports.list",
            columns=("id", "format", "status", "rows", "imported", "duplicates", "refused"),
        ),
        Command(words="imports get", handler=ImportRoutes.get_import, method="admin.imports.get"),
        Command(
            words="imports report",
            handler=ImportRoutes.get_import_report,
            method="admin.imports.report",
            is_file=True,
            columns=("row", "line", "faults"),
        ),
    )
)

BULK: Final = Group(
    commands=(
        Command(
            words="bulk plan",
            handler=PlanRoutes.create_plan,
            method="admin.plans.create",
            arguments=("action",),
            flags=_PLAN_FLAGS,
            performer=make_plan,
            more=_WHOM,
        ),
        Command(
            words="bulk run",
            handler=JobRoutes.start_job,
            method="admin.jobs.start",
            arguments=("plan_id",),
            subject="admin.plans.get",
            ask="Run the plan {id}: {action}, to {users} users?",
            switches=NO_WAIT,
            performer=follow_job,
        ),
        Command(
            words="bulk status",
            handler=JobRoutes.get_job,
            method="admin.jobs.get",
            switches=NO_WAIT,
            performer=follow_job,
            help="Show a job, and follow it to its end.",
        ),
        Command(
            words="bulk undo",
            handler=JobRoutes.undo_job,
            method="admin.jobs.undo",
            subject="admin.jobs.get",
            ask="Undo the job {id}: {action}, which changed {changed} users?",
            switches=NO_WAIT,
            performer=follow_job,
        ),
        Command(words="bulk show", handler=PlanRoutes.get_plan, method="admin.plans.get"),
        Command(words="bulk list", handler=JobRoutes.list_jobs, method="admin.jobs.list", columns=_JOB_COLUMNS),
        Command(
            words="bulk report",
            handler=JobRoutes.report_job,
            method="admin.jobs.report",
            is_file=True,
            columns=("user_id", "outcome", "code"),
        ),
        Command(
            words="bulk cancel",
            handler=JobRoutes.cancel_job,
            method="admin.jobs.cancel",
            subject="admin.jobs.get",
            ask="Cancel the job {id} ({action}), which has come to {done} of {users} users? What it did stays done.",
        ),
        *BULK_ACTS,
    )
)

SERVER: Final = Group(
    commands=(Command(words="server key-set", handler=SigningKeyRoutes.get_key_set, method="server.key_set"),)
)
