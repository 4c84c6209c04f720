"""Texts of which some are known: what type checkers see, and what a newer server may answer all the same."""

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar

T = TypeVar("T")

if TYPE_CHECKING:
    Known: TypeAlias = Annotated[T, "known"]
else:

    class Known:
        """Any text, when it is read: a value that this version does not know must not make an answer unreadable."""

        def __class_getitem__(cls, item: Any) -> Any:
            return str
