"""What became of a tenant's mail: /v1/admin/emails."""

from hellojohn_server.features.emails.errors import EmailNotFound, EmailNotResendable, MailNotConfigured
from hellojohn_server.features.emails.schemas import EmailBody, EmailListBody, ListEmailsQuery
from hellojohn_server.features.emails.service import EmailService
from hellojohn_server.kit.pagination import InvalidCursor
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.routing import Answer, Method, route
from hellojohn_server.kit.scopes import Scope


class EmailRoutes:
    """Mail."""

    def __init__(self, emails: EmailService) -> None:
        self._emails = emails

    @route(Method.GET, "/v1/admin/emails", scope=Scope.AUDIT_READ, errors=(InvalidCursor,))
    async def list_emails(self, context: Context, query: ListEmailsQuery) -> Answer[EmailListBody]:
        """List the mails of the last thirty days, newest first: to whom, of what kind, and what became of each.

        Never their text, which holds secrets.
        """
        page = await self._emails.list_emails(context.tenant_id, query)
        return Answer(EmailListBody(page.rows, page.pagination))

    @route(Method.GET, "/v1/admin/emails/{email_id}", scope=Scope.AUDIT_READ, errors=(EmailNotFound,))
    async def get_email(self, context: Context, email_id: str) -> Answer[EmailBody]:
        """Get a mail, without its text."""
        return Answer(await self._emails.get_email(context.tenant_id, email_id))

    @route(
        Method.POST,
        "/v1/admin/emails/{email_id}/resend",
        scope=Scope.USERS_WRITE,
        errors=(EmailNotFound, EmailNotResendable, MailNotConfigured),
    )
    async def resend_email(self, context: Context, email_id: str) -> Answer[EmailBody]:
        """Send a mail now that failed or was given up, to the address that it was for.

        One that waits already stays as it is.
        """
        return Answer(await self._emails.resend_email(context, email_id))
