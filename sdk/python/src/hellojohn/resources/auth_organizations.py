"""`auth.organizations`."""

from __future__ import annotations

from typing import Unpack

from msgspec import UNSET, UnsetType

from hellojohn._calls import Call, Repeat, segment
from hellojohn._resource import Resource
from hellojohn._settings import Credential
from hellojohn.options import Options, WriteOptions
from hellojohn.pages import Page
from hellojohn.types.auth import SignedIn
from hellojohn.types.shared import Belonging


class AuthOrganizations(Resource):
    """The methods of `auth.organizations`."""

    def join(self, *, token: str, **options: Unpack[Options]) -> Belonging:
        """Join an organization by a mailed link.

        For a user whose verified address is the one that the link was mailed to.

        `token`: the secret of the link, act_....
        """
        call = Call(
            method="POST",
            path="/v1/auth/organization-invitations/accept",
            body={"token": token},
            options=options,
            repeat=Repeat.NEVER,
            credential=Credential.ACCESS_TOKEN,
        )
        return self._transport.fetch(call, Belonging)

    def leave(self, organization_id: str, **options: Unpack[WriteOptions]) -> None:
        """Leave an organization. The last owner stays."""
        call = Call(
            method="DELETE",
            path=f"/v1/auth/organizations/{segment(organization_id)}",
            options=options,
            repeat=Repeat.WITH_KEY,
            credential=Credential.ACCESS_TOKEN,
        )
        self._transport.send(call)

    def list(
        self, *, limit: int | UnsetType = UNSET, cursor: str | UnsetType = UNSET, **options: Unpack[Options]
    ) -> Page[Belonging]:
        """List one's own organizations, and as what one is a member.

        `limit`: rows per page; 20 unless told otherwise.
        `cursor`: next_cursor of the page before.
        """
        call = Call(
            method="GET",
            path="/v1/auth/organizations",
            query={"limit": limit, "cursor": cursor},
            options=options,
            credential=Credential.ACCESS_TOKEN,
        )
        return self._transport.page(call, Belonging)

    def sign_up(
        self,
        *,
        token: str,
        password: str,
        name: str | UnsetType | None = UNSET,
        username: str | UnsetType | None = UNSET,
        **options: Unpack[Options],
    ) -> SignedIn:
        """Sign up by a mailed link, and join the organization.

        The address is the one that the link was mailed to, and verified thereby. Who has an account signs in, and
        accepts.

        `token`: the secret of the link, act_....
        `password`: 8 characters or more, at most 1024 bytes.
        `name`: a name of 1 to 200 characters.
        `username`: 1 to 64 letters, digits and . _ - with a letter or digit first; unique without case.
        """
        call = Call(
            method="POST",
            path="/v1/auth/organization-invitations/sign-up",
            body={"token": token, "password": password, "name": name, "username": username},
            options=options,
            repeat=Repeat.NEVER,
            credential=Credential.PUBLISHABLE_KEY,
        )
        return self._transport.fetch(call, SignedIn)
