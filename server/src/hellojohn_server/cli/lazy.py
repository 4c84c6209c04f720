"""Commands over HTTP, made when somebody looks at them: `hj --help` and commands on the store do without the SDK."""

import importlib
from collections.abc import Iterator, MutableMapping
from typing import Any, Final, cast

import typer
import typer.main
from typer.core import TyperGroup

_PACKAGE: Final = "hellojohn_server.cli.remote"

PANEL: Final = "Over HTTP"
"""Where the help of `hj` itself shows them."""

REMOTE_GROUPS: Final = {
    "audit": "Read the audit log, follow it, and write entries of your own.",
    "auth": "What users do for themselves: sign in, and work on their own account.",
    "bulk": "Act on many users: plan, run as a job, undo; or up to 1,000 at once.",
    "config": "The tenant's settings.",
    "emails": "The mails that were sent, and sending one again.",
    "imports": "What became of imports of users.",
    "mfa": "Users' second factors.",
    "orgs": "Organizations, their members and invitations.",
    "revocations": "What verifiers of tokens are to refuse.",
    "roles": "Roles of users and of members.",
    "server": "Whether the server is well, and the keys that tokens are verified with.",
    "sessions": "Sessions: list, end, verify.",
}
"""The groups that go over HTTP alone, and their help."""


def load(module: str) -> Any:
    """Return a module of the commands over HTTP. It is the one place that imports when something is run, not before."""
    return importlib.import_module(f"{_PACKAGE}.{module}")


def remote_group(word: str) -> type[TyperGroup]:
    """Return the class of the group `word`, whose commands are those given to it and those over HTTP."""

    class RemoteGroup(TyperGroup):
        """A group that is filled when somebody looks into it."""

        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            self.commands = _Filled(self.commands, word)

    return RemoteGroup


class _Filled(MutableMapping[str, Any]):
    """The commands of a group by name."""

    def __init__(self, own: MutableMapping[str, Any], word: str) -> None:
        self._own = own
        self._word = word
        self._is_filled = False

    def _all(self) -> MutableMapping[str, Any]:
        if not self._is_filled:
            self._is_filled = True
            made = typer.Typer()
            made.callback()(_nothing)
            load("tables").fill_group(made, self._word)
            further = cast("TyperGroup", typer.main.get_command(made)).commands
            self._own.update({name: command for name, command in further.items() if name not in self._own})
        return self._own

    def __getitem__(self, name: str) -> Any:
        return self._all()[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._all()[name] = command

    def __delitem__(self, name: str) -> None:
        del self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


def _nothing() -> None:
    """Make a group of an application that may have one command only."""
