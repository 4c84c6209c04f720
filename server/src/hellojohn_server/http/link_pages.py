"""The built-in pages that mailed links open: a form that works without a script, and what came of it.

A GET uses nothing up, for mail scanners open every link; unknown parameters are ignored, for trackers add them. Nothing
is fetched from anywhere, no cookie is set, and the secret is neither in a header nor in the log.
"""

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from html import escape
from importlib import resources
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec

from hellojohn_server.features.action_tokens.errors import LinkInvalid, LinkRefused
from hellojohn_server.features.action_tokens.schemas import PAGE_PATHS, ActionPurpose
from hellojohn_server.features.action_tokens.service import parse_link
from hellojohn_server.features.mailed_links.schemas import VerifyEmailBody
from hellojohn_server.features.mailed_links.service import MailedLinkService
from hellojohn_server.features.password_reset.schemas import ResetPasswordBody
from hellojohn_server.features.password_reset.service import PasswordResetService
from hellojohn_server.features.tenants.errors import TenantNotFound, TenantSuspended
from hellojohn_server.features.tenants.service import TenantService
from hellojohn_server.http.answers import Answers, Header, Outgoing
from hellojohn_server.http.call import Call, ClientDisconnected
from hellojohn_server.http.errors import RequestTimeout
from hellojohn_server.http.faults import faults_of, why_bad
from hellojohn_server.http.limits import CallLimits
from hellojohn_server.http.request_headers import agent_of
from hellojohn_server.http.rules import Rules
from hellojohn_server.kit.action_tokens import ActionToken
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import (
    ApiError,
    FieldError,
    InternalError,
    Invalid,
    PayloadTooLarge,
    UnsupportedMediaType,
)
from hellojohn_server.kit.principal import ActorType, Context, CredentialKind, Principal
from hellojohn_server.kit.rate_limits import Limit

_STYLE: Final = resources.files("hellojohn_server.http").joinpath("link_pages.css").read_text(encoding="utf-8")
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
LINK_PAGE_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
).encode()
"""The Content-Security-Policy of the pages: their own style, and a form that goes back to where it came from."""

