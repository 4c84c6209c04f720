"""`auth`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from msgspec import UNSET, UnsetType

from hellojohn._calls import Call, Repeat
from hellojohn._resource import Resource
from hellojohn._settings import Credential
from hellojohn._transport import Transport
from hellojohn.options import Options, WriteOptions
from hellojohn.resources.auth_magic_link import AuthMagicLink
from hellojohn.resources.auth_me import AuthMe
from hellojohn.resources.auth_mfa import AuthMfa
from hellojohn.resources.auth_organizations import AuthOrganizations
from hellojohn.resources.auth_passkeys import AuthPasskeys
from hellojohn.resources.auth_password import AuthPassword
from hellojohn.resources.auth_sessions import AuthSessions
from hellojohn.types.auth import RequestOptions, SignedIn


class Auth(Resource):
    """The methods of `auth`."""

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self.magic_link = AuthMagicLink(transport)
        self.me = AuthMe(transport)
        self.mfa = AuthMfa(transport)
        self.organizations = AuthOrganizations(transport)
        self.passkeys = AuthPasskeys(transport)
        self.password = AuthPassword(transport)
        self.sessions = AuthSessions(transport)

    def accept_invitation(self, *, token: str, password: str, **options: Unpack[Options]) -> None:
        """Set the first password with the secret of an invitation's link.

        Verifies the address. It does not sign in.

        `token`: the secret of the link, act_....
        `password`: 8 characters or more, at most 1024 bytes.
        """
        call = Call(
            method="POST",
            path="/v1/auth/invitation/accept",
            body={"token": token, "password": password},
            options=options,
            repeat=Repeat.NEVER,
            credential=Credential.PUBLISHABLE_KEY,
        )
        self._transport.send(call)

    def mfa_passkey_options(self, *, challenge_id: str, **options: Unpack[Options]) -> RequestOptions:
        """Get what the browser needs to finish a sign-in with a passkey.

        What it answers goes to mfa/verify as credential.
        """
        call = Call(
            method="POST",
            path="/v1/auth/mfa/passkey/options",
            body={"challenge_id": challenge_id},
            options=options,
            repeat=Repeat.NEVER,
            credential=Credential.PUBLISHABLE_KEY,
        )
        return self._transport.fetch(call, RequestOptions)

    def refresh(
        self, *, refresh_token: str, organization_id: str | UnsetType | None = UNSET, **options: Unpack[Options]
    ) -> SignedIn:
        """Get a session's next tokens.

        A refresh token is good once. When it comes again somebody else may have it, and the session ends. With an
        organization_id the user is active in that organization from then on, and the access token says so.

        `refresh_token`: the refresh token, rft_....
        `organization_id`: an organization of the user's.
        """
        call = Call(
            method="POST",
            path="/v1/auth/token/refresh",
            body={"refresh_token": refresh_token, "organization_id": organization_id},
            options=options,
            repeat=Repeat.NEVER,
            credential=Credential.PUBLISHABLE_KEY,
        )
        return self._transport.fetch(call, SignedIn)

    def sign_in(self, *, email: str, password: str, **options: Unpack[Options]) -> SignedIn:
        """Sign in with a password.

        An unknown address and a wrong password are answered alike, and after the same time. Ten failures with an
        address within ten minutes lock it for fifteen.

        `email`: the e-mail address; case does not matter.
        `password`: the password.
        """
        call = Call(
            method="POST",
            path="/v1/auth/sign-in",
            body={"email": email, "password": password},
            options=options,
            repeat=Repeat.NEVER,
            credential=Credential.PUBLISHABLE_KEY,
        )
        return self._transport.fetch(call, SignedIn)

    def sign_out(self, **options: Unpack[WriteOptions]) -> None:
        """End the session of the access token, an impersonation's too."""
        call = Call(
            method="POST",
            path="/v1/auth/sign-out",
            options=options,
            repeat=Repeat.WITH_KEY,
            credential=Credential.ACCESS_TOKEN,
        )
        self._transport.send(call)

    def sign_up(
        self,
        *,
        email: str,
        password: str,
        name: str | UnsetType | None = UNSET,
        username: str | UnsetType | None = UNSET,
        phone: str | UnsetType | None = UNSET,
        avatar_url: str | UnsetType | None = UNSET,
        **options: Unpack[Options],
    ) -> SignedIn:
        """Sign up: make a user, and sign in.

        `email`: an e-mail address; unique in the tenant, compared without case.
        `password`: 8 characters or more, at most 1024 bytes.
        `name`: a name of 1 to 200 characters.
        `username`: 1 to 64 letters, digits and . _ - with a letter or digit first; unique without case.
        `phone`: a phone number in E.164 form, such as +14155552671.
        `avatar_url`: an http or https URL.
        """
        call = Call(
            method="POST",
            path="/v1/auth/sign-up",
            body={
                "email": email,
                "password": password,
                "name": name,
                "username": username,
                "phone": phone,
                "avatar_url": avatar_url,
            },
            options=options,
            repeat=Repeat.NEVER,
            credential=Credential.PUBLISHABLE_KEY,
        )
        return self._transport.fetch(call, SignedIn)

    def verify_email(self, *, token: str, **options: Unpack[Options]) -> None:
        """Verify an e-mail address with the secret of a link.

        The link of a change of address makes the address the user's.

        `token`: the secret of the link, act_....
        """
        call = Call(
            method="POST",
            path="/v1/auth/email/verify",
            body={"token": token},
            options=options,
            repeat=Repeat.NEVER,
            credential=Credential.PUBLISHABLE_KEY,
        )
        self._transport.send(call)

    def verify_mfa(
        self,
        *,
        challenge_id: str,
        code: str | UnsetType | None = UNSET,
        credential: Mapping[str, Any] | UnsetType | None = UNSET,
        factor_id: str | UnsetType | None = UNSET,
        **options: Unpack[Options],
    ) -> SignedIn:
        """Finish a sign-in with a code of a second factor, a backup code, or a passkey.

        The challenge comes with mfa_required, is good once and for ten minutes. Each code is good once; five wrong ones
        within ten minutes are answered as wrong.

        `code`: a code of an authenticator app, or a backup code.
        """
        call = Call(
            method="POST",
            path="/v1/auth/mfa/verify",
            body={"challenge_id": challenge_id, "code": code, "credential": credential, "factor_id": factor_id},
            options=options,
            repeat=Repeat.NEVER,
            credential=Credential.PUBLISHABLE_KEY,
        )
        return self._transport.fetch(call, SignedIn)
