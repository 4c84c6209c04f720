"""The rule that every statement names its tenant, checked on the statement's text when it is made.

Every mention of a tenant-owned table, under each of its aliases, needs `tenant_id = :tenant_id` in the WHERE or ON of
its own SELECT, UPDATE or DELETE: as a condition that must hold, not one side of an OR; for the table of a LEFT JOIN in
that join's ON or the WHERE, for the other tables not in an outer join's ON. A row that is inserted has :tenant_id as
its tenant_id. This is a net under the author, not a wall against one: it reads the forms of SQL that repositories use.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from hellojohn_server.storage.sql_text import MalformedStatement, Node, Token, TokenKind

_CLAUSES: Final = frozenset(
    {
        "CONFLICT",
        "DELETE",
        "DO",
        "FETCH",
        "FOR",
        "FROM",
        "GROUP",
        "HAVING",
        "INSERT",
        "INTO",
        "JOIN",
        "LIMIT",
        "OFFSET",
        "ON",
        "ORDER",
        "REPLACE",
        "RETURNING",
        "SELECT",
        "SET",
        "UPDATE",
        "USING",
        "VALUES",
        "WHERE",
        "WINDOW",
        "WITH",
    }
)
_JOIN_KINDS: Final = frozenset({"CROSS", "FULL", "INNER", "LEFT", "NATURAL", "OUTER", "RIGHT"})
_QUERIES: Final = frozenset({"DELETE", "INSERT", "REPLACE", "SELECT", "UPDATE", "VALUES", "WITH"})
_SET_OPERATORS: Final = frozenset({"EXCEPT", "INTERSECT", "UNION"})
_AFTER_TABLE: Final = frozenset({"INDEXED", "NOT", "TABLESAMPLE"})
_BEFORE_TABLE: Final = frozenset({"ABORT", "FAIL", "IGNORE", "LATERAL", "ONLY", "OR", "REPLACE", "ROLLBACK"})
_TENANT: Final = "tenant_id"


class UnscopedStatement(ValueError):
    """A statement names a tenant-owned table and not its tenant."""


class _Clause(NamedTuple):
    """A part of a statement: the keyword it starts with, the kind of join, and what follows."""

    keyword: str
    join: str
    body: list[Node]


def check_tenant(tree: Sequence[Node], tenant_tables: frozenset[str]) -> bool:
    """Return whether the statement writes. Raises UnscopedStatement, naming the table or alias; MalformedStatement."""
    if not _starts_query(tree):
        raise MalformedStatement("it neither reads nor changes rows")
    return _Rule(tenant_tables).check(tree)


class _Rule:
    def __init__(self, tenant_tables: frozenset[str]) -> None:
        self._tenant_tables = tenant_tables
        self._writes = False

    def check(self, query: Sequence[Node]) -> bool:
        """Check a query with everything in it; return whether any part seen so far writes."""
        column: int | None = None
        for part in _split(query, _SET_OPERATORS):
            clauses = _clauses_of(part)
            column = self._check_insert(clauses, column)
            _Scope(self, clauses).check()
        return self._writes

    def names_tenant_table(self, name: str) -> bool:
        """Say whether `name` is a table that a tenant owns."""
        return name in self._tenant_tables

    def note(self, clause: _Clause, before: str) -> None:
        """Remember that a clause writes; refuse a common table expression that hides a tenant-owned table."""
        is_update = clause.keyword == "UPDATE" and before not in {"DO", "FOR"}
        if is_update or clause.keyword in {"DELETE", "INSERT", "REPLACE"}:
            self._writes = True
        if clause.keyword == "WITH":
            for index in range(len(clause.body)):
                name = _name(clause.body, index)
                if name in self._tenant_tables and _word(clause.body, index - 1) != "AS":
                    raise UnscopedStatement(f"{name} is a table's name and cannot be that of a WITH query")

    def descend(self, nodes: Sequence[Node]) -> None:
        """Check every query in brackets below `nodes`."""
        for index, node in enumerate(nodes):
            if isinstance(node, Token):
                if node.word in {"IN", "TABLE"} and _name(nodes, index + 1) in self._tenant_tables:
                    raise UnscopedStatement(f"{_name(nodes, index + 1)} has no place for its tenant after {node.word}")
            elif _starts_query(node):
                self.check(node)
            else:
                self.descend(node)

    def _check_insert(self, clauses: list[_Clause], column: int | None) -> int | None:
        """Check that what is inserted carries the tenant. Return the place of tenant_id in a row, for a UNION."""
        for clause in clauses:
            if clause.keyword == "INTO":
                column = self._tenant_column(clause.body)
        if column is None:
            return None
        rows = _rows_of(clauses)
        if not rows:
            raise UnscopedStatement("rows are inserted from where their tenant cannot be seen")
        for row in rows:
            values = _items(row)
            if column >= len(values) or not (_is_parameter(values[column]) or _is_column(values[column])):
                raise UnscopedStatement(f"a row is inserted whose {_TENANT} is not :{_TENANT}")
        return column

    def _tenant_column(self, into: list[Node]) -> int | None:
        """Return the place of tenant_id among an INSERT's columns; None for a table that no tenant owns."""
        table, columns = _target(into)
        if table not in self._tenant_tables:
            return None
        names = [_name(item, 0) for item in _items(columns)]
        if _TENANT not in names:
            raise UnscopedStatement(f"{table} is given rows without {_TENANT}")
        return names.index(_TENANT)


