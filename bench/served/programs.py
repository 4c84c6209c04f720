"""The statements of an operation as the server runs them: noted once, so that the bare side runs the same ones.

What is noted is what reaches the driver: the text in the engine's dialect and the arguments, with the values of the
request that was noted. Run for another user it has that user's number wherever the noted user's stands (users differ in
nothing else), and new ids where the request made some.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeAlias, TypeVar, cast

import msgspec

from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdPrefix
from hellojohn_server.storage import postgres_driver, sqlite_driver
from hellojohn_server.storage.database import Action, Command, Database, Guard, Parameter, Query, Row, Transaction
from hellojohn_server.storage.sql import Statement

T = TypeVar("T")

Fill: TypeAlias = Callable[[str, str], Any]

_TIME_END: Final = len("evt_") + 10
_ID_END: Final = len("evt_") + 26
_MADE: Final = re.compile(rf"(?:{IdPrefix.EVENT}|{IdPrefix.SESSION})_[0-9A-Z]{{26}}(?:_[a-z]+)?")
NUMBER_DIGITS: Final = _ID_END - _TIME_END
USER_DIGITS: Final = 6


class Engine(StrEnum):
    """Where the data is."""

    SQLITE = "sqlite"
    POSTGRES = "postgres"


class Step(msgspec.Struct, frozen=True):
    """One call of the driver. `arguments` has one set, or with `is_many` any number, as the driver takes them."""

    is_control: bool
    is_many: bool
    sql: str
    arguments: list[Any]


class Program(msgspec.Struct, frozen=True):
    """What one request to the server ran, in order, for the user `user_id`; `answer` is the body that it answered."""

    user_id: str
    reads: list[Step]
    writes: list[Step]
    answer: bytes


class Recording:
    """Stands before a Database and notes every statement that passes."""

    def __init__(self, database: Database, engine: Engine) -> None:
        self._database = database
        self._engine = engine
        self._reads: list[Step] = []
        self._writes: list[Step] = []

    def take(self, user_id: str, answer: bytes) -> Program:
        """Return what was noted since the last time."""
        program = Program(user_id, self._reads, self._writes, answer)
        self._reads, self._writes = [], []
        return program

    async def read(self, tenant_id: str, query: Query[T], *, long: bool = False) -> T:
        """Pass on Database.read."""
        return await self._database.read(tenant_id, lambda reader: query(self._noted(reader, self._reads)), long=long)

    async def write(
        self, tenant_id: str, command: Command[T], result: type[T], *, guard: Guard | None = None, **others: Any
    ) -> T:
        """Pass on Database.write."""

        async def noted(tx: Transaction) -> T:
            observed = self._noted(tx, self._writes)
            if guard is not None:
                await guard(observed)
            return await command(observed)

        return await self._database.write(tenant_id, noted, result, **others)

    def _noted(self, tx: Any, steps: list[Step]) -> "_Noted":
        return _Noted(tx, self._engine, steps)


class _Noted(Transaction):
    def __init__(self, tx: Any, engine: Engine, steps: list[Step]) -> None:
        self._tx = tx
        self._engine = engine
        self._steps = steps

    @property
    def tenant_id(self) -> str:
        return str(self._tx.tenant_id)

    async def fetch_one(self, statement: Statement, **parameters: Parameter) -> Row | None:
        self._note(statement, [parameters], is_many=False)
        row: Row | None = await self._tx.fetch_one(statement, **parameters)
        return row

    async def fetch_all(self, statement: Statement, **parameters: Parameter) -> list[Row]:
        self._note(statement, [parameters], is_many=False)
        rows: list[Row] = await self._tx.fetch_all(statement, **parameters)
        return rows

    async def execute(self, statement: Statement, **parameters: Parameter) -> int:
        self._note(statement, [parameters], is_many=False)
        return int(await self._tx.execute(statement, **parameters))

    async def execute_many(self, statement: Statement, rows: Sequence[dict[str, Parameter]]) -> None:
        self._note(statement, rows, is_many=True)
        await self._tx.execute_many(statement, rows)

    async def slice(self) -> None:
        await self._tx.slice()

    def mark_due(self, at_ms: int) -> None:
        self._tx.mark_due(at_ms)

    def after_commit(self, action: Action) -> None:
        self._tx.after_commit(action)

    def _note(self, statement: Statement, rows: Sequence[Mapping[str, Parameter]], *, is_many: bool) -> None:
        driver = sqlite_driver if self._engine is Engine.SQLITE else postgres_driver
        sql = statement.sqlite if self._engine is Engine.SQLITE else statement.postgres
        bound = [driver.bind(statement, self.tenant_id, row) for row in rows]
        self._steps.append(Step(self.tenant_id == CONTROL_TENANT_ID, is_many, sql, bound))


class ReadyStep:
    """A step whose arguments are quickly had for another user."""

    def __init__(self, step: Step, user_id: str) -> None:
        self.sql = step.sql
        self.is_control = step.is_control
        self.is_many = step.is_many
        self._sets = [(arguments, _holes(arguments, user_id)) for arguments in step.arguments]

    def arguments(self, user_id: str, number: str) -> list[Any]:
        """Return the sets of arguments; `number` (NUMBER_DIGITS digits) makes the new ids different from all others."""
        user = user_number(user_id)
        filled: list[Any] = []
        for constants, holes in self._sets:
            values = constants.copy()
            for place, fill in holes:
                values[place] = fill(user, number)
            filled.append(values)
        return filled


def renumbered(made: str, number: str) -> str:
    """Return an id like `made`, as old as it, that is number `number`."""
    return f"{made[:_TIME_END]}{number}{made[_ID_END:]}"


def _holes(arguments: Any, user_id: str) -> list[tuple[Any, Fill]]:
    noted = user_number(user_id)
    places = cast("Iterable[Any]", arguments if isinstance(arguments, dict) else range(len(arguments)))
    return [(place, fill) for place in places if (fill := _fill_of(arguments[place], noted)) is not None]


def _fill_of(value: Any, noted: str) -> Fill | None:
    if isinstance(value, str) and _MADE.fullmatch(value):
        return lambda _, number: renumbered(value, number)
    if isinstance(value, str) and noted in value:
        return lambda user, _: value.replace(noted, user)
    if isinstance(value, list) and any(noted in text for text in cast("list[str]", value)):
        return lambda user, _: [text.replace(noted, user) for text in cast("list[str]", value)]
    return None


def user_number(user_id: str) -> str:
    """Return the digits that make a user's texts different from every other user's."""
    return user_id[-USER_DIGITS:]
