"""Which roles there are, and which of them are privileged."""

from collections.abc import Iterable

from hellojohn_server.features.roles import repository
from hellojohn_server.features.roles.schemas import PRIVILEGED_BUILTINS, is_builtin
from hellojohn_server.storage.database import Reader


class RoleService:
    """Answers for the built-in roles without asking the store."""

    async def list_privileges(self, reader: Reader, names: Iterable[str]) -> dict[str, bool]:
        """Return each of `names` that is a role, with whether it is privileged; names that are no role are left out."""
        asked = set(names)
        found = {name: name in PRIVILEGED_BUILTINS for name in asked if is_builtin(name)}
        own = sorted(asked - found.keys())
        if own:
            found |= await repository.list_privileges(reader, own)
        return found
