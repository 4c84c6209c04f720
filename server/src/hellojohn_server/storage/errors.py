"""What the stores raise. Driver errors become one of these here and nowhere else.

ApiError
└── Unavailable
    ├── StoreBusy          503  another process holds the file, or every connection is taken, for too long
    ├── StoreUnavailable   503  the store cannot be reached, or its disk fails; a write is whole or not there
    └── QueryTimeout       503  the question takes longer than it may
NotFound
└── TenantStoreNotFound    404  no such tenant's store
UniqueViolation                 for services: which column was taken; they answer with their own Conflict
UnauditedChange                 a defect: a command changed something and recorded nothing; it was rolled back
SuspendedCommand                a defect: a command awaited something other than its transaction; it was rolled back
"""

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import NotFound, Unavailable


class StoreBusy(Unavailable):
    code = ErrorCode.STORE_BUSY
    message = "The store is busy. Try again shortly."


class StoreUnavailable(Unavailable):
    code = ErrorCode.STORE_UNAVAILABLE
    message = "The store cannot be reached just now. Try again shortly."
    retry_after = 5


class QueryTimeout(Unavailable):
    code = ErrorCode.QUERY_TIMEOUT
    message = "This question takes too long to answer. Narrow it: a longer search word, a filter, a date range."


class TenantStoreNotFound(NotFound):
    code = ErrorCode.TENANT_NOT_FOUND
    message = "There is no such tenant."


class UniqueViolation(Exception):
    """A unique key was taken. The transaction is lost: let it out of the command, and translate it outside."""

    def __init__(self, table: str, column: str) -> None:
        self.table = table
        self.column = column
        super().__init__(f"{table}.{column} is taken")


class UnauditedChange(Exception):
    """A command changed something and recorded no audit entry, and is not declared exempt."""


class SuspendedCommand(Exception):
    """A command awaited something other than its transaction."""
