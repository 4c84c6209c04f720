"""The common form of statements: what each driver gets, and the refusal of one that does not name its tenant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hellojohn_server.storage.sql import Statement, UnscopedStatement
from hellojohn_server.storage.sql_text import (
    MalformedStatement,
    is_plain_insert,
    looks_elsewhere,
    numbered,
    together,
    tokens_of,
    tree_of,
)

BOUND = "tenant_id = :tenant_id"


@pytest.mark.parametrize(
    ("sql", "postgres", "names"),
    [
        ("SELECT :a, :b, :a", "SELECT $1, $2, $1", ("a", "b")),
        ("SELECT ':a', ''':b''', :c", "SELECT ':a', ''':b''', $1", ("c",)),
        ("SELECT x::text, :a::bigint", "SELECT x::text, $1::bigint", ("a",)),
        ("SELECT 1 -- :a\n, :b /* :c */", "SELECT 1 -- :a\n, $1 /* :c */", ("b",)),
        ('SELECT ":a", `:b`, :c', 'SELECT ":a", `:b`, $1', ("c",)),
        (r"SELECT e'\':a', $$ :b $$, $t$ :c $$ $t$, :d", r"SELECT e'\':a', $$ :b $$, $t$ :c $$ $t$, $1", ("d",)),
        ("SELECT 'a--b', :c", "SELECT 'a--b', $1", ("c",)),
        ("SELECT x[:a:2], :a", "SELECT x[$1:2], $1", ("a",)),
        ("SELECT '日本' WHERE :é = 1", "SELECT '日本' WHERE $1 = 1", ("é",)),
    ],
)
def test_parameters_are_numbered_where_they_are_parameters(sql: str, postgres: str, names: tuple[str, ...]) -> None:
    statement = Statement(sql)

    assert statement.sqlite == sql
    assert statement.postgres == postgres
    assert statement.postgres_names == names


def test_names_are_those_of_both_dialects_without_the_tenant() -> None:
    statement = Statement(f"SELECT :a FROM users WHERE {BOUND}", f"SELECT :b FROM users WHERE {BOUND}")

    assert statement.names == {"a", "b"}
    assert statement.postgres_names == ("b", "tenant_id")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'x",
        'SELECT "x',
        "SELECT $1",
        "SELECT (1",
        "SELECT 1)",
        "SELECT (1))(",
        "DROP TABLE users",
        "",
        "PRAGMA x",
    ],
)
def test_what_cannot_be_read_or_is_no_query_is_refused(sql: str) -> None:
    with pytest.raises(MalformedStatement):
        Statement(sql)


@pytest.mark.parametrize(
    ("sql", "writes"),
    [
        ("SELECT id FROM tenants", False),
        ("SELECT 'DELETE FROM x', replace(name, 'a', 'b') FROM tenants -- UPDATE tenants", False),
        ("SELECT id FROM tenants FOR UPDATE", False),
        ("SELECT id FROM tenants FOR NO KEY UPDATE SKIP LOCKED", False),
        ("SELECT id AS updated FROM tenants", False),
        ("INSERT INTO tenants (id) VALUES (:id)", True),
        ("insert or ignore into tenants (id) values (:id)", True),
        ("REPLACE INTO tenants (id) VALUES (:id)", True),
        ("UPDATE tenants SET name = :name", True),
        ("UPDATE OR IGNORE tenants SET name = :name", True),
        ("DELETE FROM tenants", True),
        ("WITH gone AS (DELETE FROM tenants RETURNING id) SELECT count(*) FROM gone", True),
        ("WITH old AS (SELECT id FROM tenants) DELETE FROM tenants WHERE id IN (SELECT id FROM old)", True),
        ("VALUES (1)", False),
    ],
)
def test_a_statement_knows_whether_it_writes(sql: str, *, writes: bool) -> None:
    assert Statement(sql).writes is writes
    assert Statement(sql).postgres_writes is writes


def test_each_dialect_is_asked_whether_it_writes() -> None:
    statement = Statement("SELECT 0", "DELETE FROM tenants")

    assert not statement.writes
    assert statement.postgres_writes


SCOPED = [
    f"SELECT id FROM users WHERE {BOUND}",
    "SELECT id FROM users WHERE :tenant_id = tenant_id",
    f"SELECT id FROM USERS WHERE id = :id AND {BOUND} AND (name = :a OR name = :b) ORDER BY id LIMIT 1",
    f'SELECT id FROM "users" WHERE {BOUND}',
    f"SELECT id FROM public.users WHERE {BOUND}",
    f"SELECT id FROM users WHERE ({BOUND} AND id = :id)",
    f"SELECT id FROM users WHERE (({BOUND}))",
    f"SELECT count(*) FILTER (WHERE disabled) FROM users WHERE {BOUND} GROUP BY role HAVING count(*) > 1",
    f"SELECT id FROM users WHERE {BOUND} AND name IS DISTINCT FROM users",
    "SELECT id FROM users AS u INDEXED BY users_name WHERE u.tenant_id = :tenant_id",
    f"SELECT id FROM users INDEXED BY users_name WHERE {BOUND}",
    "SELECT u.id FROM users u, roles r WHERE u.tenant_id = :tenant_id AND r.tenant_id = :tenant_id",
    "SELECT u.id FROM users u, json_each(:ids) AS ids WHERE u.tenant_id = :tenant_id AND u.id = ids.value",
    (
        "SELECT u.id FROM users u JOIN roles AS r ON r.tenant_id = :tenant_id AND r.name = u.role"
        " WHERE u.tenant_id = :tenant_id"
    ),
    "SELECT u.id FROM users u LEFT JOIN roles r ON r.tenant_id = :tenant_id WHERE u.tenant_id = :tenant_id",
    "SELECT u.id FROM (users u CROSS JOIN roles r) WHERE u.tenant_id = :tenant_id AND :tenant_id = r.tenant_id",
    "SELECT u.id FROM users u JOIN users m USING (id) WHERE u.tenant_id = :tenant_id AND m.tenant_id = :tenant_id",
    f"SELECT id FROM users WHERE {BOUND} AND role IN (SELECT name FROM roles WHERE {BOUND})",
    f"SELECT id FROM users WHERE {BOUND} AND EXISTS (SELECT 1 FROM sessions s WHERE s.{BOUND} AND s.id = users.id)",
    f"SELECT (SELECT count(*) FROM users WHERE {BOUND}) FROM tenants",
    f"SELECT id FROM users WHERE {BOUND} UNION ALL SELECT id FROM roles WHERE {BOUND}",
    f"SELECT * FROM (SELECT id FROM users WHERE {BOUND} LIMIT 5) AS some",
    f"WITH some AS (SELECT id FROM users WHERE {BOUND}) SELECT id FROM some",
    f"WITH RECURSIVE some (id) AS MATERIALIZED (SELECT id FROM users WHERE {BOUND}) SELECT id FROM some",
    f"SELECT id FROM users WHERE {BOUND} FOR UPDATE OF users SKIP LOCKED",
    f"UPDATE users SET disabled = TRUE WHERE {BOUND} AND id = :id RETURNING id",
    f"UPDATE users AS u SET disabled = TRUE WHERE u.{BOUND}",
    f"UPDATE users SET role = r.name FROM roles AS r WHERE users.{BOUND} AND r.{BOUND}",
    f"DELETE FROM users WHERE {BOUND}",
    f"DELETE FROM users u USING roles r WHERE u.{BOUND} AND r.{BOUND}",
    "INSERT INTO roles (tenant_id, id) VALUES (:tenant_id, :id), (:tenant_id, :other)",
    "INSERT INTO roles (id, tenant_id) VALUES (replace(:id, 'a', 'b'), :tenant_id)",
    (
        "INSERT INTO roles AS r (tenant_id, id) VALUES (:tenant_id, :id) ON CONFLICT (id) DO UPDATE SET id = :id"
        " WHERE r.id < :id RETURNING id"
    ),
    f"INSERT INTO roles (tenant_id, id) SELECT :tenant_id, id FROM users WHERE {BOUND}",
    f"INSERT INTO roles (tenant_id, id) SELECT u.tenant_id, u.id FROM users u WHERE u.{BOUND}",
    "INSERT INTO roles (tenant_id, id) SELECT :tenant_id, value FROM json_each(:ids) WHERE TRUE ON CONFLICT DO NOTHING",
    "SELECT id FROM tenants",
    "SELECT 'FROM users' FROM tenants -- FROM users",
    "SELECT extract(epoch FROM users), trim(both FROM roles) FROM tenants",
]


@pytest.mark.parametrize("sql", SCOPED)
def test_a_statement_that_names_its_tenant_is_taken(sql: str) -> None:
    assert Statement(sql).sqlite == sql


UNSCOPED = [
    "SELECT id FROM users",
    "SELECT id FROM users WHERE id = :id",
    'SELECT id FROM "users"',
    "SELECT id FROM `users`",
    "SELECT id FROM main.users",
    'SELECT id FROM "main"."users"',
    "SELECT id FROM ONLY users",
    "SELECT id FROM users -- WHERE tenant_id = :tenant_id",
    "SELECT id FROM users WHERE name = 'tenant_id = :tenant_id'",
    f"SELECT id FROM users WHERE {BOUND} OR id = :id",
    f"SELECT id FROM users WHERE id = :id OR {BOUND} AND name = :name",
    f"SELECT id FROM users WHERE ({BOUND} OR TRUE) AND id = :id",
    f"SELECT id FROM users WHERE (({BOUND} AND id = :id) OR TRUE)",
    f"SELECT id FROM users WHERE NOT {BOUND}",
    f"SELECT id FROM users WHERE NOT ({BOUND})",
    f"SELECT id FROM users WHERE coalesce({BOUND}, TRUE)",
    f"SELECT id FROM users WHERE CASE WHEN {BOUND} THEN TRUE ELSE TRUE END",
    f"SELECT id FROM users WHERE {BOUND} || 'x'",
    "SELECT id FROM users WHERE tenant_id >= :tenant_id",
    "SELECT id FROM users WHERE tenant_id = :tenant_ids",
    "SELECT id FROM users WHERE other_tenant_id = :tenant_id",
    f"SELECT {BOUND} FROM users",
    f"SELECT id FROM users GROUP BY id HAVING {BOUND}",
    f"SELECT id FROM users, roles WHERE users.{BOUND}",
    f"SELECT id FROM tenants, users WHERE tenants.{BOUND}",
    f"SELECT id FROM users u WHERE users.{BOUND}",
    f"SELECT u.id FROM users u JOIN roles r ON r.name = u.role WHERE u.{BOUND}",
    f"SELECT u.id FROM users u JOIN roles r ON r.tenant_id = u.tenant_id WHERE u.{BOUND}",
    f"SELECT u.id FROM users u JOIN users m ON m.id = u.id WHERE u.{BOUND} AND u.{BOUND}",
    f"SELECT u.id FROM users u LEFT JOIN roles r ON r.{BOUND} AND u.{BOUND}",
    f"SELECT u.id FROM users u RIGHT OUTER JOIN roles r ON r.{BOUND} AND u.{BOUND}",
    f"SELECT u.id FROM users u FULL JOIN roles r ON r.{BOUND} AND u.{BOUND}",
    f"SELECT u.id FROM (users u CROSS JOIN roles r) WHERE u.{BOUND}",
    f"SELECT u.id FROM json_each(:ids) AS ids, users u, roles r WHERE u.{BOUND}",
    f"SELECT u.id FROM users u, LATERAL (SELECT name FROM roles) r WHERE u.{BOUND}",
    f"SELECT id FROM users WHERE {BOUND} AND role IN (SELECT name FROM roles)",
    f"SELECT id FROM users WHERE {BOUND} AND role IN roles",
    f"SELECT id FROM users WHERE {BOUND} AND role IN (TABLE roles)",
    f"SELECT id FROM users u WHERE u.{BOUND} AND EXISTS (SELECT 1 FROM sessions s WHERE u.{BOUND})",
    f"SELECT id FROM users u WHERE EXISTS (SELECT 1 FROM sessions s WHERE s.{BOUND} AND u.{BOUND})",
    "SELECT (SELECT count(*) FROM users) FROM tenants",
    "SELECT json_group_array((SELECT id FROM users LIMIT 1)) FROM json_each((SELECT id FROM roles))",
    f"SELECT id FROM users WHERE {BOUND} UNION ALL SELECT id FROM roles",
    f"WITH some AS (SELECT id FROM users) SELECT id FROM some WHERE {BOUND}",
    f"WITH users AS (SELECT 1) SELECT * FROM users WHERE {BOUND}",
    f"WITH some AS (SELECT 1), users (id) AS (SELECT 1) SELECT * FROM users WHERE {BOUND}",
    "UPDATE users SET disabled = TRUE",
    "UPDATE users SET tenant_id = :tenant_id",
    "UPDATE OR IGNORE users SET tenant_id = :tenant_id",
    f"UPDATE users SET role = roles.name FROM roles WHERE users.{BOUND}",
    f"UPDATE users SET role = (SELECT name FROM roles LIMIT 1) WHERE {BOUND}",
    f"UPDATE tenants SET name = users.name FROM users WHERE tenants.{BOUND}",
    "DELETE FROM users",
    "DELETE FROM users WHERE id = :id RETURNING tenant_id = :tenant_id",
    f"DELETE FROM users u USING roles r WHERE u.{BOUND}",
    "WITH gone AS (DELETE FROM users RETURNING id) SELECT count(*) FROM gone",
    "INSERT INTO roles (id) VALUES (:id)",
    "INSERT INTO roles VALUES (:tenant_id, :id)",
    "INSERT INTO roles DEFAULT VALUES",
    "INSERT INTO roles (tenant_id, id) VALUES (:other, :id)",
    "INSERT INTO roles (tenant_id, id) VALUES (:tenant_id, :id), (:other, :id)",
    "INSERT INTO roles (id, tenant_id) VALUES (:tenant_id, :id)",
    "INSERT INTO roles (tenant_id, id) SELECT :other, id FROM tenants",
    "INSERT INTO roles (tenant_id, id) SELECT :tenant_id, id FROM users",
    f"INSERT INTO roles (tenant_id, id) SELECT :tenant_id, 1 UNION ALL SELECT :other, id FROM users WHERE {BOUND}",
    "INSERT INTO roles (tenant_id, id) VALUES (:tenant_id, (SELECT id FROM users LIMIT 1))",
    "REPLACE INTO roles (id) VALUES (:id)",
    "INSERT OR REPLACE INTO roles (id) VALUES (:id)",
]


@pytest.mark.parametrize("sql", UNSCOPED)
def test_a_statement_that_does_not_name_its_tenant_is_refused(sql: str) -> None:
    with pytest.raises(UnscopedStatement):
        Statement(sql)


def test_either_dialect_must_name_its_tenant() -> None:
    with pytest.raises(UnscopedStatement, match="users is not bound"):
        Statement(f"SELECT id FROM users WHERE {BOUND}", "SELECT id FROM users")


PIECES = [
    "SELECT",
    " ",
    "users",
    "'",
    '"',
    "`",
    "(",
    ")",
    ":a",
    "::",
    ":",
    "--",
    "\n",
    "/*",
    "*/",
    "$$",
    "$t$",
    ",",
    "\\",
    "e",
    "1",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(max_size=30))
def test_any_text_is_read_whole_or_refused(sql: str) -> None:
    try:
        tokens = tokens_of(sql)
        tree_of(tokens)
    except MalformedStatement:
        return

    assert "".join(token.text for token in tokens) == sql
    text, names = numbered(tokens)
    assert text.count("$") >= len(names)


@pytest.mark.parametrize(
    ("sql", "plain"),
    [
        ("INSERT INTO t (a, b) VALUES ($1, $2)", True),
        ("\n INSERT INTO t (a,\n b)\n VALUES ($1, NULL)\n ", True),
        ("INSERT INTO t (a) VALUES ($1) RETURNING a", False),
        ("INSERT INTO t (a) VALUES ($1) ON CONFLICT DO NOTHING", False),
        ("INSERT INTO t (a) VALUES ((SELECT max(a) FROM t))", False),
        ("INSERT INTO t (a) VALUES (count($1))", False),
        ("INSERT INTO t (a) SELECT a FROM u", False),
        ("UPDATE t SET a = $1", False),
        ("DELETE FROM t", False),
    ],
)
def test_a_plain_insert_looks_at_no_row_and_answers_none(sql: str, *, plain: bool) -> None:
    assert is_plain_insert(sql) is plain


def test_inserts_go_together_with_their_arguments_one_after_the_other() -> None:
    one = "INSERT INTO t (a, b) VALUES ($1, $2)"
    other = "INSERT INTO u (c, d, e) VALUES ($2, $1, $2)"
    assert together([one]) == one
    assert together([one, other, one]) == (
        "WITH i0 AS (INSERT INTO t (a, b) VALUES ($1, $2)), i1 AS (INSERT INTO u (c, d, e) VALUES ($4, $3, $4))"
        " INSERT INTO t (a, b) VALUES ($5, $6)"
    )


@pytest.mark.parametrize(
    ("sql", "elsewhere"),
    [
        ("DELETE FROM other WHERE id = $1 RETURNING id", True),
        ("SELECT note FROM other AS o WHERE o.id = $1 FOR UPDATE", True),
        ("SELECT 'notes' FROM other", True),
        ("SELECT id FROM notes WHERE id = $1", False),
        ('SELECT id FROM "notes"', False),
        ("SELECT id FROM other WHERE id IN (SELECT other_id FROM Notes)", False),
        ("UPDATE other SET n = (SELECT count(*) FROM logs)", False),
        ("WITH found AS (SELECT 1) DELETE FROM other", False),
    ],
)
def test_a_statement_goes_with_inserts_only_if_it_names_none_of_their_tables(sql: str, *, elsewhere: bool) -> None:
    inserts = ["INSERT INTO notes (a) VALUES ($1)", "INSERT INTO logs (b) VALUES ($1)"]
    assert looks_elsewhere(inserts, sql) is elsewhere


def test_a_statement_that_goes_with_inserts_has_its_arguments_after_theirs() -> None:
    assert together(["INSERT INTO t (a, b) VALUES ($1, $2)", "DELETE FROM u WHERE c = $1 OR d = $2"]) == (
        "WITH i0 AS (INSERT INTO t (a, b) VALUES ($1, $2)) DELETE FROM u WHERE c = $3 OR d = $4"
    )
