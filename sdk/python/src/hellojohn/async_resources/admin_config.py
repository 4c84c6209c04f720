"""`admin.config`, for an event loop."""

from __future__ import annotations

from typing import Unpack

from msgspec import UNSET, UnsetType

from hellojohn._calls import Call, Repeat
from hellojohn._resource import AsyncResource
from hellojohn.options import ActingChangeOptions, ActingOptions
from hellojohn.types.admin_config import (
    Config,
    CorsChangeInput,
    ImpersonationChangeInput,
    LockoutChangeInput,
    MailChangeInput,
    MfaChangeInput,
    PasswordChangeInput,
    SessionChangeInput,
    TokenChangeInput,
    UrlChangeInput,
)


class AsyncAdminConfig(AsyncResource):
    """The methods of `admin.config`."""

    async def get(self, **options: Unpack[ActingOptions]) -> Config:
        """Get the tenant's settings.

        Needs the scope `config:read`.
        """
        call = Call(method="GET", path="/v1/admin/config", options=options)
        return await self._transport.fetch(call, Config)

    async def update(
        self,
        *,
        impersonation: ImpersonationChangeInput | UnsetType | None = UNSET,
        mail: MailChangeInput | UnsetType | None = UNSET,
        lockout: LockoutChangeInput | UnsetType | None = UNSET,
        password: PasswordChangeInput | UnsetType | None = UNSET,
        sessions: SessionChangeInput | UnsetType | None = UNSET,
        tokens: TokenChangeInput | UnsetType | None = UNSET,
        urls: UrlChangeInput | UnsetType | None = UNSET,
        cors: CorsChangeInput | UnsetType | None = UNSET,
        mfa: MfaChangeInput | UnsetType | None = UNSET,
        **options: Unpack[ActingChangeOptions],
    ) -> Config:
        """Change the tenant's settings.

        What is absent stays as it is; null puts a setting back to its default. Settings of impersonation, of the lock,
        of mail, of URLs and of CORS need admins:manage.

        Needs the scope `config:write`. In some cases also `admins:manage`.
        """
        call = Call(
            method="PATCH",
            path="/v1/admin/config",
            body={
                "impersonation": impersonation,
                "mail": mail,
                "lockout": lockout,
                "password": password,
                "sessions": sessions,
                "tokens": tokens,
                "urls": urls,
                "cors": cors,
                "mfa": mfa,
            },
            options=options,
            repeat=Repeat.WITH_KEY,
            is_versioned=True,
        )
        return await self._transport.fetch(call, Config)
