"""Plans and jobs that are waited for, with a bar that says how far a job has come."""

import time
from typing import Any, Final

from hellojohn_server.cli.console import err
from hellojohn_server.cli.exits import CommandFailed, ExitCode
from hellojohn_server.cli.progress import progress
from hellojohn_server.cli.remote.calls import Client
from hellojohn_server.cli.remote.commands import Request
from hellojohn_server.cli.remote.running import show_answer

NO_WAIT: Final = {"no_wait": "Do not wait until it has ended."}
_FIRST_WAIT_SECONDS: Final = 0.1
_LONGEST_WAIT_SECONDS: Final = 2.0
_LIVE: Final = frozenset({"checking", "running"})


def make_plan(request: Request) -> None:
    """Make a plan, wait until it is prepared, and show it."""
    plan = request.send()
    wait = _FIRST_WAIT_SECONDS
    while plan.status == "preparing":
        time.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
        plan = request.client.admin.plans.get(plan.id)
    show_answer(plan, request.layout)
    err.print(f"Nothing was changed. hj bulk run {plan.id} does it to {plan.users:,} users.", markup=False)


def follow_job(request: Request) -> None:
    """Start, undo or look at a job, wait until it has ended unless told otherwise, and show it.

    CommandFailed when it was stopped or failed at some of the users. Interrupted, it goes on at the server.
    """
    job = request.send()
    if "no_wait" not in request.switches and job.status in _LIVE:
        try:
            job = _wait(request.client, job)
        except KeyboardInterrupt:
            err.print(f"The job goes on: hj bulk status {job.id}, hj bulk cancel {job.id}.", markup=False)
            raise
    show_answer(job, request.layout)
    if job.status == "stopped":
        raise CommandFailed(ExitCode.PARTLY, f"The job {job.id} was stopped: {job.stop_reason}.")
    if job.failed:
        raise CommandFailed(ExitCode.PARTLY, f"It failed at {job.failed:,} users: hj bulk report {job.id} lists them.")


def _wait(client: Client, job: Any) -> Any:
    wait = _FIRST_WAIT_SECONDS
    done = 0
    with progress(f"{job.action} users", job.users) as advance:
        while job.status in _LIVE:
            time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
            job = client.admin.jobs.get(job.id)
            advance(job.done - done)
            done = job.done
    return job
