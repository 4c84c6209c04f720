"""Exporting the audit log on both stores: all of it, once, as the list shows it, with no cell that is a formula."""

import csv
import io
from typing import Any, Final

import msgspec
import pytest

from hellojohn_server.features.audit.schemas import CreateAuditEntryBody
from hellojohn_server.features.audit_export.schemas import COLUMNS, ExportAuditLogsQuery
from hellojohn_server.features.audit_export.service import AuditExportService
from hellojohn_server.features.keys.errors import InvalidApiKey
from hellojohn_server.kit.api_keys import parse_key
from hellojohn_server.kit.principal import Context
from tests.features.auth.parts import Front, make_front, said

EXPORT: Final = "/v1/audit-logs/export"


async def write(front: Front, count: int, **facts: Any) -> None:
    """Record entries of the application's own."""
    for number in range(count):
        body = {"action": "invoice.sent", "metadata": {"number": number}, **facts}
        answer = await front.admin("POST", "/v1/audit-logs", body)
        assert answer.status_code == 201, answer.text


async def listed(front: Front, query: str = "") -> list[dict[str, Any]]:
    """Return what the list shows."""
    data: list[dict[str, Any]] = (await front.admin("GET", f"/v1/audit-logs?limit=200{query}")).json()["data"]
    return data


async def exported(front: Front, query: str = "") -> list[dict[str, Any]]:
    """Return what the lines of an export hold."""
    answer = await front.admin("GET", f"{EXPORT}?format=ndjson{query}")
    assert answer.status_code == 200, answer.text
    return [msgspec.json.decode(line) for line in answer.content.splitlines()]


async def test_a_line_is_what_the_list_shows(front: Front) -> None:
    alice = await front.sign_up()
    await write(front, 3)
    await front.admin("POST", f"/v1/users/{alice.user_id}/disable", {"reason": "spam"})
    shown = await listed(front)
    assert await exported(front) == shown
    assert (await listed(front))[0]["type"] == "audit_logs.exported"


@pytest.mark.parametrize(
    "query",
    [
        "&type=invoice.*",
        "&user_id={user}",
        "&actor_id={user}&result=success",
        "&resource_type=user",
        "&type=user.nothing",
    ],
)
async def test_it_has_the_filters_of_the_list(front: Front, query: str) -> None:
    alice = await front.sign_up()
    await write(front, 2)
    await front.sign_out(alice.access)
    asked = query.format(user=alice.user_id)
    shown = await listed(front, asked)
    assert await exported(front, asked) == shown
    assert bool(shown) == (query != "&type=user.nothing")


@pytest.mark.parametrize(
    ("format", "content_type"), [("ndjson", "application/x-ndjson"), ("csv", "text/csv; charset=utf-8")]
)
async def test_what_the_answer_is(front: Front, format: str, content_type: str) -> None:  # noqa: A002 - the parameter's
    answer = await front.admin("GET", f"{EXPORT}?format={format}")
    assert answer.headers["content-type"] == content_type
    assert answer.headers["content-disposition"] == f'attachment; filename="audit-logs.{format}"'


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1", "'=1"])
async def test_no_cell_is_a_formula(front: Front, text: str) -> None:
    await write(front, 1, resource_id=text)
    answer = await front.admin("GET", f"{EXPORT}?format=csv&type=invoice.sent")
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert answer.text.splitlines()[0] == ",".join(COLUMNS)
    assert [row["resource_id"] for row in rows] == [f"'{text}"]
    assert msgspec.json.decode(rows[0]["metadata"]) == {"number": 0}
    assert (rows[0]["impersonated"], rows[0]["organization_id"]) == ("false", "")


async def test_thousands_are_all_in_it_and_once(front: Front) -> None:
    services = front.app.services
    context = front.app.context(front.tenant_id)
    for number in range(25):
        await services.custom_entries.create_entry(
            context, CreateAuditEntryBody(action="invoice.sent", metadata={"number": number})
        )
    principal = await services.keys.authenticate(parse_key(front.secret))
    export = AuditExportService(services.database, services.audit_log, services.audit, services.keys, chunk=4)
    query = ExportAuditLogsQuery(type="invoice.sent")
    text = b""
    async for part in await export.export_entries(Context(principal, "req_1", None, None), query):
        text += part
        await services.custom_entries.create_entry(context, CreateAuditEntryBody(action="invoice.sent"))
    numbers = [msgspec.json.decode(line)["metadata"]["number"] for line in text.splitlines()]
    assert numbers == list(reversed(range(25))), "and what is recorded meanwhile is not"


async def test_it_breaks_off_when_its_key_is_revoked(front: Front) -> None:
    services = front.app.services
    await write(front, 6)
    made = (await front.admin("POST", "/v1/api-keys", {"name": "x", "type": "secret", "scopes": ["audit:read"]})).json()
    principal = await services.keys.authenticate(parse_key(made["key"]))
    export = AuditExportService(services.database, services.audit_log, services.audit, services.keys, chunk=4)
    parts = await export.export_entries(Context(principal, "req_1", None, None), ExportAuditLogsQuery())
    await anext(parts)
    assert (await front.admin("DELETE", f"/v1/api-keys/{made['id']}")).is_success
    with pytest.raises(InvalidApiKey):
        await anext(parts)


async def test_another_tenant_sees_nothing_and_it_needs_its_scope(front: Front) -> None:
    await write(front, 1)
    other = await make_front(front.app)
    assert await exported(other, "&type=invoice.sent") == []
    body = {"name": "x", "type": "secret", "scopes": ["audit:write", "users:*"]}
    narrow = (await front.admin("POST", "/v1/api-keys", body)).json()["key"]
    assert said(await front.app.call(narrow, "GET", EXPORT)) == (403, "insufficient_scope")
    assert said(await front.admin("GET", f"{EXPORT}?limit=5"))[0] == 422


async def test_what_may_name_somebody_is_not_recorded(front: Front) -> None:
    alice = await front.sign_up()
    await exported(front, f"&user_id={alice.user_id}&resource_id=alice@example.com&ip_address=192.0.2.1")
    (entry, *_) = await listed(front)
    assert entry["metadata"]["filters"] == {
        "user_id": alice.user_id,
        "resource_id": "given",
        "ip_address": "given",
    }
