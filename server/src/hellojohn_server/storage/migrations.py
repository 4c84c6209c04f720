"""The migrations of every store: numbered SQL files beside this module, applied in order, forward only.

storage/migrations/<engine>/<plane>/0001_initial.sql, 0002_..., without a gap. A released file is never edited: a change
is a new file, and there is no way back but a backup.
"""

import re
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Final

import msgspec

_FILE_NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")


class Engine(StrEnum):
    """The kind of store a migration is written for."""

    POSTGRES = "postgres"
    SQLITE = "sqlite"


class Plane(StrEnum):
    """Whose tables: the control store's, or one tenant's."""

    CONTROL = "control"
    TENANT = "tenant"


class Migration(msgspec.Struct, frozen=True):
    """One step. `number` is the schema version after it."""

    number: int
    name: str
    sql: str


@cache
def load_migrations(engine: Engine, plane: Plane) -> tuple[Migration, ...]:
    """Return every migration of an engine and plane, the oldest first. The last one's number is the code's version."""
    folder = resources.files("hellojohn_server.storage").joinpath("migrations", engine.value, plane.value)
    found: list[Migration] = []
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        named = _FILE_NAME.fullmatch(file.name)
        if named is None or int(named[1]) != len(found) + 1:
            raise ValueError(f"{engine.value}/{plane.value}/{file.name}: expected {len(found) + 1:04d}_<name>.sql here")
        found.append(Migration(int(named[1]), named[2], file.read_text(encoding="utf-8")))
    return tuple(found)
