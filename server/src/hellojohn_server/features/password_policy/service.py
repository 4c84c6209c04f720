"""The rules for a new password (NIST SP 800-63B, section 3.1.1): its length, and that nobody would try it first.

No kinds of characters are asked for and nothing expires: both make passwords worse.
"""

import asyncio
from collections.abc import Sequence

from hellojohn_server.features.tenant_settings.schemas import PasswordSettings
from hellojohn_server.features.tenant_settings.service import TenantSettingsService
from hellojohn_server.features.tenants.service import TenantService
from hellojohn_server.kit.common_passwords import common_passwords, password_key
from hellojohn_server.kit.error_codes import FieldCode
from hellojohn_server.kit.errors import FieldError, Invalid
from hellojohn_server.kit.passwords import PasswordHasher
from hellojohn_server.storage.database import Database


class NewPasswords:
    """The passwords that are being chosen in a tenant, whoever chooses. `hasher` is for those that are there."""

    def __init__(
        self, db: Database, *, settings: TenantSettingsService, tenants: TenantService, hasher: PasswordHasher
    ) -> None:
        self._db = db
        self._settings = settings
        self._tenants = tenants
        self.hasher = hasher

    async def hash(self, tenant_id: str, password: str, about: Sequence[str | None], *, field: str = "password") -> str:
        """Return the hash to store of a new password. Invalid, naming `field`, for one that the tenant does not take.

        `about` are the addresses and names of whose it is to be: none of them is taken. PasswordHashingBusy.
        """
        settings = (await self._db.read(tenant_id, self._settings.get_settings)).password
        words = about
        if settings.refuse_common:
            tenant = await self._tenants.get_tenant(tenant_id)
            words = [*about, None if tenant is None else tenant.name]
        fault = await asyncio.to_thread(fault_of, settings, password, words)  # the first reads the list
        if fault is not None:
            raise Invalid(details=[FieldError(field, *fault)])
        return await self.hasher.hash(password, owner=tenant_id)


def fault_of(settings: PasswordSettings, password: str, about: Sequence[str | None]) -> tuple[FieldCode, str] | None:
    """Return what is wrong with a password that is short enough to be hashed; None when it is taken."""
    length = len(password)
    if length < settings.min_length:
        return FieldCode.TOO_SHORT, f"Must have at least {settings.min_length} characters, not {length}."
    if length > settings.max_length:
        return FieldCode.TOO_LONG, f"Must have at most {settings.max_length} characters, not {length}."
    if not settings.refuse_common:
        return None
    key = password_key(password)
    if key in common_passwords():
        return FieldCode.TOO_COMMON, "Is one of the passwords that are tried first. Choose one that nobody would guess."
    if any(key in _keys_of(word) for word in about if word is not None):
        return FieldCode.TOO_COMMON, "Must not be the user's own address or name, or that of the service."
    return None


def _keys_of(word: str) -> set[str]:
    """Return the keys of a name, or of an address and of what stands before its last @."""
    return {password_key(word), password_key(word.rpartition("@")[0])}
