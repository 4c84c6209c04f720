"""`auth.magic_link`."""

from __future__ import annotations

from typing import Unpack

from hellojohn._calls import Call, Repeat
from hellojohn._resource import Resource
from hellojohn._settings import Credential
from hellojohn.options import Options
from hellojohn.types.auth import Accepted, SignedIn


class AuthMagicLink(Resource):
    """The methods of `auth.magic_link`."""

    def request(self, *, email: str, **options: Unpack[Options]) -> Accepted:
        """Ask for a link to sign in with.

        It opens the application's own page (urls.magic_link_url in the settings); without one, none is mailed. The
        answer is the same, and takes as long, whether or not anybody has the address. Good once, for 15 minutes.

        `email`: the e-mail address; case does not matter.
        """
        call = Call(
            method="POST",
            path="/v1/auth/magic-link",
            body={"email": email},
            options=options,
            repeat=Repeat.NEVER,
            credential=Credential.PUBLISHABLE_KEY,
        )
        return self._transport.fetch(call, Accepted)

    def verify(self, *, token: str, **options: Unpack[Options]) -> SignedIn:
        """Sign in with the secret of a link.

        Verifies the address. Whoever has a second factor is asked for it, as after a password.

        `token`: the secret of the link, act_....
        """
        call = Call(
            method="POST",
            path="/v1/auth/magic-link/verify",
            body={"token": token},
            options=options,
            repeat=Repeat.NEVER,
            credential=Credential.PUBLISHABLE_KEY,
        )
        return self._transport.fetch(call, SignedIn)
