"""Which names are roles, and which of them are privileged, on both stores."""

import pytest

from hellojohn_server.features.roles.service import RoleService
from hellojohn_server.kit.ids import IdFactory, IdPrefix
from hellojohn_server.storage.database import Database, Reader, Transaction
from tests.features.users.parts import INSERT_ROLE


@pytest.fixture
async def with_roles(database: Database, ids: IdFactory, tenant_id: str) -> str:
    """A tenant with a role of its own of each kind."""

    async def command(tx: Transaction) -> None:
        for name, privileged in (("editor", False), ("owner", True)):
            await tx.execute(INSERT_ROLE, id=ids.new(IdPrefix.ROLE), name=name, privileged=privileged)

    await database.write(tenant_id, command, type(None))
    return tenant_id


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([], {}),
        (["member"], {"member": False}),
        (["admin", "super_admin"], {"admin": True, "super_admin": True}),
        (["editor", "owner", "nobody"], {"editor": False, "owner": True}),
        (["owner", "owner", "member"], {"owner": True, "member": False}),
        (["Owner", "OWNER", ""], {}),
    ],
)
async def test_privileges(database: Database, with_roles: str, names: list[str], found: dict[str, bool]) -> None:
    async def query(reader: Reader) -> dict[str, bool]:
        return await RoleService().list_privileges(reader, names)

    assert await database.read(with_roles, query) == found


async def test_another_tenant_has_only_the_built_in_ones(
    database: Database, with_roles: str, other_tenant_id: str
) -> None:
    async def query(reader: Reader) -> dict[str, bool]:
        return await RoleService().list_privileges(reader, ["owner", "editor", "admin"])

    assert await database.read(other_tenant_id, query) == {"admin": True}
