"""The commands over HTTP that stand right under `hj`."""

from typing import Annotated

import typer

from hellojohn_server.cli.lazy import PANEL, load
from hellojohn_server.cli.remote.access import ProfileOption
from hellojohn_server.cli.remote.output import FormatOption

app = typer.Typer()


@app.command("impersonate", rich_help_panel=PANEL)
def impersonate(  # noqa: PLR0913 - an option each
    *,
    user: Annotated[
        str, typer.Argument(metavar="USER", help="The user's id (usr_01H...) or e-mail address.", show_default=False)
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why: it is in the audit log.", show_default=False)],
    expires_in: Annotated[
        str | None, typer.Option("--expires-in", help="How long: 1h unless told otherwise.", show_default=False)
    ] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Only look: nothing can be changed.")] = False,
    acting_admin: Annotated[
        str | None, typer.Option("--acting-admin", help="Who is behind the key.", show_default=False)
    ] = None,
    written_as: FormatOption = None,
    profile: ProfileOption = None,
) -> None:
    """Act in a user's place: prints a token, and on standard error who you are now and until when."""
    given = {"user_id": user, "reason": reason, "expires_in": expires_in, "read_only": read_only or None}
    common = {"profile": profile, "written_as": written_as, "acting_admin": acting_admin}
    load("tables").run_words("users impersonate", given, common)


@app.command("stats", rich_help_panel=PANEL)
def stats(*, written_as: FormatOption = None, profile: ProfileOption = None) -> None:
    """Show the tenant's figures: users, second factors, sessions, organizations, sign-ins."""
    load("tables").run_words("stats", {}, {"profile": profile, "written_as": written_as})
