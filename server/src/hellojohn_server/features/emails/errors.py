"""What can be wrong with mail."""

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import Conflict, NotFound, Unavailable


class EmailNotFound(NotFound):
    code = ErrorCode.EMAIL_NOT_FOUND
    message = "There is no mail with this id."


class EmailNotResendable(Conflict):
    code = ErrorCode.EMAIL_NOT_RESENDABLE
    message = (
        "What this mail was made of is destroyed, because it was sent or is too old. Ask for a new one with the call "
        "that led to it, such as a password reset or an invitation."
    )


class MailNotConfigured(Unavailable):
    code = ErrorCode.MAIL_NOT_CONFIGURED
    message = "This server cannot send mail. Whoever runs it must set HELLOJOHN_SMTP_HOST and HELLOJOHN_SMTP_FROM."
    retry_after = 60
