"""Every statement of this service, as each engine is given it, is parsed and found bound to its tenant."""

import itertools
import pkgutil
import typing
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from functools import cache
from importlib import import_module
from importlib.resources import files
from inspect import signature
from random import Random
from types import ModuleType
from typing import Any, Final

import msgspec
import pytest

import hellojohn_server
from hellojohn_server.storage.sql import TENANT_TABLES, Statement
from tools.lint.migrations import differences, tables_of, tenant_tables_of
from tools.lint.statements import check_statement, with_names

DICE: Final = Random(20)
SAMPLE: Final = 100

BOUND = [
    "SELECT id FROM users WHERE tenant_id = :tenant_id AND (name = :name OR email = :name)",
    "SELECT u.id FROM users AS u JOIN sessions AS s ON s.tenant_id = :tenant_id WHERE u.tenant_id = :tenant_id",
    "SELECT u.id FROM users AS u LEFT JOIN sessions AS s ON s.tenant_id = :tenant_id WHERE u.tenant_id = :tenant_id",
    "SELECT count(*) FROM (SELECT 1 FROM users WHERE tenant_id = :tenant_id LIMIT 10) AS some",
    "WITH found AS (SELECT id FROM users WHERE tenant_id = :tenant_id) SELECT id FROM found",
    "INSERT INTO users (id, tenant_id) VALUES (:id, :tenant_id)",
    "INSERT INTO users (tenant_id, id) SELECT :tenant_id, id FROM sessions WHERE tenant_id = :tenant_id",
    "UPDATE users SET name = :name WHERE tenant_id = :tenant_id AND id = :id RETURNING id",
    "DELETE FROM users WHERE tenant_id = :tenant_id",
    "SELECT name FROM tenants WHERE id = :id",
]
UNBOUND = [
    ("SELECT id FROM users", "users"),
    ("SELECT id FROM users WHERE tenant_id = :other", "users"),
    ("SELECT id FROM users WHERE tenant_id = :tenant_id OR name = :name", "users"),
    ("SELECT id FROM users WHERE NOT tenant_id = :tenant_id", "users"),
    ("SELECT u.id FROM users AS u JOIN sessions AS s ON s.user_id = u.id WHERE u.tenant_id = :tenant_id", "s"),
    ("SELECT u.id FROM users AS u JOIN sessions AS s ON s.user_id = u.id WHERE tenant_id = :tenant_id", "u"),
    (
        "SELECT u.id FROM users AS u LEFT JOIN sessions AS s ON s.tenant_id = :tenant_id AND u.tenant_id = :tenant_id",
        "u",
    ),
    ("SELECT id FROM users WHERE tenant_id = :tenant_id AND id IN (SELECT user_id FROM sessions)", "sessions"),
    ("WITH found AS (SELECT id FROM users) SELECT id FROM found", "users"),
    ("INSERT INTO users (id) VALUES (:id)", "users"),
    ("INSERT INTO users (tenant_id, id) VALUES (:id, :tenant_id)", "users"),
    ("INSERT INTO users (tenant_id, id) SELECT :tenant_id, user_id FROM sessions", "sessions"),
    ("UPDATE users SET tenant_id = :tenant_id", "users"),
    ("DELETE FROM users WHERE id = :id", "users"),
]


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
@pytest.mark.parametrize("sql", BOUND)
def test_a_statement_that_names_its_tenant_passes(sql: str, dialect: str) -> None:
    assert list(check_statement(sql, dialect, TENANT_TABLES)) == []


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
@pytest.mark.parametrize(("sql", "table"), UNBOUND)
def test_a_table_without_its_tenant_is_found(sql: str, table: str, dialect: str) -> None:
    found = [message for message in check_statement(sql, dialect, TENANT_TABLES) if table in message.split()]
    assert len(found) == 1


def test_what_cannot_be_parsed_is_found() -> None:
    assert list(check_statement("SELECT FROM WHERE (", "sqlite", TENANT_TABLES))


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(hellojohn_server.__path__, "hellojohn_server."):
        place = found.name.split(".")
        if place[1] == "storage" or place[-1] == "repository":
            yield import_module(found.name)


