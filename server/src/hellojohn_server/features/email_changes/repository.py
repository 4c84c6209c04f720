"""The statements of users who change their own address."""

from hellojohn_server.features.users.schemas import USER_COLUMNS, User, user_of
from hellojohn_server.storage.database import Reader
from hellojohn_server.storage.sql import Statement

GET_USER = Statement(f"SELECT {USER_COLUMNS} FROM users WHERE tenant_id = :tenant_id AND id = :user_id")
GET_USER_BY_EMAIL = Statement(
    f"SELECT {USER_COLUMNS} FROM users WHERE tenant_id = :tenant_id AND email_key = :email_key"
)
GET_CLOSED_ADDRESS = Statement(
    """
    SELECT address_hash FROM banned_addresses
    WHERE tenant_id = :tenant_id AND address_hash = :address_hash AND (banned_until IS NULL OR banned_until > :now)
    """
)


async def get_user(reader: Reader, user_id: str) -> User | None:
    """Return a user, also one in the recycle bin; None when there is none."""
    row = await reader.fetch_one(GET_USER, user_id=user_id)
    return None if row is None else user_of(row)


async def get_user_by_email(reader: Reader, email_key: str) -> User | None:
    """Return the user who has an address, also one in the recycle bin; None when nobody has it."""
    row = await reader.fetch_one(GET_USER_BY_EMAIL, email_key=email_key)
    return None if row is None else user_of(row)


async def get_closed_address(reader: Reader, address_hash: str, now_ms: int) -> str | None:
    """Return the hash of an address that the ban of an erased user keeps closed; None when it is open."""
    row = await reader.fetch_one(GET_CLOSED_ADDRESS, address_hash=address_hash, now=now_ms)
    return None if row is None else str(row[0])
