"""What mails there are, what each is made of, and the texts that they have by themselves.

No text of ours shows a name that a user chose: whoever signs up with somebody else's address would choose the words
that we send there.
"""

from collections.abc import Mapping
from enum import StrEnum
from html import escape
from typing import Final

import msgspec

from hellojohn_server.kit.template_language import TemplateFault, read_source


class EmailTemplate(StrEnum):
    """What a mail is about."""

    EMAIL_ALREADY_REGISTERED = "email_already_registered"
    EMAIL_CHANGED = "email_changed"
    EMAIL_VERIFICATION = "email_verification"
    FACTOR_ADDED = "factor_added"
    FACTOR_REMOVED = "factor_removed"
    IMPERSONATED = "impersonated"
    INVITATION = "invitation"
    MAGIC_LINK = "magic_link"
    ORGANIZATION_INVITATION = "organization_invitation"
    PASSWORD_CHANGED = "password_changed"
    PASSWORD_RESET = "password_reset"
    PASSWORD_RESET_FORCED = "password_reset_forced"


class NewPasswordBy(StrEnum):
    """How a user got another password, in the words of the mail that says so."""

    ADMINISTRATOR = "by an administrator"
    LINK = "with a mailed link"
    OLD_PASSWORD = "with the old one"


class Sources(msgspec.Struct, frozen=True):
    """The Jinja2 sources of a mail."""

    subject: str
    text: str
    html: str


class Rendered(msgspec.Struct, frozen=True):
    """A mail's text in its forms."""

    subject: str
    text: str
    html: str


class _Words(msgspec.Struct, frozen=True):
    subject: str
    before: str
    after: str
    button: str | None = None


_LINK: Final = ("expires_in", "link")
VALUES: Final[Mapping[EmailTemplate, frozenset[str]]] = {
    EmailTemplate.EMAIL_ALREADY_REGISTERED: frozenset(),
    EmailTemplate.EMAIL_CHANGED: frozenset(),
    EmailTemplate.EMAIL_VERIFICATION: frozenset(_LINK),
    EmailTemplate.FACTOR_ADDED: frozenset({"factor"}),
    EmailTemplate.FACTOR_REMOVED: frozenset({"factor"}),
    EmailTemplate.IMPERSONATED: frozenset({"acting_admin", "expires_in", "reason", "started_at"}),
    EmailTemplate.INVITATION: frozenset(_LINK),
    EmailTemplate.MAGIC_LINK: frozenset(_LINK),
    EmailTemplate.ORGANIZATION_INVITATION: frozenset({*_LINK, "organization_name"}),
    EmailTemplate.PASSWORD_CHANGED: frozenset({"set_by"}),
    EmailTemplate.PASSWORD_RESET: frozenset(_LINK),
    EmailTemplate.PASSWORD_RESET_FORCED: frozenset(_LINK),
}
"""What whoever queues a mail gives. Every template has `tenant_name` and `email`, the address it goes to, besides."""