def _choices(annotation: Any, names: Sequence[str]) -> list[Any]:
    """Return every value a composer's parameter can take, or many of them where it is a struct, a number or a set.

    `names` are what a set of names is taken from.
    """
    if annotation is bool:
        return [False, True]
    if annotation is int:
        return [0, 1, 2]
    if annotation == frozenset[str]:
        return [frozenset(DICE.sample(names, DICE.randrange(min(6, len(names))))) for _ in range(SAMPLE)]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return list(annotation)
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        fields = [_choices(field.type, names) for field in msgspec.structs.fields(annotation)]
        return [annotation(*(DICE.choice(values) for values in fields)) for _ in range(SAMPLE)]
    if typing.get_origin(annotation) is tuple:
        members = _choices(typing.get_args(annotation)[0], names)
        return [(), *((one,) for one in members), *(tuple(DICE.sample(members, 3)) for _ in members)]
    raise AssertionError(f"say in _choices what a composer's parameter of type {annotation} can be")


def _composed(composer: Callable[..., Statement], module: ModuleType) -> Iterator[tuple[str, Statement]]:
    bare = getattr(composer, "__wrapped__", composer)
    hints = typing.get_type_hints(bare)
    structs = [
        value for value in vars(module).values() if isinstance(value, type) and issubclass(value, msgspec.Struct)
    ]
    names = sorted({name for struct in structs for name in struct.__struct_fields__})
    parameters = list(signature(bare).parameters)
    for values in itertools.product(*(_choices(hints[name], names) for name in parameters)):
        arguments = dict(zip(parameters, values, strict=True))
        yield f"{bare.__name__}({arguments})", composer(**arguments)


@cache
def _statements() -> list[tuple[str, Statement]]:
    collected: list[tuple[str, Statement]] = []
    for module in _modules():
        for name, value in vars(module).items():
            if isinstance(value, Statement):
                collected.append((f"{module.__name__}.{name}", value))
            elif callable(value) and getattr(value, "__module__", None) == module.__name__:
                bare = getattr(value, "__wrapped__", value)
                if not isinstance(bare, type) and typing.get_type_hints(bare).get("return") is Statement:
                    collected.extend((f"{module.__name__}.{call}", made) for call, made in _composed(value, module))
    return collected


def test_every_statement_of_ours_names_its_tenant() -> None:
    texts: dict[tuple[str, str], str] = {}
    for name, statement in _statements():
        numbered = with_names(statement.postgres, statement.postgres_names)
        texts[" ".join(statement.sqlite.split()), "sqlite"] = name
        texts[" ".join(numbered.split()), "postgres"] = name
    assert len(texts) > 100
    wrong = [
        f"{name}: {said}"
        for (sql, dialect), name in texts.items()
        for said in check_statement(sql, dialect, TENANT_TABLES)
    ]
    assert wrong == []


def _migrated(engine: str) -> dict[str, dict[str, list[str]]]:
    """Return store ("control", "tenant") -> table -> columns."""
    top = files(hellojohn_server).joinpath("storage", "migrations", engine)
    return {
        store: tables_of(
            entry.read_text(encoding="utf-8")
            for entry in sorted(top.joinpath(store).iterdir(), key=lambda entry: entry.name)
        )
        for store in ("control", "tenant")
    }


def test_the_list_of_tenant_tables_is_what_the_migrations_make() -> None:
    owned = [tenant_tables_of(tables) for engine in ("sqlite", "postgres") for tables in _migrated(engine).values()]
    assert frozenset().union(*owned) == TENANT_TABLES


def test_both_engines_have_the_same_tables_and_columns() -> None:
    sqlite, postgres = _migrated("sqlite"), _migrated("postgres")
    for store in ("control", "tenant"):
        assert list(differences(sqlite[store], postgres[store])) == []


def test_what_both_stores_of_an_engine_have_is_the_same_in_both() -> None:
    for engine in ("sqlite", "postgres"):
        made = _migrated(engine)
        for table in made["control"].keys() & made["tenant"].keys():
            assert made["control"][table] == made["tenant"][table]


def test_a_difference_between_the_engines_is_found() -> None:
    ours = tables_of(["CREATE TABLE a (\n    seq INTEGER PRIMARY KEY,\n    tenant_id TEXT,\n    x TEXT\n);\n"])
    assert ours == {"a": ["seq", "tenant_id", "x"]}
    assert list(differences(ours, {"a": ["tenant_id", "x"]})) == []
    assert list(differences(ours, {"a": ["tenant_id", "y"]})) == ["a differs: x, y"]
    assert list(differences(ours, {"a": ["x", "tenant_id"]})) == ["a differs: the order of its columns"]
    assert list(differences(ours, {})) == ["a exists on one engine only"]


def test_a_column_that_a_later_migration_adds_counts() -> None:
    texts = ["CREATE TABLE a (\n    id TEXT\n);\n", "ALTER TABLE a ADD COLUMN tenant_id TEXT;\n"]
    assert tenant_tables_of(tables_of(texts)) == {"a"}