class _Scope:
    """One SELECT, UPDATE or DELETE: the tenant-owned tables it names, and those bound to the tenant."""

    def __init__(self, rule: _Rule, clauses: list[_Clause]) -> None:
        self._rule = rule
        self._clauses = clauses
        self._named: list[str] = []
        self._bound: set[str] = set()

    def check(self) -> None:
        """Raise UnscopedStatement for the first table that is not bound."""
        self._read(self._clauses)
        if len(self._named) == 1 and "" in self._bound:
            return
        for alias in self._named:
            if alias not in self._bound:
                raise UnscopedStatement(f"{alias} is not bound by {_TENANT} = :{_TENANT}")

    def _read(self, clauses: list[_Clause]) -> None:
        joined: list[str] = []
        join = before = ""
        for clause in clauses:
            self._rule.note(clause, before)
            if clause.keyword in {"FROM", "JOIN", "UPDATE", "USING"} and before not in {"DO", "FOR"}:
                join = clause.join
                joined = self._read_tables(clause.body)
            else:
                if clause.keyword == "WHERE":
                    self._bound |= _bindings(clause.body)
                elif clause.keyword == "ON":
                    self._bound |= _held_by_join(join, joined, _bindings(clause.body))
                self._rule.descend(clause.body)
            before = clause.keyword

    def _read_tables(self, body: list[Node]) -> list[str]:
        """Note the tables of a FROM list, a join, an UPDATE or a DELETE ... USING; return the aliases it added."""
        start = len(self._named)
        for item in _items(body):
            reference = [node for node in item if not (isinstance(node, Token) and node.word in _BEFORE_TABLE)]
            if not reference:
                continue
            first = reference[0]
            if isinstance(first, list):
                if _starts_query(first):
                    self._rule.check(first)
                else:
                    self._read(_clauses_of([Token(TokenKind.WORD, "FROM"), *first]))
            else:
                self._read_table(reference)
        return self._named[start:]

    def _read_table(self, reference: list[Node]) -> None:
        """Note one table: [schema.]name [[AS] alias]. What is followed by brackets is a function."""
        index = 0
        while _is(reference, index + 1, ".") and index + 2 < len(reference):
            index += 2
        name = _name(reference, index)
        rest = reference[index + 1 :]
        if rest and isinstance(rest[0], list):
            self._rule.descend(rest)
        elif self._rule.names_tenant_table(name):
            skipped = 1 if _word(rest, 0) == "AS" else 0
            alias = "" if _word(rest, 0) in _AFTER_TABLE else _name(rest, skipped)
            self._named.append(alias or name)


def _held_by_join(join: str, joined: list[str], bindings: set[str]) -> set[str]:
    """Return which bindings of an ON restrict their table: of an outer join, those of the table it may leave out."""
    if join in {"FULL", "RIGHT"}:
        return set()
    if join == "LEFT":
        unnamed = set(joined) if "" in bindings and len(joined) == 1 else set[str]()
        return bindings & set(joined) | unnamed
    return bindings


