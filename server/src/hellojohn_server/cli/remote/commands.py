"""A command over HTTP as a declaration: where it stands, which operation it is, how it asks and what it shows."""

from collections.abc import Awaitable, Callable, Mapping
from operator import attrgetter
from typing import Any, TypeAlias

import msgspec

import hellojohn
from hellojohn_server.cli.remote.output import Layout

Handler: TypeAlias = Callable[..., Awaitable[Any]]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A command whose question was answered: what is called with what, and how the answer is shown.

    `path` are the ids of the path, `named` the other arguments. `most` is how many of a list are wanted; None: all.
    `switches` are those of the command's own flags that were given.
    """

    client: hellojohn.HelloJohn
    method: str
    path: tuple[str, ...]
    named: Mapping[str, Any]
    layout: Layout
    is_list: bool = False
    is_paged: bool = False
    is_stream: bool = False
    most: int | None = None
    switches: frozenset[str] = frozenset()
    api_url: str
    profile: str | None = None

    def send(self) -> Any:
        """Call the method of the SDK, and return what it returns."""
        return attrgetter(self.method)(self.client)(*self.path, **self.named)


Performer: TypeAlias = Callable[[Request], None]
"""Does what a command is for, where that is more than one call whose answer is shown."""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of the API as a command.

    `words` is how it is typed, without `hj`. `handler` is the operation's declaration, from which its arguments,
    options and help come, and `method` the path of the SDK's method that sends it. `arguments` are fields that are
    typed without a flag, besides those in the path; `flags` are other names of options, by field; `required` are
    fields that must be given though the operation does not say so.

    `is_file` says that what it prints is meant for a file: it takes --output, and is no table unless that is asked for.

    `kept` are fields that are not asked for where the profile holds them, and under which name.

    `ask` says as a question what will happen, `asks` the same for when an option is given, by its field. They may name
    what `subject` answers, a method that gets an object by the first id of the path, or the user of the path ({email},
    {name}, ...), what was typed ({reason}, {key_id}), {sessions}: how many sessions a user has, and {count}: how many
    users were named.

    `columns` are those of a table; `help` and `more` stand in for the operation's own words. `switches` are further
    flags with their help, for the `performer`, which does what the command is for; without one, it is called and shown.
    """

    words: str
    handler: Handler
    method: str
    arguments: tuple[str, ...] = ()
    flags: Mapping[str, str] = {}
    required: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    switches: Mapping[str, str] = {}
    performer: Performer | None = None
    kept: Mapping[str, str] = {}
    is_file: bool = False
    ask: str = ""
    asks: Mapping[str, str] = {}
    subject: str = ""
    help: str = ""
    more: str = ""

    @property
    def name(self) -> str:
        """The last word."""
        return self.words.rpartition(" ")[2]


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The commands under one word. `inner` has the help of the groups within it, by name."""

    commands: tuple[Command, ...]
    inner: Mapping[str, str] = {}
