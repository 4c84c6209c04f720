"""`admin.jobs`."""

from __future__ import annotations

from typing import Unpack

from msgspec import UNSET, UnsetType

from hellojohn._calls import Call, Repeat, segment
from hellojohn._resource import Resource
from hellojohn.options import ActingOptions, ActingWriteOptions
from hellojohn.pages import Page
from hellojohn.streams import Stream
from hellojohn.types.admin_jobs import Job, JobStatus, ReportLine, ShownJob


class AdminJobs(Resource):
    """The methods of `admin.jobs`."""

    def cancel(self, job_id: str, **options: Unpack[ActingWriteOptions]) -> ShownJob:
        """Cancel a job. What it did already stays done.

        Needs the scope `jobs:write`. In some cases also `sessions:write`, `users:write`.
        """
        call = Call(
            method="POST", path=f"/v1/admin/jobs/{segment(job_id)}/cancel", options=options, repeat=Repeat.WITH_KEY
        )
        return self._transport.fetch(call, ShownJob)

    def get(self, job_id: str, **options: Unpack[ActingOptions]) -> ShownJob:
        """Get a job: how far it has come, and the first of the users at whom it failed.

        Needs the scope `jobs:read`.
        """
        call = Call(method="GET", path=f"/v1/admin/jobs/{segment(job_id)}", options=options)
        return self._transport.fetch(call, ShownJob)

    def list(
        self,
        *,
        limit: int | UnsetType = UNSET,
        cursor: str | UnsetType = UNSET,
        status: JobStatus | UnsetType = UNSET,
        **options: Unpack[ActingOptions],
    ) -> Page[Job]:
        """List jobs, the newest first.

        Needs the scope `jobs:read`.

        `limit`: rows per page; 20 unless told otherwise.
        `cursor`: next_cursor of the page before.
        """
        call = Call(
            method="GET",
            path="/v1/admin/jobs",
            query={"limit": limit, "cursor": cursor, "status": status},
            options=options,
        )
        return self._transport.page(call, Job)

    def report(self, job_id: str, **options: Unpack[ActingOptions]) -> Stream[ReportLine]:
        """Get what became of each user that a job has come to, a line for each.

        Needs the scope `jobs:read`.
        """
        call = Call(method="GET", path=f"/v1/admin/jobs/{segment(job_id)}/report", options=options)
        return self._transport.stream(call, ReportLine)

    def start(
        self, *, plan_id: str, accept_changes: bool | UnsetType = UNSET, **options: Unpack[ActingWriteOptions]
    ) -> ShownJob:
        """Run a plan.

        It is done beside the server, in steps. If it would be done to others by now than the plan says, it is refused,
        unless accept_changes is true.

        Needs the scope `jobs:write`. In some cases also `admins:manage`, `sessions:write`, `users:write`.

        `plan_id`: the id of a plan.
        """
        call = Call(
            method="POST",
            path="/v1/admin/jobs",
            body={"plan_id": plan_id, "accept_changes": accept_changes},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return self._transport.fetch(call, ShownJob)

    def undo(
        self, job_id: str, *, reason: str | UnsetType | None = UNSET, **options: Unpack[ActingWriteOptions]
    ) -> ShownJob:
        """Undo a job: a job itself, which has each user whom it changed be as before.

        Users who changed since are skipped. Sessions that ended stay ended.

        Needs the scope `jobs:write`. In some cases also `admins:manage`, `users:write`.

        `reason`: why, for the audit log; at most 500 characters.
        """
        call = Call(
            method="POST",
            path=f"/v1/admin/jobs/{segment(job_id)}/undo",
            body={"reason": reason},
            options=options,
            repeat=Repeat.WITH_KEY,
        )
        return self._transport.fetch(call, ShownJob)
