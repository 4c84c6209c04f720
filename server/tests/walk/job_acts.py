"""The calls of acts.py for plans and jobs."""

from typing import Any, Final

from tests.walk.acts import Act, Call
from tests.walk.world import World


async def _plan(world: World) -> tuple[str, str]:
    """Return a plan, and the user that it is for."""
    user = str((await world.make("/v1/users", {"email": "a@example.com"}))["id"])
    body = {"action": "disable", "user_ids": [user], "parameters": {"reason": "a wave of spam"}}
    return str((await world.make("/v1/admin/plans", body))["id"]), user


async def _job(world: World) -> dict[str, str]:
    """Return a job that has not begun, with its plan and the user that it is for."""
    plan, user = await _plan(world)
    made = await world.make("/v1/admin/jobs", {"plan_id": plan})
    return {"job": str(made["id"]), "plan": plan, "user": user}


async def _done(world: World) -> dict[str, str]:
    """Return a job that has ended, with its plan and the user whom it changed."""
    made = await _job(world)
    await world.services.job_runner.work(world.tenant_id, lambda: False)
    return made


def _about(made: dict[str, str], method: str, rest: str = "", body: Any = None) -> Call:
    return Call(method=method, path=f"/v1/admin/jobs/{made['job']}{rest}", body=body, objects=made)


async def create_plan(world: World) -> Call:
    user = str((await world.make("/v1/users", {"email": "a@example.com"}))["id"])
    body = {"action": "disable", "user_ids": [user], "parameters": {"reason": "a wave of spam"}}
    return Call(method="POST", path="/v1/admin/plans", body=body, objects={"user": user})


async def get_plan(world: World) -> Call:
    plan, user = await _plan(world)
    return Call(method="GET", path=f"/v1/admin/plans/{plan}", objects={"plan": plan, "user": user})


async def start_job(world: World) -> Call:
    plan, user = await _plan(world)
    return Call(method="POST", path="/v1/admin/jobs", body={"plan_id": plan}, objects={"plan": plan, "user": user})


async def list_jobs(world: World) -> Call:
    await _job(world)
    return Call(method="GET", path="/v1/admin/jobs?limit=2")


async def get_job(world: World) -> Call:
    return _about(await _job(world), "GET")


async def report_job(world: World) -> Call:
    return _about(await _done(world), "GET", "/report")


async def cancel_job(world: World) -> Call:
    return _about(await _job(world), "POST", "/cancel")


async def undo_job(world: World) -> Call:
    return _about(await _done(world), "POST", "/undo", {"reason": "a mistake"})


JOB_ACTS: Final[dict[str, Act]] = {
    act.__name__: act
    for act in (cancel_job, create_plan, get_job, get_plan, list_jobs, report_job, start_job, undo_job)
}
