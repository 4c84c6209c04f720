"""How a tenant's mail looks: what its settings say of it, what may be changed, and which texts are taken.

The address that mail comes from is the operator's alone: it is for that one that the mail server, SPF and DKIM stand
in, and a tenant that chose another could speak in somebody else's name.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, cast

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hellojohn_server.kit.email_templates import EmailTemplate, Part, source_fault
from hellojohn_server.kit.emails import MAX_CHARACTERS, is_email
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError
from hellojohn_server.kit.routing import JointRule, checked_by
from hellojohn_server.kit.template_language import MAX_SOURCE


class OwnTexts(msgspec.Struct, frozen=True, kw_only=True):
    """Jinja2 sources in the place of a mail's built-in texts; null: the built-in one."""

    subject: str | None = None
    text: str | None = None
    html: str | None = None


class OwnTemplates(msgspec.Struct, frozen=True, kw_only=True):
    """The mails whose texts a tenant may write; null: every text is the built-in one."""

    email_already_registered: OwnTexts | None = None
    email_changed: OwnTexts | None = None
    email_verification: OwnTexts | None = None
    factor_added: OwnTexts | None = None
    factor_removed: OwnTexts | None = None
    impersonated: OwnTexts | None = None
    invitation: OwnTexts | None = None
    magic_link: OwnTexts | None = None
    organization_invitation: OwnTexts | None = None
    password_changed: OwnTexts | None = None
    password_reset: OwnTexts | None = None
    password_reset_forced: OwnTexts | None = None


class MailSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Under which name mail comes, and where answers go. Null: the tenant's name, and nowhere."""

    sender_name: str | None = None
    reply_to: str | None = None


class MailBody(MailSettings, frozen=True, kw_only=True):
    """How the tenant's mail looks."""

    templates: OwnTemplates = OwnTemplates()


def sender_name_fault(text: str) -> str | None:
    """Say what is wrong with a name that mail comes under."""
    if not text.isprintable() or not text.strip() or any(letter in text for letter in "<>@"):
        return "Must be a name on one line, without < > @, which are for addresses."
    return None


def reply_to_fault(text: str) -> str | None:
    """Say what is wrong with the address that answers go to."""
    return None if is_email(text) else "Must be an e-mail address, without a name."


SenderName = Annotated[str, Meta(min_length=1, max_length=100, extra=checked_by(sender_name_fault))]
ReplyTo = Annotated[
    str,
    Meta(
        min_length=3, max_length=MAX_CHARACTERS, extra_json_schema={"format": "email"}, extra=checked_by(reply_to_fault)
    ),
]
SubjectSource = Annotated[str, Meta(min_length=1, max_length=500)]
TextSource = Annotated[str, Meta(min_length=1, max_length=MAX_SOURCE)]


class TextsChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change of a mail's texts."""

    subject: SubjectSource | UnsetType | None = UNSET
    text: TextSource | UnsetType | None = UNSET
    html: TextSource | UnsetType | None = UNSET


class TemplatesChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change of which mails."""

    email_already_registered: TextsChange | UnsetType | None = UNSET
    email_changed: TextsChange | UnsetType | None = UNSET
    email_verification: TextsChange | UnsetType | None = UNSET
    factor_added: TextsChange | UnsetType | None = UNSET
    factor_removed: TextsChange | UnsetType | None = UNSET
    impersonated: TextsChange | UnsetType | None = UNSET
    invitation: TextsChange | UnsetType | None = UNSET
    magic_link: TextsChange | UnsetType | None = UNSET
    organization_invitation: TextsChange | UnsetType | None = UNSET
    password_changed: TextsChange | UnsetType | None = UNSET
    password_reset: TextsChange | UnsetType | None = UNSET
    password_reset_forced: TextsChange | UnsetType | None = UNSET


class MailChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change of how mail looks."""

    sender_name: SenderName | UnsetType | None = UNSET
    reply_to: ReplyTo | UnsetType | None = UNSET
    templates: TemplatesChange | UnsetType | None = UNSET


def parts_of(texts: OwnTexts | None) -> dict[Part, str]:
    """Return the texts that are not the built-in ones."""
    given = {} if texts is None else {part: getattr(texts, part.value) for part in Part}
    return {part: source for part, source in given.items() if source is not None}


def _member(value: object, name: str) -> object:
    if isinstance(value, msgspec.Struct):
        return getattr(value, name)
    return cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None


def _source_rule(template: EmailTemplate, part: Part) -> JointRule:
    def rule(given: Mapping[str, object]) -> FieldError | None:
        source = _member(_member(_member(given["mail"], "templates"), template.value), part.value)
        fault = source_fault(template, part, source) if isinstance(source, str) else None
        path = f"mail.templates.{template.value}.{part.value}"
        return None if fault is None else FieldError(path, FieldCode.INVALID, fault)

    return rule


SOURCE_RULES: Final[tuple[JointRule, ...]] = tuple(
    _source_rule(template, part) for template in EmailTemplate for part in (Part.SUBJECT, Part.TEXT, Part.HTML)
)
"""A rule for each text of each mail: it is read, and rendered with samples, before it is taken."""