_MAX_FORM_BYTES: Final = 16_384
_MAX_FIELDS: Final = 50
_FORM_TYPE: Final = b"application/x-www-form-urlencoded"
_GONE: Final = 410

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
{of}<h1>{title}</h1>
{inside}
</main>
</body>
</html>
"""
_FORM: Final = """<form method="post" action="{action}">
<input type="hidden" name="token" value="{token}">
{fields}<button type="submit">{button}</button>
</form>"""
_PASSWORDS: Final = """<label for="password">New password</label>
<input id="password" name="password" type="password" autocomplete="new-password" required autofocus>
<label for="again">The same again</label>
<input id="again" name="again" type="password" autocomplete="new-password" required>
"""


class LinkAct(msgspec.Struct, frozen=True):
    """What a page is for: its words, what says whether a link is good, and what uses it, given a `body`."""

    purpose: ActionPurpose
    title: str
    lead: str
    button: str
    done: str
    after: str
    body: type[msgspec.Struct]
    check: Callable[[ActionToken], Awaitable[None]]
    use: Callable[[Context, Any], Awaitable[None]]

    @property
    def takes_password(self) -> bool:
        """Whether the form asks for a new password."""
        return "password" in self.body.__struct_fields__


def link_acts(resets: PasswordResetService, links: MailedLinkService) -> list[LinkAct]:
    """Return every page."""
    return [
        LinkAct(
            purpose=ActionPurpose.EMAIL_VERIFICATION,
            title="Confirm your e-mail address",
            lead="Press the button to confirm that this is your address.",
            button="Confirm the address",
            done="Your address is confirmed",
            after="You can close this page.",
            body=VerifyEmailBody,
            check=links.require_good,
            use=links.verify_email,
        ),
        LinkAct(
            purpose=ActionPurpose.INVITATION,
            title="Accept your invitation",
            lead="Choose a password to begin with.",
            button="Accept the invitation",
            done="Welcome",
            after="Your password is set. Close this page, and sign in with it.",
            body=ResetPasswordBody,
            check=partial(resets.require_good, purpose=ActionPurpose.INVITATION),
            use=resets.accept_invitation,
        ),
        LinkAct(
            purpose=ActionPurpose.PASSWORD_RESET,
            title="Choose a new password",
            lead="It takes the place of the old one, and every device that is signed in is signed out.",
            button="Set the new password",
            done="Your new password is set",
            after="Close this page, and sign in with it.",
            body=ResetPasswordBody,
            check=partial(resets.require_good, purpose=ActionPurpose.PASSWORD_RESET),
            use=resets.reset_password,
        ),
    ]


class LinkPages:
    """Answers the pages' GET and POST."""

    def __init__(self, tenants: TenantService, answers: Answers, limits: CallLimits, body_seconds: float) -> None:
        self._tenants = tenants
        self._answers = answers
        self._limits = limits
        self._body_seconds = body_seconds

    async def show(self, act: LinkAct, call: Call) -> Outgoing:
        """Return the form of a link that is good, else why it is not. Uses nothing up."""
        name = ""
        try:
            self._limits.count_visitor(call, Limit.READS)
            token, name = await self._opened(_fields_of(call.scope["query_string"], "replace").get("token", ""))
            await act.check(token)
        except ApiError as refusal:
            return self._refused(call, act, name, refusal)
        return self._page(call, 200, act.title, name, _form(act, token))

    async def submit(self, act: LinkAct, call: Call, receive: Any) -> Outgoing:
        """Use a link, and return what came of it; the form again for a password that is not taken."""
        name = ""
        try:
            self._limits.count_visitor(call, Limit.SIGN_IN)
            given = _fields_of(await self._receive(call, receive))
            token, name = await self._opened(given.get("token", ""))
            faults = await self._use(act, call, token, given)
        except ApiError as refusal:
            return self._refused(call, act, name, refusal)
        if faults:
            return self._page(call, Invalid.status, act.title, name, _form(act, token, faults))
        return self._page(call, 200, act.done, name, f"<p>{escape(act.after)}</p>")

    async def _use(
        self, act: LinkAct, call: Call, token: ActionToken, given: Mapping[str, str]
    ) -> tuple[FieldError, ...]:
        """Use a link; return what is wrong with the form, which then has used nothing up."""
        await act.check(token)
        values = {field: given.get(field, "") for field in act.body.__struct_fields__ if field != "token"}
        if act.takes_password and given.get("again") != values["password"]:
            return (FieldError("again", FieldCode.INVALID, "The two passwords are not the same."),)
        body, faults = _body_of(act.body, {**values, "token": token.text})
        if faults:
            return faults
        try:
            await act.use(_context(call, token.tenant_id), body)
        except Invalid as refusal:
            return refusal.details or (FieldError("", FieldCode.INVALID, refusal.message),)
        return ()

    async def _opened(self, text: str) -> tuple[ActionToken, str]:
        """Return the secret of a link and the name of its tenant, which is open; LinkInvalid."""
        token = parse_link(text)
        try:
            tenant = await self._tenants.require_open(token.tenant_id)
        except (TenantNotFound, TenantSuspended) as closed:
            raise LinkInvalid from closed
        return token, tenant.name

    async def _receive(self, call: Call, receive: Any) -> bytes:
        if call.headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != _FORM_TYPE:
            raise UnsupportedMediaType("Send the form as a browser sends it.")
        body = bytearray()
        try:
            async with asyncio.timeout(self._body_seconds):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientDisconnected
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
                    if len(body) > _MAX_FORM_BYTES:
                        raise PayloadTooLarge
        except TimeoutError as error:
            raise RequestTimeout from error
        return bytes(body)

    def _refused(self, call: Call, act: LinkAct, name: str, refusal: ApiError) -> Outgoing:
        if isinstance(refusal, InternalError):
            raise refusal
        call.error_code = refusal.code.value
        status = _GONE if isinstance(refusal, LinkRefused) else refusal.status
        extra = [] if refusal.retry_after is None else [(b"retry-after", b"%d" % refusal.retry_after)]
        inside = f'<p class="bad">{escape(refusal.message)}</p>'
        return self._page(call, status, act.title, name, inside, extra)

    def _page(  # noqa: PLR0913, PLR0917 - the parts of a page
        self, call: Call, status: int, title: str, name: str, inside: str, extra: list[Header] | None = None
    ) -> Outgoing:
        of = f'<p class="of">{escape(name)}</p>\n' if name else ""
        body = _PAGE.format(title=escape(title), style=_STYLE, of=of, inside=inside).encode()
        return self._answers.page(call, body, LINK_PAGE_POLICY, status=status, extra=extra or [])


def _form(act: LinkAct, token: ActionToken, faults: tuple[FieldError, ...] = ()) -> str:
    said = "".join(f'<p class="bad" role="alert">{escape(fault.message)}</p>\n' for fault in faults)
    form = _FORM.format(
        action=PAGE_PATHS[act.purpose].rpartition("/")[2],
        token=escape(token.text),
        fields=_PASSWORDS if act.takes_password else "",
        button=escape(act.button),
    )
    return f"<p>{escape(act.lead)}</p>\n{said}{form}"


def _fields_of(form: bytes, errors: str = "strict") -> dict[str, str]:
    """Return the fields of a form or query, of several with one name the first; nothing when it cannot be read."""
    try:
        found = parse_qs(form.decode("ascii"), keep_blank_values=True, errors=errors, max_num_fields=_MAX_FIELDS)
    except ValueError:
        return {}
    return {name: values[0] for name, values in found.items()}


def _body_of(declared: type[msgspec.Struct], values: dict[str, str]) -> tuple[Any, tuple[FieldError, ...]]:
    """Return the body that an operation would be given, and what is wrong with it: as the request boundary says it."""
    for field, value in values.items():
        refused = why_bad(value)
        if refused is not None:
            return None, (FieldError(field, FieldCode.INVALID, refused),)
    try:
        body = msgspec.convert(values, declared)
    except msgspec.ValidationError:
        return None, tuple(faults_of(values, declared))
    return body, tuple(Rules(declared).faults(body))


def _context(call: Call, tenant_id: str) -> Context:
    """Return the context of whoever opened a link: nobody, until it is used."""
    nobody = Principal(CredentialKind.PUBLISHABLE_KEY, ActorType.SYSTEM, "page", "page", tenant_id)
    return Context(nobody, call.request_id, call.client_address, agent_of(call.headers.get(b"user-agent")))