_IGNORE: Final = "If this was not you, you can ignore this message: nothing changes without the link."
_NOT_YOU: Final = "If this was not you, change your password and tell us at once."
_HOW_LONG: Final = "The link works once, for {{ expires_in }}."
_WORDS: Final[Mapping[EmailTemplate, _Words]] = {
    EmailTemplate.EMAIL_ALREADY_REGISTERED: _Words(
        "You already have an account with {{ tenant_name }}",
        "Somebody asked to use {{ email }} for an account, and yours has this address already. Sign in as usual, or "
        "ask for a new password if you have forgotten yours.",
        "If this was not you, you can ignore this message: nothing was changed.",
    ),
    EmailTemplate.EMAIL_CHANGED: _Words(
        "Your address at {{ tenant_name }} was changed",
        "The e-mail address of your account with {{ tenant_name }} was changed. From now on messages go to the new "
        "address, and {{ email }} does not sign in any more.",
        "If this was not you, tell us at once.",
    ),
    EmailTemplate.EMAIL_VERIFICATION: _Words(
        "Confirm your address for {{ tenant_name }}",
        "Please confirm that {{ email }} is your address.",
        f"{_HOW_LONG} {_IGNORE}",
        "Confirm the address",
    ),
    EmailTemplate.FACTOR_ADDED: _Words(
        "A second factor was added to your account with {{ tenant_name }}",
        "A second factor was added to your account with {{ tenant_name }}: {{ factor }}.",
        _NOT_YOU,
    ),
    EmailTemplate.FACTOR_REMOVED: _Words(
        "A second factor was removed from your account with {{ tenant_name }}",
        "A second factor was removed from your account with {{ tenant_name }}: {{ factor }}. It is "
        "not asked for any more.",
        _NOT_YOU,
    ),
    EmailTemplate.IMPERSONATED: _Words(
        "The support of {{ tenant_name }} looked into your account",
        "Somebody of the support of {{ tenant_name }} was given access to your account in your place: on "
        "{{ started_at }}, for {{ expires_in }} at most. Who it was, and why, has been recorded.",
        "If you did not ask for help, tell us.",
    ),
    EmailTemplate.INVITATION: _Words(
        "You are invited to {{ tenant_name }}",
        "You are invited to {{ tenant_name }}. Choose a password to begin.",
        f"{_HOW_LONG} If you did not expect this, you can ignore it.",
        "Accept the invitation",
    ),
    EmailTemplate.MAGIC_LINK: _Words(
        "Sign in to {{ tenant_name }}",
        "Here is your link to sign in to {{ tenant_name }}.",
        f"{_HOW_LONG} {_IGNORE}",
        "Sign in",
    ),
    EmailTemplate.ORGANIZATION_INVITATION: _Words(
        "You are invited to join {{ organization_name }}",
        "You are invited to join {{ organization_name }} at {{ tenant_name }}.",
        f"{_HOW_LONG} If you did not expect this, you can ignore it.",
        "Join",
    ),
    EmailTemplate.PASSWORD_CHANGED: _Words(
        "Your password at {{ tenant_name }} was changed",
        "A new password was set for your account {{ email }} with {{ tenant_name }}, {{ set_by }}.",
        "If this was not you and you did not ask for it, set another password at once by asking for a new one where "
        "you sign in, and tell us.",
    ),
    EmailTemplate.PASSWORD_RESET: _Words(
        "Reset your password for {{ tenant_name }}",
        "Somebody asked for a new password for {{ email }} at {{ tenant_name }}.",
        f"{_HOW_LONG} {_IGNORE}",
        "Choose a new password",
    ),
    EmailTemplate.PASSWORD_RESET_FORCED: _Words(
        "Choose a new password for {{ tenant_name }}",
        "An administrator of {{ tenant_name }} asks you to choose a new password. Until then the account {{ email }} "
        "cannot sign in with the old one.",
        _HOW_LONG,
        "Choose a new password",
    ),
}
_TEXT_LINK: Final = "{{ link }}\n\n"
_TEXT: Final = "Hello,\n\n%(before)s\n\n%(link)s%(after)s\n\n{{ tenant_name }}\n"
_HTML_LINK: Final = (
    '<p style="margin:28px 0"><a href="{{ link }}" style="background:#1a56db;border-radius:6px;color:#ffffff;'
    'display:inline-block;font-weight:600;padding:12px 20px;text-decoration:none">%(button)s</a></p>\n'
    '<p style="color:#555f6d;font-size:13px;word-break:break-all">Or open this address: {{ link }}</p>\n'
)
_HTML: Final = (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>%(subject)s</title>\n</head>\n'
    '<body style="background:#f4f5f7;margin:0;padding:24px">\n'
    '<div style="background:#ffffff;border-radius:8px;color:#1f2933;font:16px/1.5 -apple-system,Segoe UI,Roboto,'
    'Helvetica,Arial,sans-serif;margin:0 auto;max-width:520px;padding:32px">\n'
    "<p>Hello,</p>\n<p>%(before)s</p>\n%(link)s<p>%(after)s</p>\n"
    '<p style="color:#555f6d">{{ tenant_name }}</p>\n</div>\n</body>\n</html>\n'
)


