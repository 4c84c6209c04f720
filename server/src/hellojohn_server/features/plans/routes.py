"""Plans: /v1/admin/plans."""

from hellojohn_server.features.emails.errors import MailNotConfigured
from hellojohn_server.features.plans.errors import PlanNotFound
from hellojohn_server.features.plans.schemas import MAX_BODY_BYTES, CreatePlanBody, PlanBody
from hellojohn_server.features.plans.service import PlanService
from hellojohn_server.kit.principal import Context
from hellojohn_server.kit.rate_limits import Limit
from hellojohn_server.kit.routing import Answer, Method, route
from hellojohn_server.kit.scopes import Scope


class PlanRoutes:
    """Plans of acts on many users."""

    def __init__(self, plans: PlanService) -> None:
        self._plans = plans

    @route(
        Method.POST,
        "/v1/admin/plans",
        scope=Scope.JOBS_WRITE,
        status=201,
        errors=(MailNotConfigured,),
        max_body_bytes=MAX_BODY_BYTES,
        limit=Limit.BULK,
        conditional_scopes=(Scope.ADMINS_MANAGE, Scope.SESSIONS_WRITE, Scope.USERS_WRITE),
    )
    async def create_plan(self, context: Context, body: CreatePlanBody) -> Answer[PlanBody]:
        """Make a plan of an act on many users, without doing anything.

        It says to how many users it would be done, shows some of them, and says whom it leaves out and why. One that
        finds more than 5,000 is preparing at first: get it again until it is ready. A job runs it within a day.
        """
        plan = await self._plans.create_plan(context, body)
        return Answer(plan, location=f"/v1/admin/plans/{plan.id}")

    @route(Method.GET, "/v1/admin/plans/{plan_id}", scope=Scope.JOBS_READ, errors=(PlanNotFound,))
    async def get_plan(self, context: Context, plan_id: str) -> Answer[PlanBody]:
        """Get a plan."""
        return Answer(await self._plans.get_plan(context, plan_id))
