"""`users`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Unpack, overload

from msgspec import UNSET, UnsetType

from hellojohn._calls import Call, Repeat, segment
from hellojohn._resource import Resource
from hellojohn.options import ActingChangeOptions, ActingOptions, ActingWriteOptions
from hellojohn.pages import Page
from hellojohn.streams import Stream
from hellojohn.types.shared import Belonging, ExportFormat, SearchFiltersInput, Session, SessionStatus, UserStatus
from hellojohn.types.users import (
    Access,
    BulkBanned,
    BulkDeleted,
    BulkDisabled,
    BulkEnabled,
    BulkResetsForced,
    BulkRestored,
    BulkSessionsRevoked,
    BulkUnbanned,
    ChangedUser,
    Direction,
    LinkQueued,
    ResetForced,
    SearchSortInput,
    SortField,
    User,
    UserExport,
)


class Users(Resource):
    """The methods of `users`."""

    def access(self, user_id: str, **options: Unpack[ActingOptions]) -> Access:
        """Say whether a user can sign in now, and what prevents it.

        Needs the scope `users:read`.
        """
        call = Call(method="GET", path=f"/v1/users/{segment(user_id)}/access", options=options)
        return self._transport.fetch(call, Access)

    def ban(
        self,
        user_id: str,
        *,
        reason: str | UnsetType | None = UNSET,
        expires_in: str | UnsetType | None = UNSET,
        expires_at: datetime | str | UnsetType | None = UNSET,
        **options: Unpack[ActingChangeOptions],
    ) -> ChangedUser:
        """Ban a user.

        No sign-in until the end of the ban, or for good, and nobody else takes the address. Sessions end. For a user
        under a ban the ban is changed.

        Needs the scope `users:write`. In some cases also `admins:manage`.

        `reason`: why, for the audit log; at most 500 characters.
        `expires_in`: a whole number and a unit: s m h d w y (365 days), as in 1h.
        """
        call = Call(
            method="POST",
            path=f"/v1/users/{segment(user_id)}/ban",
            body={"reason": reason, "expires_in": expires_in, "expires_at": expires_at},
            options=options,
            repeat=Repeat.WITH_KEY,
            is_versioned=True,
        )
        return self._transport.fetch(call, ChangedUser)

    def bulk_ban(
        self,
        *,
        user_ids: Sequence[str],
        reason: str | UnsetType | None = UNSET,
        expires_in: str | UnsetType | None = UNSET,
        expires_at: datetime | str | UnsetType | None = UNSET,
        **options: Unpack[ActingWriteOptions],
    ) -> BulkBanned:
        """Ban up to 1,000 users in one transaction.

        Needs the scope `users:write`. In some cases also `admins:manage`.

        `reason`: why, for the audit log; at most 500 characters.
        `expires_in`: a whole number and a unit: s m h d w y (365 days), as in 1h.
        `user_ids`: 1 to 1000 ids; repeated ones count once.
        """
        call = Call(
            method="POST",
            path="/v1/admin/users/bulk-ban",
            body={"reason": reason, "expires_in": expires_in, "expires_at": expires_at, "user_ids": user_ids},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return self._transport.fetch(call, BulkBanned)

    def bulk_delete(
        self, *, user_ids: Sequence[str], reason: str | UnsetType | None = UNSET, **options: Unpack[ActingWriteOptions]
    ) -> BulkDeleted:
        """Move up to 1,000 users to the recycle bin in one transaction.

        Needs the scope `users:write`. In some cases also `admins:manage`.

        `user_ids`: 1 to 1000 ids; repeated ones count once.
        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="POST",
            path="/v1/admin/users/bulk-delete",
            body={"user_ids": user_ids, "reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return self._transport.fetch(call, BulkDeleted)

    def bulk_disable(
        self,
        *,
        user_ids: Sequence[str],
        revoke_sessions: bool | UnsetType = UNSET,
        reason: str | UnsetType | None = UNSET,
        **options: Unpack[ActingWriteOptions],
    ) -> BulkDisabled:
        """Disable up to 1,000 users in one transaction.

        Users who cannot be disabled are listed in refused and left alone; the others are disabled.

        Needs the scope `users:write`. In some cases also `admins:manage`.

        `user_ids`: 1 to 1000 ids; repeated ones count once.
        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="POST",
            path="/v1/admin/users/bulk-disable",
            body={"user_ids": user_ids, "revoke_sessions": revoke_sessions, "reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return self._transport.fetch(call, BulkDisabled)

    def bulk_enable(
        self, *, user_ids: Sequence[str], reason: str | UnsetType | None = UNSET, **options: Unpack[ActingWriteOptions]
    ) -> BulkEnabled:
        """Enable up to 1,000 users in one transaction.

        Needs the scope `users:write`. In some cases also `admins:manage`.

        `user_ids`: 1 to 1000 ids; repeated ones count once.
        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="POST",
            path="/v1/admin/users/bulk-enable",
            body={"user_ids": user_ids, "reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return self._transport.fetch(call, BulkEnabled)

    def bulk_password_reset(
        self,
        *,
        user_ids: Sequence[str],
        revoke_sessions: bool | UnsetType = UNSET,
        require: bool | UnsetType = UNSET,
        reason: str | UnsetType | None = UNSET,
        **options: Unpack[ActingWriteOptions],
    ) -> BulkResetsForced:
        """Have up to 1,000 users choose other passwords, in one transaction.

        Each is mailed a link. Unless require is false the old passwords open nothing from now on.

        Needs the scope `users:write`. In some cases also `admins:manage`.

        `reason`: why, for the audit log; at most 500 characters.
        `user_ids`: 1 to 1000 ids; repeated ones count once.
        """
        call = Call(
            method="POST",
            path="/v1/admin/users/bulk-password-reset",
            body={"revoke_sessions": revoke_sessions, "require": require, "reason": reason, "user_ids": user_ids},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return self._transport.fetch(call, BulkResetsForced)

    def bulk_restore(
        self, *, user_ids: Sequence[str], reason: str | UnsetType | None = UNSET, **options: Unpack[ActingWriteOptions]
    ) -> BulkRestored:
        """Restore up to 1,000 users from the recycle bin in one transaction.

        Needs the scope `users:write`. In some cases also `admins:manage`.

        `user_ids`: 1 to 1000 ids; repeated ones count once.
        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="POST",
            path="/v1/admin/users/bulk-restore",
            body={"user_ids": user_ids, "reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return self._transport.fetch(call, BulkRestored)

    def bulk_revoke_sessions(
        self, *, user_ids: Sequence[str], reason: str | UnsetType | None = UNSET, **options: Unpack[ActingWriteOptions]
    ) -> BulkSessionsRevoked:
        """End every session of up to 1,000 users in one transaction.

        Needs the scope `sessions:write`. In some cases also `admins:manage`.

        `user_ids`: 1 to 1000 ids; repeated ones count once.
        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="POST",
            path="/v1/admin/users/bulk-revoke-sessions",
            body={"user_ids": user_ids, "reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return self._transport.fetch(call, BulkSessionsRevoked)

    def bulk_unban(
        self, *, user_ids: Sequence[str], reason: str | UnsetType | None = UNSET, **options: Unpack[ActingWriteOptions]
    ) -> BulkUnbanned:
        """Lift the bans of up to 1,000 users in one transaction.

        Needs the scope `users:write`. In some cases also `admins:manage`.

        `user_ids`: 1 to 1000 ids; repeated ones count once.
        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="POST",
            path="/v1/admin/users/bulk-unban",
            body={"user_ids": user_ids, "reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return self._transport.fetch(call, BulkUnbanned)

    def create(
        self,
        *,
        email: str,
        password: str | UnsetType | None = UNSET,
        password_hash: str | UnsetType | None = UNSET,
        name: str | UnsetType | None = UNSET,
        username: str | UnsetType | None = UNSET,
        phone: str | UnsetType | None = UNSET,
        phone_verified: bool | UnsetType = UNSET,
        avatar_url: str | UnsetType | None = UNSET,
        external_id: str | UnsetType | None = UNSET,
        role: str | UnsetType = UNSET,
        email_verified: bool | UnsetType = UNSET,
        public_metadata: Mapping[str, Any] | UnsetType = UNSET,
        private_metadata: Mapping[str, Any] | UnsetType = UNSET,
        send_invitation: bool | UnsetType = UNSET,
        **options: Unpack[ActingWriteOptions],
    ) -> User:
        """Create a user.

        With a password, with a hash that another system made, or without either: then send_invitation mails a link that
        sets the first password. A privileged role needs admins:manage.

        Needs the scope `users:write`. In some cases also `admins:manage`.

        `email`: an e-mail address; unique in the tenant, compared without case.
        `password`: 8 characters or more, at most 1024 bytes.
        `password_hash`: a hash that another system made: argon2, bcrypt, scrypt or PBKDF2.
        `name`: a name of 1 to 200 characters.
        `username`: 1 to 64 letters, digits and . _ - with a letter or digit first; unique without case.
        `phone`: a phone number in E.164 form, such as +14155552671.
        `avatar_url`: an http or https URL.
        `external_id`: your own id of the user; unique in the tenant.
        `role`: the name of a role; "member" unless told otherwise.
        `public_metadata`: an object of at most 16 KiB as JSON.
        `private_metadata`: an object of at most 16 KiB as JSON.
        """
        call = Call(
            method="POST",
            path="/v1/users",
            body={
                "email": email,
                "password": password,
                "password_hash": password_hash,
                "name": name,
                "username": username,
                "phone": phone,
                "phone_verified": phone_verified,
                "avatar_url": avatar_url,
                "external_id": external_id,
                "role": role,
                "email_verified": email_verified,
                "public_metadata": public_metadata,
                "private_metadata": private_metadata,
                "send_invitation": send_invitation,
            },
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return self._transport.fetch(call, User)

    def delete(
        self,
        user_id: str,
        *,
        permanent: bool | UnsetType = UNSET,
        reason: str | UnsetType | None = UNSET,
        **options: Unpack[ActingChangeOptions],
    ) -> ChangedUser | None:
        """Move a user to the recycle bin, or erase the user.

        In the bin for 30 days, then erased. Sessions end. With permanent=true everything held about the user is
        destroyed at once, for which users:erase is needed, and no reason is kept.

        Needs the scope `users:write`. In some cases also `admins:manage`, `users:erase`.

        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="DELETE",
            path=f"/v1/users/{segment(user_id)}",
            query={"permanent": permanent},
            body={"reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
            is_versioned=True,
        )
        return self._transport.fetch_or_none(call, ChangedUser)

    def disable(
        self,
        user_id: str,
        *,
        reason: str | UnsetType | None = UNSET,
        revoke_sessions: bool | UnsetType = UNSET,
        **options: Unpack[ActingChangeOptions],
    ) -> ChangedUser:
        """Disable a user.

        No sign-in until the user is enabled again. Sessions end, or with revoke_sessions false rest until then.

        Needs the scope `users:write`. In some cases also `admins:manage`.

        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="POST",
            path=f"/v1/users/{segment(user_id)}/disable",
            body={"reason": reason, "revoke_sessions": revoke_sessions},
            options=options,
            repeat=Repeat.WITH_KEY,
            is_versioned=True,
        )
        return self._transport.fetch(call, ChangedUser)

    def enable(
        self, user_id: str, *, reason: str | UnsetType | None = UNSET, **options: Unpack[ActingChangeOptions]
    ) -> ChangedUser:
        """Enable a user who was disabled.

        Needs the scope `users:write`. In some cases also `admins:manage`.

        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="POST",
            path=f"/v1/users/{segment(user_id)}/enable",
            body={"reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
            is_versioned=True,
        )
        return self._transport.fetch(call, ChangedUser)

    def export(self, user_id: str, **options: Unpack[ActingOptions]) -> UserExport:
        """Get everything held about one person, as one document.

        Also of a user in the recycle bin. Never a password hash, a secret of a factor, a code or a token. It is made
        while it goes out: an answer that breaks off is not complete, and no JSON.

        Needs the scope `users:export`. In some cases also `admins:manage`.
        """
        call = Call(method="GET", path=f"/v1/admin/users/{segment(user_id)}/export", options=options)
        return self._transport.fetch(call, UserExport)

    @overload
    def export_all(
        self,
        *,
        format: Literal["ndjson"] | UnsetType = UNSET,
        query: str | UnsetType = UNSET,
        email: str | UnsetType = UNSET,
        external_id: str | UnsetType = UNSET,
        status: UserStatus | UnsetType = UNSET,
        role: str | UnsetType = UNSET,
        disabled: bool | UnsetType = UNSET,
        mfa_enrolled: bool | UnsetType = UNSET,
        email_verified: bool | UnsetType = UNSET,
        organization_id: str | UnsetType = UNSET,
        created_after: datetime | str | UnsetType = UNSET,
        created_before: datetime | str | UnsetType = UNSET,
        last_active_after: datetime | str | UnsetType = UNSET,
        last_active_before: datetime | str | UnsetType = UNSET,
        **options: Unpack[ActingOptions],
    ) -> Stream[User]: ...
    @overload
    def export_all(
        self,
        *,
        format: Literal["csv"],
        query: str | UnsetType = UNSET,
        email: str | UnsetType = UNSET,
        external_id: str | UnsetType = UNSET,
        status: UserStatus | UnsetType = UNSET,
        role: str | UnsetType = UNSET,
        disabled: bool | UnsetType = UNSET,
        mfa_enrolled: bool | UnsetType = UNSET,
        email_verified: bool | UnsetType = UNSET,
        organization_id: str | UnsetType = UNSET,
        created_after: datetime | str | UnsetType = UNSET,
        created_before: datetime | str | UnsetType = UNSET,
        last_active_after: datetime | str | UnsetType = UNSET,
        last_active_before: datetime | str | UnsetType = UNSET,
        **options: Unpack[ActingOptions],
    ) -> Stream[dict[str, str]]: ...
    def export_all(
        self,
        *,
        format: ExportFormat | UnsetType = UNSET,
        query: str | UnsetType = UNSET,
        email: str | UnsetType = UNSET,
        external_id: str | UnsetType = UNSET,
        status: UserStatus | UnsetType = UNSET,
        role: str | UnsetType = UNSET,
        disabled: bool | UnsetType = UNSET,
        mfa_enrolled: bool | UnsetType = UNSET,
        email_verified: bool | UnsetType = UNSET,
        organization_id: str | UnsetType = UNSET,
        created_after: datetime | str | UnsetType = UNSET,
        created_before: datetime | str | UnsetType = UNSET,
        last_active_after: datetime | str | UnsetType = UNSET,
        last_active_before: datetime | str | UnsetType = UNSET,
        **options: Unpack[ActingOptions],
    ) -> Stream[User] | Stream[dict[str, str]]:
        """Export users.

        Every user whom the filters select, newest first, as lines of JSON or of CSV: the fields are those of a user.
        Never a password hash. It is made while it goes out, and what changes meanwhile is in it or not; but whoever
        matches throughout is in it, and once. An answer that breaks off is not complete: its last chunk is missing.

        Needs the scope `users:export`. In some cases also `admins:manage`.

        `query`: words that must all occur in name, e-mail, username, phone or id, without regard to case and accents:
          one of three characters and more anywhere, a shorter one at the start of a word.
        `email`: the whole address; case does not matter.
        `external_id`: your own id of the user.
        `role`: the name of the user's role.
        `organization_id`: the id of an organization the user is a member of.
        `created_after`: strictly later than this time.
        `created_before`: strictly earlier than this time.
        `last_active_after`: strictly later than this time.
        `last_active_before`: strictly earlier than this time.
        """
        call = Call(
            method="GET",
            path="/v1/admin/users/export",
            query={
                "format": format,
                "query": query,
                "email": email,
                "external_id": external_id,
                "status": status,
                "role": role,
                "disabled": disabled,
                "mfa_enrolled": mfa_enrolled,
                "email_verified": email_verified,
                "organization_id": organization_id,
                "created_after": created_after,
                "created_before": created_before,
                "last_active_after": last_active_after,
                "last_active_before": last_active_before,
            },
            options=options,
        )
        return self._transport.rows(call) if format == "csv" else self._transport.stream(call, User)

    def get(self, user_id: str, **options: Unpack[ActingOptions]) -> User:
        """Get a user, also one in the recycle bin.

        Needs the scope `users:read`.
        """
        call = Call(method="GET", path=f"/v1/users/{segment(user_id)}", options=options)
        return self._transport.fetch(call, User)

    def list(
        self,
        *,
        limit: int | UnsetType = UNSET,
        cursor: str | UnsetType = UNSET,
        order_by: SortField | UnsetType = UNSET,
        direction: Direction | UnsetType = UNSET,
        email: str | UnsetType = UNSET,
        external_id: str | UnsetType = UNSET,
        status: UserStatus | UnsetType = UNSET,
        role: str | UnsetType = UNSET,
        disabled: bool | UnsetType = UNSET,
        mfa_enrolled: bool | UnsetType = UNSET,
        email_verified: bool | UnsetType = UNSET,
        organization_id: str | UnsetType = UNSET,
        created_after: datetime | str | UnsetType = UNSET,
        created_before: datetime | str | UnsetType = UNSET,
        **options: Unpack[ActingOptions],
    ) -> Page[User]:
        """List users.

        The newest first, unless another order is asked for. Users in the recycle bin are only in status=deleted.

        Needs the scope `users:read`.

        `limit`: rows per page; 20 unless told otherwise.
        `cursor`: next_cursor of the page before.
        `email`: the whole address; case does not matter.
        `external_id`: your own id of the user.
        `role`: the name of the user's role.
        `organization_id`: the id of an organization the user is a member of.
        `created_after`: strictly later than this time.
        `created_before`: strictly earlier than this time.
        """
        call = Call(
            method="GET",
            path="/v1/users",
            query={
                "limit": limit,
                "cursor": cursor,
                "order_by": order_by,
                "direction": direction,
                "email": email,
                "external_id": external_id,
                "status": status,
                "role": role,
                "disabled": disabled,
                "mfa_enrolled": mfa_enrolled,
                "email_verified": email_verified,
                "organization_id": organization_id,
                "created_after": created_after,
                "created_before": created_before,
            },
            options=options,
        )
        return self._transport.page(call, User)

    def organizations(
        self,
        user_id: str,
        *,
        limit: int | UnsetType = UNSET,
        cursor: str | UnsetType = UNSET,
        **options: Unpack[ActingOptions],
    ) -> Page[Belonging]:
        """List the organizations that a user is a member of, and as what.

        Needs the scope `users:read`.

        `limit`: rows per page; 20 unless told otherwise.
        `cursor`: next_cursor of the page before.
        """
        call = Call(
            method="GET",
            path=f"/v1/users/{segment(user_id)}/organizations",
            query={"limit": limit, "cursor": cursor},
            options=options,
        )
        return self._transport.page(call, Belonging)

    def password_reset(
        self,
        user_id: str,
        *,
        revoke_sessions: bool | UnsetType = UNSET,
        require: bool | UnsetType = UNSET,
        reason: str | UnsetType | None = UNSET,
        **options: Unpack[ActingChangeOptions],
    ) -> ResetForced:
        """Have a user choose another password.

        Mails a link that is good once, for an hour. Unless require is false the old password opens nothing from now on
        and is not accepted as the new one. Sessions go on unless revoke_sessions is true.

        Needs the scope `users:write`. In some cases also `admins:manage`.

        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="POST",
            path=f"/v1/users/{segment(user_id)}/password-reset",
            body={"revoke_sessions": revoke_sessions, "require": require, "reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
            is_versioned=True,
        )
        return self._transport.fetch(call, ResetForced)

    def resend_invitation(
        self, user_id: str, *, reason: str | UnsetType | None = UNSET, **options: Unpack[ActingChangeOptions]
    ) -> LinkQueued:
        """Mail an invited user another link.

        Good once, for seven days; it takes the place of the one that was mailed before.

        Needs the scope `users:write`. In some cases also `admins:manage`.

        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="POST",
            path=f"/v1/users/{segment(user_id)}/resend-invitation",
            body={"reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
            is_versioned=True,
        )
        return self._transport.fetch(call, LinkQueued)

    def resend_verification(
        self, user_id: str, *, reason: str | UnsetType | None = UNSET, **options: Unpack[ActingChangeOptions]
    ) -> LinkQueued:
        """Mail a user a link that verifies the address.

        Good once, for 24 hours; it takes the place of one that was mailed before.

        Needs the scope `users:write`. In some cases also `admins:manage`.

        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="POST",
            path=f"/v1/users/{segment(user_id)}/resend-verification",
            body={"reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
            is_versioned=True,
        )
        return self._transport.fetch(call, LinkQueued)

    def restore(
        self, user_id: str, *, reason: str | UnsetType | None = UNSET, **options: Unpack[ActingChangeOptions]
    ) -> ChangedUser:
        """Restore a user from the recycle bin.

        What kept the user out before, such as a ban that has not ended, still does; sessions stay ended.

        Needs the scope `users:write`. In some cases also `admins:manage`.

        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="POST",
            path=f"/v1/users/{segment(user_id)}/restore",
            body={"reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
            is_versioned=True,
        )
        return self._transport.fetch(call, ChangedUser)

    def search(
        self,
        *,
        query: str | UnsetType | None = UNSET,
        filters: SearchFiltersInput | UnsetType = UNSET,
        sort: SearchSortInput | UnsetType = UNSET,
        limit: int | UnsetType = UNSET,
        cursor: str | UnsetType | None = UNSET,
        **options: Unpack[ActingOptions],
    ) -> Page[User]:
        """Search users.

        Every word of the query must occur in name, e-mail, username, phone or id, without regard to case and accents: a
        word of three characters and more anywhere, a shorter one at the start of a word. The filters hold besides.

        Needs the scope `users:read`.

        `query`: words that must all occur in name, e-mail, username, phone or id, without regard to case and accents:
          one of three characters and more anywhere, a shorter one at the start of a word.
        `limit`: rows per page; 20 unless told otherwise.
        `cursor`: next_cursor of the page before.
        """
        call = Call(
            method="POST",
            path="/v1/admin/users/search",
            body={"query": query, "filters": filters, "sort": sort, "limit": limit, "cursor": cursor},
            options=options,
        )
        return self._transport.page(call, User)

    def sessions(
        self,
        user_id: str,
        *,
        limit: int | UnsetType = UNSET,
        cursor: str | UnsetType = UNSET,
        status: SessionStatus | UnsetType = UNSET,
        impersonated: bool | UnsetType = UNSET,
        **options: Unpack[ActingOptions],
    ) -> Page[Session]:
        """List a user's sessions, newest first; the active ones unless a status is asked for.

        Needs the scope `sessions:read`.

        `limit`: rows per page; 20 unless told otherwise.
        `cursor`: next_cursor of the page before.
        """
        call = Call(
            method="GET",
            path=f"/v1/users/{segment(user_id)}/sessions",
            query={"limit": limit, "cursor": cursor, "status": status, "impersonated": impersonated},
            options=options,
        )
        return self._transport.page(call, Session)

    def set_password(
        self,
        user_id: str,
        *,
        password: str | UnsetType | None = UNSET,
        password_hash: str | UnsetType | None = UNSET,
        revoke_sessions: bool | UnsetType = UNSET,
        reason: str | UnsetType | None = UNSET,
        **options: Unpack[ActingChangeOptions],
    ) -> ChangedUser:
        """Set a user's password.

        A password, or the hash of one that another system made. The user is not told.

        Needs the scope `users:credentials`. In some cases also `admins:manage`.

        `password`: 8 characters or more, at most 1024 bytes.
        `password_hash`: a hash that another system made: argon2, bcrypt, scrypt or PBKDF2.
        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="PUT",
            path=f"/v1/users/{segment(user_id)}/password",
            body={
                "password": password,
                "password_hash": password_hash,
                "revoke_sessions": revoke_sessions,
                "reason": reason,
            },
            options=options,
            repeat=Repeat.WITH_KEY,
            is_versioned=True,
        )
        return self._transport.fetch(call, ChangedUser)

    def unban(
        self, user_id: str, *, reason: str | UnsetType | None = UNSET, **options: Unpack[ActingChangeOptions]
    ) -> ChangedUser:
        """Lift a ban.

        The user may sign in again; sessions stay ended.

        Needs the scope `users:write`. In some cases also `admins:manage`.

        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="POST",
            path=f"/v1/users/{segment(user_id)}/unban",
            body={"reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
            is_versioned=True,
        )
        return self._transport.fetch(call, ChangedUser)

    def unlock(
        self, user_id: str, *, reason: str | UnsetType | None = UNSET, **options: Unpack[ActingChangeOptions]
    ) -> ChangedUser:
        """Lift a lock.

        Failed sign-ins with the user's address are forgotten, also where they have not led to a lock.

        Needs the scope `users:write`. In some cases also `admins:manage`.

        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="POST",
            path=f"/v1/users/{segment(user_id)}/unlock",
            body={"reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
            is_versioned=True,
        )
        return self._transport.fetch(call, ChangedUser)

    def update(
        self,
        user_id: str,
        *,
        email: str | UnsetType = UNSET,
        email_verified: bool | UnsetType = UNSET,
        name: str | UnsetType | None = UNSET,
        username: str | UnsetType | None = UNSET,
        phone: str | UnsetType | None = UNSET,
        phone_verified: bool | UnsetType = UNSET,
        avatar_url: str | UnsetType | None = UNSET,
        external_id: str | UnsetType | None = UNSET,
        role: str | UnsetType = UNSET,
        public_metadata: Mapping[str, Any] | UnsetType = UNSET,
        private_metadata: Mapping[str, Any] | UnsetType = UNSET,
        disabled: bool | UnsetType = UNSET,
        revoke_sessions: bool | UnsetType = UNSET,
        reason: str | UnsetType | None = UNSET,
        **options: Unpack[ActingChangeOptions],
    ) -> ChangedUser:
        """Change a user.

        Fields that are absent stay as they are; null clears one that may be null. Metadata is merged. A new e-mail
        address needs users:credentials; a user whose role is privileged, or a privileged new role, admins:manage.

        Needs the scope `users:write`. In some cases also `admins:manage`, `users:credentials`.

        `email`: an e-mail address; unique in the tenant, compared without case.
        `name`: a name of 1 to 200 characters.
        `username`: 1 to 64 letters, digits and . _ - with a letter or digit first; unique without case.
        `phone`: a phone number in E.164 form, such as +14155552671.
        `avatar_url`: an http or https URL.
        `external_id`: your own id of the user; unique in the tenant.
        `role`: the name of a role.
        `public_metadata`: an object of at most 16 KiB as JSON.
        `private_metadata`: an object of at most 16 KiB as JSON.
        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="PATCH",
            path=f"/v1/users/{segment(user_id)}",
            body={
                "email": email,
                "email_verified": email_verified,
                "name": name,
                "username": username,
                "phone": phone,
                "phone_verified": phone_verified,
                "avatar_url": avatar_url,
                "external_id": external_id,
                "role": role,
                "public_metadata": public_metadata,
                "private_metadata": private_metadata,
                "disabled": disabled,
                "revoke_sessions": revoke_sessions,
                "reason": reason,
            },
            options=options,
            repeat=Repeat.WITH_KEY,
            is_versioned=True,
        )
        return self._transport.fetch(call, ChangedUser)
