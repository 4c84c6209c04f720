"""What can be wrong with sending mail."""

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import Unavailable


class MailNotConfigured(Unavailable):
    code = ErrorCode.MAIL_NOT_CONFIGURED
    message = "This server cannot send mail. Whoever runs it must set HELLOJOHN_SMTP_HOST and HELLOJOHN_SMTP_FROM."
    retry_after = 60
