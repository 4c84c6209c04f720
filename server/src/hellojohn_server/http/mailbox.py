"""/dev/mailbox: the mails that `hj dev` keeps in place of sending them. No script, nothing fetched from anywhere."""

import re
from collections.abc import Sequence
from html import escape
from typing import Final

import msgspec

from hellojohn_server.http.answers import Answers, Outgoing, encode
from hellojohn_server.http.boundary import QueryReader, refuse_all
from hellojohn_server.http.call import Call
from hellojohn_server.kit.errors import FieldError, Invalid, NotFound
from hellojohn_server.kit.mail import Mail, Mailbox
from hellojohn_server.kit.times import Timestamp, format_time

_LINK: Final = re.compile(r"https?://[^\s<>\"']+")

# A frame with srcdoc has the policy of the page around it, and mails bring their styles in attributes.
_POLICY: Final = (
    b"default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    b"frame-ancestors 'none'"
)
_STYLE: Final = (
    "body{background:#f4f5f7;color:#1f2933;font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:880px;"
    "padding:24px}a{color:#1a56db}table{background:#fff;border-collapse:collapse;width:100%}"
    "td,th{border-bottom:1px solid #e3e6ea;padding:10px 12px;text-align:left;vertical-align:top}"
    "pre,iframe{background:#fff;border:1px solid #e3e6ea;border-radius:6px;box-sizing:border-box;width:100%}"
    "pre{font:14px/1.5 ui-monospace,monospace;padding:16px;white-space:pre-wrap;word-break:break-word}"
    "iframe{height:560px}dl{display:grid;gap:4px 16px;grid-template-columns:max-content 1fr}dt{color:#555f6d}"
    "dd{margin:0}"
)
_PAGE: Final = (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
    "<style>{style}</style>\n</head>\n<body>\n{content}\n</body>\n</html>\n"
)
_EMPTY: Final = "<p>There is no mail yet. What the API sends appears here; load the page again to look.</p>"


class KeptMailBody(msgspec.Struct, frozen=True, kw_only=True):
    """A mail that was not sent. `links` are those in its text."""

    id: str
    to: str
    from_name: str
    from_address: str
    reply_to: str | None
    subject: str
    text: str
    html: str
    links: list[str]
    created_at: Timestamp


class MailboxBody(msgspec.Struct, frozen=True):
    """The mails that are kept, newest first."""

    data: list[KeptMailBody]


class MailboxPage:
    """Answers GET /dev/mailbox and what lies below it."""

    def __init__(self, mailbox: Mailbox, answers: Answers) -> None:
        self._mailbox = mailbox
        self._answers = answers
        self._query = QueryReader(None)

    def list_mails(self, call: Call) -> Outgoing:
        """Return the list as a page, or as JSON to who asks for it by `Accept`. Invalid for any parameter."""
        if b"application/json" in call.headers.get(b"accept", b""):
            return self.list_as_json(call)
        self._refuse_parameters(call)
        rows = "".join(_row_of(mail) for mail in reversed(self._mailbox.mails))
        table = f"<table><tr><th>To</th><th>Subject</th><th>Time</th></tr>{rows}</table>" if rows else _EMPTY
        return self._page(call, "Mailbox", f"<h1>Mailbox</h1>{table}")

    def list_as_json(self, call: Call) -> Outgoing:
        """Return the list as JSON."""
        self._refuse_parameters(call)
        mails = [_body_of(mail) for mail in reversed(self._mailbox.mails)]
        return self._answers.json(call, 200, encode(MailboxBody(mails)))

    def show_mail(self, call: Call, mail_id: str) -> Outgoing:
        """Return one mail as a page: its text, and its HTML in a frame that runs nothing. NotFound."""
        self._refuse_parameters(call)
        mail = next((mail for mail in self._mailbox.mails if _id_of(mail) == mail_id), None)
        if mail is None:
            raise NotFound
        return self._page(call, mail.subject, _mail_content(mail))

    def _refuse_parameters(self, call: Call) -> None:
        faults: list[FieldError] = []
        self._query.read(call.scope["query_string"], faults)
        refuse_all(faults, Invalid)

    def _page(self, call: Call, title: str, content: str) -> Outgoing:
        page = _PAGE.format(title=escape(title), style=_STYLE, content=content)
        return self._answers.page(call, page.encode(), _POLICY)


def links_in(text: str) -> Sequence[str]:
    """Return the addresses in a text, in their order."""
    return [found.group().rstrip(".,;)") for found in _LINK.finditer(text)]


def _row_of(mail: Mail) -> str:
    subject = f'<a href="/dev/mailbox/{escape(_id_of(mail))}">{escape(mail.subject)}</a>'
    return f"<tr><td>{escape(mail.to)}</td><td>{subject}</td><td>{format_time(mail.created_at)}</td></tr>"


def _mail_content(mail: Mail) -> str:
    facts = {
        "To": mail.to,
        "From": f"{mail.from_name} <{mail.from_address}>",
        "Reply-To": mail.reply_to,
        "Time": format_time(mail.created_at),
    }
    shown = "".join(f"<dt>{name}</dt><dd>{escape(fact)}</dd>" for name, fact in facts.items() if fact is not None)
    document = escape(f'<base target="_blank">{mail.html}')
    return (
        f'<p><a href="/dev/mailbox">All mails</a></p><h1>{escape(mail.subject)}</h1><dl>{shown}</dl>'
        f"<h2>Text</h2><pre>{_linked(mail.text)}</pre>"
        f'<h2>HTML</h2><iframe title="HTML" sandbox="allow-popups allow-popups-to-escape-sandbox" '
        f'srcdoc="{document}"></iframe>'
    )


def _linked(text: str) -> str:
    """Return a text as HTML, the addresses in it as links."""
    pieces: list[str] = []
    position = 0
    for link in links_in(text):
        start = text.index(link, position)
        pieces.append(escape(text[position:start]))
        pieces.append(f'<a href="{escape(link)}" rel="noopener" target="_blank">{escape(link)}</a>')
        position = start + len(link)
    return "".join([*pieces, escape(text[position:])])


def _body_of(mail: Mail) -> KeptMailBody:
    return KeptMailBody(
        id=_id_of(mail),
        to=mail.to,
        from_name=mail.from_name,
        from_address=mail.from_address,
        reply_to=mail.reply_to,
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        links=list(links_in(mail.text)),
        created_at=format_time(mail.created_at),
    )


def _id_of(mail: Mail) -> str:
    return mail.message_id.partition("@")[0]
