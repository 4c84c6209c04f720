"""What is held of a person stands in a table, which says of each table whether an export has it."""

from hellojohn_server.features.user_export.schemas import UserExportBody
from hellojohn_server.storage.sql import TENANT_TABLES
from tests.privacy.held import HELD


def test_every_table_has_its_line() -> None:
    assert HELD.keys() == TENANT_TABLES


def test_what_is_exported_of_a_table_is_a_field_of_the_export() -> None:
    named = {held.exported for held in HELD.values() if not held.exported.startswith("not: ")}
    assert named < set(UserExportBody.__struct_fields__)
