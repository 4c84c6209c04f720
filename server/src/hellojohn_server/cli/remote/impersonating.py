"""`hj impersonate`: a token for acting in a user's place, with a warning that nobody overlooks."""

from datetime import UTC, datetime

from rich.panel import Panel
from rich.text import Text

import hellojohn
from hellojohn_server.cli.console import err, out, printable
from hellojohn_server.cli.remote.calls import find_user
from hellojohn_server.cli.remote.commands import Request
from hellojohn_server.cli.remote.running import show_answer


def impersonate(request: Request) -> None:
    """Begin an impersonation: the token goes to standard output, who one is now and until when to standard error."""
    made = request.send()
    try:
        who = f"{find_user(request.client, made.impersonated_user_id)['email']} ({made.impersonated_user_id})"
    except hellojohn.PermissionDeniedError:
        who = made.impersonated_user_id
    minutes = round((made.expires_at - datetime.now(UTC)).total_seconds() / 60)
    only = " It can look only." if request.named.get("read_only") else ""
    lines = (
        f"WARNING: with this token you are {printable(who)}.{only}",
        f"It ends at {made.expires_at:%Y-%m-%d %H:%M:%S} UTC, in {minutes} minutes.",
        f"What is done with it is recorded with both identities, for: {printable(str(request.named['reason']))}",
        f"End it with: hj sessions revoke {made.session_id} --yes",
    )
    if err.is_terminal:
        err.print(Panel(Text("\n".join(lines)), border_style="bold red", expand=False), soft_wrap=False)
    else:
        for line in lines:
            err.out(line)
    if request.layout.is_asked:
        show_answer(made, request.layout)
    else:
        out.out(made.access_token)
