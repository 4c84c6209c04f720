"""The statements on a tenant's settings: one row, with the whole document in it."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from hellojohn_server.features.tenant_settings.schemas import StoredConfig, TenantConfig
from hellojohn_server.kit.email_templates import EmailTemplate
from hellojohn_server.kit.mail_settings import OwnTemplates, OwnTexts
from hellojohn_server.storage.database import Reader, Row, Transaction
from hellojohn_server.storage.sql import Kind, Statement

_TEMPLATE: Final = "email."
_COLUMNS: Final = "document, updated_at, version"

GET_CONFIG: Final = Statement(
    f"SELECT {_COLUMNS} FROM tenant_settings WHERE tenant_id = :tenant_id AND name = 'config'"
)
LIST_SETTINGS: Final = Statement(
    f"""
    SELECT {_COLUMNS}, name FROM tenant_settings
    WHERE tenant_id = :tenant_id AND (name = 'config' OR name >= 'email.' AND name < 'email/')
    """
)
GET_CONFIG_LOCKED: Final = Statement(
    f"SELECT {_COLUMNS} FROM tenant_settings WHERE tenant_id = :tenant_id AND name = 'config'",
    f"SELECT {_COLUMNS} FROM tenant_settings WHERE tenant_id = :tenant_id AND name = 'config' FOR UPDATE",
)

# Nothing is different with the row of the defaults than without one. It is there for changes at once to wait on.
INSERT_DEFAULTS: Final = Statement(
    """
    INSERT INTO tenant_settings (tenant_id, name, document, updated_at, version)
    VALUES (:tenant_id, 'config', '{}', 0, 1)
    ON CONFLICT (name) DO NOTHING
    """,
    """
    INSERT INTO tenant_settings (tenant_id, name, document, updated_at, version)
    VALUES (:tenant_id, 'config', '{}', 0, 1)
    ON CONFLICT (tenant_id, name) DO NOTHING
    """,
    kind=Kind.BOOKKEEPING,
)
UPDATE_CONFIG: Final = Statement(
    """
    UPDATE tenant_settings SET document = :document, updated_at = :updated_at, version = :version
    WHERE tenant_id = :tenant_id AND name = 'config'
    """
)


# What mails say stands in rows of its own: the document above is read at every sign-in, and texts can be long.
LIST_TEMPLATES: Final = Statement(
    "SELECT name, document FROM tenant_settings WHERE tenant_id = :tenant_id AND name >= 'email.' AND name < 'email/'"
)
GET_TEMPLATE: Final = Statement("SELECT document FROM tenant_settings WHERE tenant_id = :tenant_id AND name = :name")
INSERT_TEMPLATE: Final = Statement(
    """
    INSERT INTO tenant_settings (tenant_id, name, document, updated_at, version)
    VALUES (:tenant_id, :name, :document, :updated_at, 1)
    ON CONFLICT (name) DO UPDATE SET document = excluded.document, updated_at = excluded.updated_at
    """,
    """
    INSERT INTO tenant_settings (tenant_id, name, document, updated_at, version)
    VALUES (:tenant_id, :name, :document, :updated_at, 1)
    ON CONFLICT (tenant_id, name) DO UPDATE SET document = excluded.document, updated_at = excluded.updated_at
    """,
)
DELETE_TEMPLATE: Final = Statement("DELETE FROM tenant_settings WHERE tenant_id = :tenant_id AND name = :name")


# Whoever deletes one of these roles waits until the settings that name it are written, and finds it there.
LIST_ROLES_LOCKED: Final = Statement(
    """
    SELECT name FROM roles
    WHERE tenant_id = :tenant_id AND name IN (SELECT value FROM json_each(:names)) AND scope = 'tenant'
    """,
    """
    SELECT name FROM roles WHERE tenant_id = :tenant_id AND name = ANY(:names) AND scope = 'tenant'
    FOR SHARE
    """,
)


async def get_config(reader: Reader) -> StoredConfig:
    """Return the tenant's settings; the defaults when nobody has changed them."""
    row = await reader.fetch_one(GET_CONFIG)
    return StoredConfig() if row is None else _config_of(row)


async def get_whole_config(reader: Reader) -> StoredConfig:
    """Return the tenant's settings with the texts of mails, all of one moment."""
    rows = {row[-1]: row for row in await reader.fetch_all(LIST_SETTINGS)}
    config = rows.pop("config", None)
    stored = StoredConfig() if config is None else _config_of(config)
    return msgspec.structs.replace(stored, templates=_templates_of((name, row[0]) for name, row in rows.items()))


async def get_config_locked(tx: Transaction) -> StoredConfig:
    """Return the tenant's settings, which nobody else changes until `tx` ends."""
    await tx.execute(INSERT_DEFAULTS)
    row = await tx.fetch_one(GET_CONFIG_LOCKED)
    if row is None:
        raise RuntimeError("the row of the settings that was just made is gone")
    return _config_of(row)


async def list_roles_locked(tx: Transaction, names: Sequence[str]) -> set[str]:
    """Return those of `names` that are roles of users, of the tenant's own; they stay until `tx` ends."""
    return {row[0] for row in await tx.fetch_all(LIST_ROLES_LOCKED, names=names)}


async def update_config(tx: Transaction, stored: StoredConfig) -> None:
    """Write locked settings anew."""
    await tx.execute(
        UPDATE_CONFIG,
        document=msgspec.json.encode(stored.config).decode(),
        updated_at=stored.updated_at,
        version=stored.version,
    )


async def list_templates(reader: Reader) -> OwnTemplates:
    """Return the texts of mails that are not the built-in ones."""
    return _templates_of(await reader.fetch_all(LIST_TEMPLATES))


async def get_template(reader: Reader, template: EmailTemplate) -> OwnTexts | None:
    """Return the texts of one mail that are not the built-in ones; None when all are."""
    row = await reader.fetch_one(GET_TEMPLATE, name=f"{_TEMPLATE}{template.value}")
    return None if row is None else msgspec.json.decode(row[0], type=OwnTexts)


async def update_templates(tx: Transaction, before: OwnTemplates, after: OwnTemplates, now_ms: int) -> None:
    """Write what differs of the texts of mails. The settings are locked meanwhile."""
    for template in EmailTemplate:
        texts = getattr(after, template.value)
        name = f"{_TEMPLATE}{template.value}"
        if texts == getattr(before, template.value):
            continue
        if texts is None:
            await tx.execute(DELETE_TEMPLATE, name=name)
        else:
            document = msgspec.json.encode(texts).decode()
            await tx.execute(INSERT_TEMPLATE, name=name, document=document, updated_at=now_ms)


def _templates_of(rows: Iterable[Row]) -> OwnTemplates:
    found = {name.removeprefix(_TEMPLATE): msgspec.json.decode(document) for name, document in rows}
    return msgspec.convert(found, OwnTemplates)


def _config_of(row: Row) -> StoredConfig:
    return StoredConfig(msgspec.json.decode(row[0], type=TenantConfig), updated_at=row[1], version=row[2])