def _sources_of(words: _Words) -> Sources:
    parts = msgspec.structs.asdict(words)
    link = words.button is not None
    return Sources(
        subject=words.subject,
        text=_TEXT % {**parts, "link": _TEXT_LINK if link else ""},
        html=_HTML % {**parts, "link": _HTML_LINK % parts if link else ""},
    )


DEFAULT_SOURCES: Final[Mapping[EmailTemplate, Sources]] = {
    template: _sources_of(words) for template, words in _WORDS.items()
}
_MAX_SUBJECT: Final = 300
_ALWAYS: Final = frozenset({"email", "tenant_name"})
SAMPLES: Final[Mapping[str, str]] = {
    "acting_admin": "dana@example.com",
    "email": "alice@example.com",
    "expires_in": "1 hour",
    "factor": "Authenticator app",
    "link": "https://id.example.com/sample?token=sample&x=1",
    "organization_name": "Acme & Sons",
    "reason": "Support ticket #8842",
    "set_by": NewPasswordBy.LINK.value,
    "started_at": "2026-01-20 11:00 UTC",
    "tenant_name": "Example, Inc.",
}
"""What a text is tried with before it is taken: one value for each name."""


class Part(StrEnum):
    """The parts of a mail's text."""

    HTML = "html"
    SUBJECT = "subject"
    TEXT = "text"


def names_of(template: EmailTemplate) -> frozenset[str]:
    """Return the names of the values that the texts of a mail may use."""
    return VALUES[template] | _ALWAYS


def source_fault(template: EmailTemplate, part: Part, source: str) -> str | None:
    """Say what is wrong with a text that is to stand in the place of the built-in one."""
    if part is Part.SUBJECT and not source.isprintable():
        return "A subject is one line without control characters."
    try:
        rendered = _render_part(template, part, source, SAMPLES)
    except TemplateFault as fault:
        return str(fault)
    if not rendered.strip():
        return "Nothing comes out of it."
    if part is Part.SUBJECT:
        return f"What comes out is longer than {_MAX_SUBJECT} characters." if len(rendered) > _MAX_SUBJECT else None
    link = escape(SAMPLES["link"]) if part is Part.HTML else SAMPLES["link"]
    if "link" in VALUES[template] and link not in rendered:
        return "It must show {{ link }}: without it the mail is of no use."
    return None


def _render_part(template: EmailTemplate, part: Part, source: str, values: Mapping[str, str]) -> str:
    return read_source(source, names_of(template), html=part is Part.HTML).render(values)


def require_values(template: EmailTemplate, values: Mapping[str, str]) -> None:
    """Raise ValueError unless `values` are those that the template has, no more and no fewer."""
    if frozenset(values) != VALUES[template]:
        raise ValueError(f"a mail {template.value} takes {sorted(VALUES[template])}, not {sorted(values)}")


def render(template: EmailTemplate, values: Mapping[str, str], own: Mapping[Part, str] | None = None) -> Rendered:
    """Return the text of a mail. `values` are those of VALUES, `tenant_name` and `email`.

    `own` are texts in the place of built-in ones; TemplateFault when one of them cannot be rendered.
    """
    built_in = DEFAULT_SOURCES[template]
    given: Mapping[Part, str] = {} if own is None else own
    return Rendered(
        subject=one_line(_render_part(template, Part.SUBJECT, given.get(Part.SUBJECT, built_in.subject), values)),
        text=_render_part(template, Part.TEXT, given.get(Part.TEXT, built_in.text), values),
        html=_render_part(template, Part.HTML, given.get(Part.HTML, built_in.html), values),
    )


def one_line(text: str) -> str:
    """Return `text` as it may stand in a header: without line breaks and other control characters."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())