def _bindings(condition: list[Node]) -> set[str]:
    """Return the aliases (empty: none given) that a condition holds to `tenant_id = :tenant_id` in any case."""
    parts = _split(condition, frozenset({"AND"}))
    if any(_word(condition, index) == "OR" for index in range(len(condition))):
        return set()
    found: set[str] = set()
    for part in parts:
        if len(part) == 1 and isinstance(part[0], list):
            if not _starts_query(part[0]):
                found |= _bindings(part[0])
            continue
        equals = next((index for index in range(len(part)) if _is(part, index, "=")), 0)
        for column, value in ((part[:equals], part[equals + 1 :]), (part[equals + 1 :], part[:equals])):
            if _is_parameter(value) and _is_column(column):
                found.add(_name(column, 0) if len(column) > 1 else "")
    return found


def _clauses_of(part: Sequence[Node]) -> list[_Clause]:
    """Split a query (without set operators) into its clauses."""
    clauses = [_Clause("", "", [])]
    for index, node in enumerate(part):
        word = node.word if isinstance(node, Token) else ""
        if word in _CLAUSES and not _is_other_use(part, index, word):
            join = ""
            while word == "JOIN" and _word(clauses[-1].body, len(clauses[-1].body) - 1) in _JOIN_KINDS:
                kind = _word([clauses[-1].body.pop()], 0)
                join = kind if kind in {"FULL", "LEFT", "RIGHT"} else join
            clauses.append(_Clause(word, join, []))
        else:
            clauses[-1].body.append(node)
    return clauses


def _is_other_use(part: Sequence[Node], index: int, word: str) -> bool:
    """Say whether a keyword is none here: IS DISTINCT FROM, OR REPLACE, replace(...), USING (...), t.offset."""
    before, following = _word(part, index - 1) if index else "", part[index + 1 : index + 2]
    if index and _is(part, index - 1, "."):
        return True
    if word == "FROM":
        return before == "DISTINCT"
    if word == "REPLACE":
        return before == "OR" or (bool(following) and isinstance(following[0], list))
    if word == "USING":
        return bool(following) and isinstance(following[0], list)
    return False


def _target(body: list[Node]) -> tuple[str, list[Node]]:
    """Return the table of an INTO, and what stands in its brackets."""
    table, columns = "", list[Node]()
    for index, node in enumerate(body):
        if isinstance(node, list):
            columns = node
            break
        if node.word == "AS":
            continue
        if not table or _is(body, index - 1, "."):
            table = node.name or table
    return table, columns


def _rows_of(clauses: list[_Clause]) -> list[list[Node]]:
    """Return the rows that an INSERT's VALUES or SELECT make."""
    rows: list[list[Node]] = []
    for clause in clauses:
        if clause.keyword == "SELECT":
            rows.append(clause.body)
        elif clause.keyword == "VALUES":
            rows.extend(node for node in clause.body if isinstance(node, list))
    return rows


def _split(nodes: Sequence[Node], words: frozenset[str]) -> list[list[Node]]:
    parts: list[list[Node]] = [[]]
    for index, node in enumerate(nodes):
        if _word(nodes, index) in words:
            parts.append([])
        else:
            parts[-1].append(node)
    return parts


def _items(nodes: Sequence[Node]) -> list[list[Node]]:
    """Return what stands between the commas."""
    parts: list[list[Node]] = [[]]
    for index, node in enumerate(nodes):
        if _is(nodes, index, ","):
            parts.append([])
        else:
            parts[-1].append(node)
    return parts


def _starts_query(nodes: Sequence[Node]) -> bool:
    return _word(nodes, 0) in _QUERIES


def _is_parameter(nodes: Sequence[Node]) -> bool:
    return len(nodes) == 1 and isinstance(nodes[0], Token) and nodes[0].text == f":{_TENANT}"


def _is_column(nodes: Sequence[Node]) -> bool:
    if len(nodes) == 1:
        return _name(nodes, 0) == _TENANT
    return len(nodes) == 3 and _is(nodes, 1, ".") and _name(nodes, 2) == _TENANT  # noqa: PLR2004 - alias, dot, column


def _is(nodes: Sequence[Node], index: int, text: str) -> bool:
    node = nodes[index] if 0 <= index < len(nodes) else None
    return isinstance(node, Token) and node.text == text


def _word(nodes: Sequence[Node], index: int) -> str:
    node = nodes[index] if 0 <= index < len(nodes) else None
    return node.word if isinstance(node, Token) else ""


def _name(nodes: Sequence[Node], index: int) -> str:
    node = nodes[index] if 0 <= index < len(nodes) else None
    return node.name if isinstance(node, Token) else ""
