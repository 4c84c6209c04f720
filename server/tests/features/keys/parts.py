"""Keys for tests of keys."""

from collections.abc import Awaitable
from typing import Final

import msgspec
import pytest

from hellojohn_server.features.keys.schemas import CreateKeyBody, MadeKey
from hellojohn_server.kit.api_keys import ParsedKey, parse_key
from hellojohn_server.kit.errors import ApiError
from tests.features.tenants.parts import Parts, key_context

DAY_MS: Final = 86_400_000
EVERYTHING: Final = ("*", "admins:manage")
UNKNOWN_KEY: Final = "key_01HXXXXXXXXXXXXXXXXXXXXXXX"


async def make(parts: Parts, tenant_id: str, **fields: object) -> MadeKey:
    """Make a key as one that may do everything."""
    body = msgspec.convert({"name": "backend", **fields}, CreateKeyBody)
    return await parts.keys.create_key(key_context(tenant_id, scopes=EVERYTHING), tenant_id, body)


def parsed(key: str) -> ParsedKey:
    """Return what a key says of itself."""
    found = parse_key(key)
    assert found is not None
    return found


async def refusal_of(act: Awaitable[object]) -> ApiError:
    """Return what an act is refused with."""
    with pytest.raises(ApiError) as refused:
        await act
    return refused.value
