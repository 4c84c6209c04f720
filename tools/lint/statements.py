"""Every statement names its tenant: each tenant-owned table it reads or writes is bound by `tenant_id = :tenant_id`.

`Statement` counts those conditions; this parses the SQL and says which table of which subquery lacks its own.
"""

import re
from collections.abc import Collection, Iterator
from typing import Final

from sqlglot import exp, parse_one
from sqlglot.errors import ParseError

TENANT: Final = "tenant_id"
_NUMBER: Final = re.compile(r"\$([0-9]+)")
_OUTER: Final = {"LEFT", "RIGHT", "FULL"}


def check_statement(sql: str, dialect: str, tenant_tables: Collection[str]) -> Iterator[str]:
    """Yield what is wrong with a statement whose parameters are :named; nothing when each table is bound."""
    try:
        tree = parse_one(sql, dialect=dialect)
    except ParseError as error:
        yield f"cannot be parsed as {dialect}: {error.errors[0]['description'] if error.errors else error}"
        return
    common = {cte.alias for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if table.name not in tenant_tables or (table.name in common and not table.db):
            continue
        insert = _insert_into(table)
        if insert is not None:
            if not _inserts_tenant(insert):
                yield f"INSERT INTO {table.name} does not give tenant_id the value :tenant_id"
        elif not _is_bound(table, tenant_tables):
            yield f"{table.alias_or_name} is not bound by tenant_id = :tenant_id in its own query"


def with_names(sql: str, names: Collection[str]) -> str:
    """Return a statement with $1.. as one with the :names they stand for."""
    ordered = list(names)
    return _NUMBER.sub(lambda match: f":{ordered[int(match.group(1)) - 1]}", sql)


def _insert_into(table: exp.Table) -> exp.Insert | None:
    parent = table.parent
    if isinstance(parent, exp.Schema):
        parent = parent.parent
    if isinstance(parent, exp.Insert) and table in (parent.this, getattr(parent.this, "this", None)):
        return parent
    return None


def _inserts_tenant(insert: exp.Insert) -> bool:
    if not isinstance(insert.this, exp.Schema):
        return False
    columns = [column.name for column in insert.this.expressions]
    if TENANT not in columns:
        return False
    place = columns.index(TENANT)
    source = insert.expression
    if isinstance(source, exp.Values):
        return all(_is_parameter(row.expressions[place]) for row in source.expressions)
    return isinstance(source, exp.Select) and _is_parameter(source.expressions[place].unalias())


def _is_bound(table: exp.Table, tenant_tables: Collection[str]) -> bool:
    query = table.find_ancestor(exp.Select, exp.Update, exp.Delete)
    if query is None:
        return False
    siblings = [
        other
        for other in query.find_all(exp.Table)
        if other.name in tenant_tables and other.find_ancestor(exp.Select, exp.Update, exp.Delete) is query
    ]
    owners = [table.alias_or_name, *([""] if len(siblings) == 1 else [])]
    return any(_binds(condition, owners) for condition in _conditions(query, table))


def _conditions(query: exp.Expr, table: exp.Table) -> Iterator[exp.Expr]:
    """Yield what must hold for a row of `table` to be used: WHERE, and ON of inner joins and of its own join."""
    where = query.args.get("where")
    if where is not None:
        yield from _conjuncts(where.this)
    for join in query.find_all(exp.Join):
        if join.find_ancestor(exp.Select, exp.Update, exp.Delete) is not query or join.args.get("on") is None:
            continue
        if join.side not in _OUTER or (join.this is table and join.side == "LEFT"):
            yield from _conjuncts(join.args["on"])


def _conjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(condition, exp.Paren):
        yield from _conjuncts(condition.this)
    elif isinstance(condition, exp.And):
        yield from _conjuncts(condition.left)
        yield from _conjuncts(condition.right)
    else:
        yield condition


def _binds(condition: exp.Expr, owners: Collection[str]) -> bool:
    if not isinstance(condition, exp.EQ):
        return False
    column, value = condition.left, condition.right
    return isinstance(column, exp.Column) and column.name == TENANT and column.table in owners and _is_parameter(value)


def _is_parameter(value: exp.Expr) -> bool:
    return isinstance(value, exp.Placeholder) and value.name == TENANT
