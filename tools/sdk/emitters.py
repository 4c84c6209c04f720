"""What is generated from the model: an emitter for each language."""

from collections.abc import Callable
from typing import Final

import msgspec

from tools.sdk import python_code, typescript_code
from tools.sdk.model import Model


class Emitter(msgspec.Struct, frozen=True):
    """Writes the files of one language. `owned` are patterns of paths under which there is nothing else."""

    emit: Callable[[Model], dict[str, str]]
    owned: tuple[str, ...]


EMITTERS: Final[tuple[Emitter, ...]] = (
    Emitter(python_code.emit, python_code.OWNED),
    Emitter(typescript_code.emit, typescript_code.OWNED),
)
