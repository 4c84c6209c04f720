"""Mails with links, and what is done with them."""

import re
from typing import Any, Final

import httpx

from hellojohn_server.kit.mail import Mail
from tests.features.auth.parts import Front, said

NEXT: Final = "another long one"
LINK: Final = re.compile(r"http\S+[?&]token=(act_[0-9A-Za-z]{60})\b")
INVALID: Final = (401, "link_invalid")
EXPIRED: Final = (401, "link_expired")
USED: Final = (401, "link_used")


def token_in(mail: Mail) -> str:
    """Return the secret in the link of a mail, which is the same in both its forms."""
    found = {*LINK.findall(mail.text), *LINK.findall(mail.html)}
    assert len(found) == 1, mail.text
    return str(found.pop())


async def newest_token(front: Front, to: str = "alice@example.com") -> str:
    """Return the secret in the link that went to somebody last."""
    return token_in([mail for mail in await front.app.mails() if mail.to == to and LINK.search(mail.text)][-1])


async def force(front: Front, user_id: str, **body: Any) -> httpx.Response:
    """Have a user choose another password."""
    return await front.admin("POST", f"/v1/users/{user_id}/password-reset", body)


async def forgot(front: Front, email: str = "alice@example.com") -> httpx.Response:
    """Ask for a link."""
    return await front.post("password/forgot", {"email": email})


async def reset(front: Front, token: str, password: str = NEXT) -> tuple[int, str]:
    """Set a password with a link; return the status and the error code, or nothing."""
    return said(await front.post("password/reset", {"token": token, "password": password}))


async def told_last(front: Front, kind: str) -> list[tuple[Any, ...]]:
    """Return the entries of a type: who acted, about whom, what changed, and what else is said."""
    return [
        (entry.actor.type, entry.resource and entry.resource.id, entry.changes, entry.metadata)
        for entry in await front.entries()
        if entry.type == kind
    ]
