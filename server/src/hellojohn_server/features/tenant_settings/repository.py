"""The statements on a tenant's settings: one row, with the whole document in it."""

from typing import Final

import msgspec

from hellojohn_server.features.tenant_settings.schemas import StoredConfig, TenantConfig
from hellojohn_server.storage.database import Reader, Row, Transaction
from hellojohn_server.storage.sql import Kind, Statement

_COLUMNS: Final = "document, updated_at, version"

GET_CONFIG: Final = Statement(
    f"SELECT {_COLUMNS} FROM tenant_settings WHERE tenant_id = :tenant_id AND name = 'config'"
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


async def get_config(reader: Reader) -> StoredConfig:
    """Return the tenant's settings; the defaults when nobody has changed them."""
    row = await reader.fetch_one(GET_CONFIG)
    return StoredConfig() if row is None else _config_of(row)


async def get_config_locked(tx: Transaction) -> StoredConfig:
    """Return the tenant's settings, which nobody else changes until `tx` ends."""
    await tx.execute(INSERT_DEFAULTS)
    row = await tx.fetch_one(GET_CONFIG_LOCKED)
    if row is None:
        raise RuntimeError("the row of the settings that was just made is gone")
    return _config_of(row)


async def update_config(tx: Transaction, stored: StoredConfig) -> None:
    """Write locked settings anew."""
    await tx.execute(
        UPDATE_CONFIG,
        document=msgspec.json.encode(stored.config).decode(),
        updated_at=stored.updated_at,
        version=stored.version,
    )


def _config_of(row: Row) -> StoredConfig:
    return StoredConfig(msgspec.json.decode(row[0], type=TenantConfig), row[1], row[2])
