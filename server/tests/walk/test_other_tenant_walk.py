"""Another tenant's objects, credentials and cursors, at every operation that takes any: nothing is found, or changed.

Two tenants of one app are prepared alike. Then each id that a request of the one names, wherever it stands, is replaced
by that of the other. Which operations these are, and where ids and cursors stand, comes from /openapi.json.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import httpx
import msgspec
import pytest

from tests.walk.access_acts import BULK
from tests.walk.account_acts import BY_PUBLISHABLE_KEY, EVERY_ACT, PASSWORD, access_token
from tests.walk.acts import Call
from tests.walk.organization_acts import JOIN_PAGE
from tests.walk.test_access_walk import ANY_SCOPE, MASTER, NEEDS, PUBLIC, error_of, kind_of
from tests.walk.test_audit_walk import TABLE
from tests.walk.world import World, another_tenant, send

ID: Final = re.compile(r"(?<=/)[a-z]{3,4}_[0-9A-HJKMNP-TV-Z]{26}(?=[/?]|$)")
MALFORMED: Final = ("x", "usr_1", "tnt_00000000000000000000000000", "%F0%9F%90%88")
IN_BODY: Final[dict[str, tuple[int, str]]] = {
    "add_member": (404, "user_not_found"),
    "impersonate_user": (404, "user_not_found"),
    "start_job": (404, "plan_not_found"),
}
"""Operations whose body names an object, and what they answer to another tenant's. Those of many users: see BULK."""
FREE: Final = {"create_audit_log", "create_plan", "create_user", "update_user"}
"""Operations whose body has an id of the application's own, which may be anything; plans count others' as not found."""
WITH_ANOTHERS_KEY: Final[dict[str, tuple[int, str]]] = {
    "accept_invitation": (401, "link_invalid"),
    "begin_passkey_sign_in": (409, "webauthn_not_configured"),
    "forgot_password": (202, ""),
    "get_passkey_options": (401, "mfa_challenge_invalid"),
    "refresh_tokens": (401, "refresh_token_invalid"),
    "request_magic_link": (202, ""),
    "reset_password": (401, "link_invalid"),
    "sign_in": (401, "invalid_credentials"),
    "sign_in_with_passkey": (409, "webauthn_not_configured"),
    "sign_up": (201, ""),
    "sign_up_invited": (401, "link_invalid"),
    "verify_email": (401, "link_invalid"),
    "verify_magic_link": (401, "link_invalid"),
    "verify_mfa": (401, "mfa_challenge_invalid"),
}
"""What the public operations answer when what they are given is of another tenant than their publishable key."""
EXPORTS: Final = {"export_audit_logs": "/v1/audit-logs/export", "export_users": "/v1/admin/users/export"}
FILTERS: Final[dict[str, set[str]]] = {
    "list_audit_logs": {"actor_id", "resource_id", "user_id"},
    "list_emails": {"user_id"},
    "list_sessions": {"user_id"},
    "export_audit_logs": {"actor_id", "resource_id", "user_id"},
    "export_users": {"organization_id"},
    "list_users": {"organization_id"},
}
"""The parameters of lists that name an object. (Search has its filter in the body: see below.)"""
CURSORS: Final[dict[str, str]] = {
    "list_api_keys": "/v1/api-keys",
    "list_audit_logs": "/v1/audit-logs",
    "list_emails": "/v1/admin/emails",
    "list_jobs": "/v1/admin/jobs",
    "list_imports": "/v1/admin/imports",
    "list_invitations": "/v1/organizations/{organization}/invitations",
    "list_members": "/v1/organizations/{organization}/members",
    "list_organizations": "/v1/organizations",
    "list_own_organizations": "/v1/auth/organizations",
    "list_own_sessions": "/v1/auth/sessions",
    "list_roles": "/v1/roles",
    "list_sessions": "/v1/sessions",
    "list_tenants": "/v1/tenants",
    "list_user_organizations": "/v1/users/{user}/organizations",
    "list_user_sessions": "/v1/users/{user}/sessions",
    "list_users": "/v1/users",
    "search_users": "/v1/admin/users/search",
}
"""Every operation that takes a cursor."""


async def document_of(world: World) -> dict[str, dict[str, Any]]:
    """Return every operation of the document, with its path, by its name."""
    document = (await world.client.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    return {
        operation["operationId"]: {"path": path, "properties": properties_of(operation, schemas), **operation}
        for path, item in document["paths"].items()
        for operation in item.values()
    }


def properties_of(operation: dict[str, Any], schemas: dict[str, Any]) -> set[str]:
    """Return the names of the fields of an operation's body."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    reference = {} if content is None else content["schema"]
    return set(schemas[reference["$ref"].rpartition("/")[2]]["properties"]) if reference else set()


def parameters_of(operation: dict[str, Any]) -> set[str]:
    """Return the names of an operation's parameters in its query."""
    return {found["name"] for found in operation.get("parameters", []) if found.get("in") == "query"}


async def test_the_tables_are_of_every_operation_that_takes_an_id_or_a_cursor(world: World) -> None:
    operations = await document_of(world)
    assert CURSORS.keys() == {
        name for name, one in operations.items() if "cursor" in parameters_of(one) | one["properties"]
    }
    filters = {
        name: {named for named in parameters_of(one) if named.endswith("_id") and named != "external_id"}
        for name, one in operations.items()
    }
    assert {name: named for name, named in filters.items() if named} == FILTERS
    in_body = {
        name for name, one in operations.items() if any(re.search(r"_ids?$", field) for field in one["properties"])
    }
    assert in_body - BY_PUBLISHABLE_KEY.keys() == IN_BODY.keys() | BULK.keys() | FREE
    assert WITH_ANOTHERS_KEY.keys() == BY_PUBLISHABLE_KEY.keys()


def others_in_path(call: Call, other: Call) -> Iterator[Call]:
    """Yield a call with each of its ids in turn that of the other call, and with malformed ones."""
    for mine, theirs in zip(ID.finditer(call.path), ID.finditer(other.path), strict=True):
        for named in (theirs.group(), *MALFORMED):
            path = f"{call.path[: mine.start()]}{named}{call.path[mine.end() :]}"
            yield msgspec.structs.replace(call, path=path)


@pytest.mark.parametrize("operation", sorted(EVERY_ACT.keys() - PUBLIC - MASTER))
async def test_anothers_object_is_not_found_wherever_it_is_named(world: World, operation: str) -> None:
    beside = await another_tenant(world)
    call, other = await EVERY_ACT[operation](world), await EVERY_ACT[operation](beside)
    document = (await document_of(world))[operation]
    assert len(ID.findall(call.path)) == document["path"].count("{")
    before = [await beside.entries(one.tenant_id) for one in (world, beside)]

    for asked in others_in_path(call, other):
        answer = await send(world, asked)
        assert answer.status_code == httpx.codes.NOT_FOUND, (asked.path, answer.text)
        assert answer.json()["error"]["code"].endswith("_not_found")
    if operation in IN_BODY:
        (field,) = {"user_id", "plan_id"} & call.body.keys()
        body = call.body | {field: other.body[field]}
        assert error_of(await send(world, msgspec.structs.replace(call, body=body))) == IN_BODY[operation]
    if operation in BULK:
        body = call.body | {"user_ids": other.body["user_ids"]}
        answer = await send(world, msgspec.structs.replace(call, body=body))
        assert answer.json()[BULK[operation]] == 0
        assert set(answer.json()["not_found"]) == set(other.body["user_ids"])

    assert await beside.entries(beside.tenant_id) == before[1]
    if operation not in BULK:
        assert await world.entries(world.tenant_id) == before[0]
    for prepared, whose in ((call, world), (other, beside)):
        done = await send(whose, prepared)
        assert done.status_code == (TABLE[operation].status if operation in TABLE else httpx.codes.OK), done.text


@pytest.mark.parametrize("operation", sorted(MASTER))
async def test_a_malformed_id_is_not_found_with_a_master_key_either(world: World, operation: str) -> None:
    call = await EVERY_ACT[operation](world)
    assert len(ID.findall(call.path)) == (await document_of(world))[operation]["path"].count("{")

    for real in ID.findall(call.path):
        for named in ("tnt_00000000000000000000000009", *MALFORMED):
            asked = msgspec.structs.replace(call, path=call.path.replace(real, named))
            assert error_of(await send(world, asked)) == (404, "tenant_not_found"), asked.path


@pytest.mark.parametrize("operation", sorted(EVERY_ACT.keys() - PUBLIC - MASTER - NEEDS.keys() - ANY_SCOPE))
async def test_a_credential_of_another_tenant_opens_its_own_only(world: World, operation: str) -> None:
    beside = await another_tenant(world)
    call = await EVERY_ACT[operation](world)
    by_user = kind_of(operation) == "access token"
    credential = await access_token(beside) if by_user else beside.publishable_key
    before, mails = await world.entries(world.tenant_id), len(await world.mails())

    mismatch = await send(world, call, key=credential, **{"X-Tenant-ID": world.tenant_id})
    answer = await send(world, call, key=credential)

    assert error_of(mismatch) == (403, "tenant_mismatch")
    if operation in WITH_ANOTHERS_KEY:
        status, code = WITH_ANOTHERS_KEY[operation]
        found = answer.json()["error"]["code"] if answer.is_error else ""
        assert (answer.status_code, found) == (status, code)
        assert [
            mail for mail in (await world.mails())[mails:] if mail.to == "a@example.com"
        ] == [] or operation == "sign_up"
    elif ID.search(call.path):
        assert answer.status_code == httpx.codes.NOT_FOUND, answer.text
    assert await world.entries(world.tenant_id) == before
    done = await send(world, call)
    assert done.status_code == (TABLE[operation].status if operation in TABLE else httpx.codes.OK), done.text


async def fill(world: World) -> dict[str, str]:
    """Have two of everything that is listed; return what stands in paths, and an access token of the first user."""
    named: dict[str, str] = {}
    organizations = [await world.make("/v1/organizations", {"name": f"Acme {number}"}) for number in range(2)]
    await world.make("/v1/api-keys", {"name": "another", "type": "publishable"})
    await world.send("PATCH", "/v1/admin/config", JOIN_PAGE)
    for number in range(2):
        body = {"email": f"{number}@example.com", "password": PASSWORD}
        made = await world.make("/v1/auth/sign-up", body, key=world.publishable_key)
        for organization in organizations:
            await world.make(f"/v1/organizations/{organization['id']}/members", {"user_id": made["user"]["id"]})
        await world.send("POST", "/v1/auth/sign-in", body, key=world.publishable_key)
        await world.make(f"/v1/organizations/{organizations[0]['id']}/invitations", {"email": f"x{number}@example.com"})
        plan = await world.make("/v1/admin/plans", {"action": "enable", "filters": {}})
        await world.make("/v1/admin/jobs", {"plan_id": plan["id"]})
        await world.make("/v1/admin/imports", [])
        named |= {"user": made["user"]["id"], f"token {number}": made["session"]["access_token"]}
    return named | {"organization": organizations[0]["id"]}


async def ask(world: World, operation: str, named: dict[str, str], token: str, cursor: str | None) -> httpx.Response:
    """Ask for a page of one, the first or the one after the cursor."""
    path = CURSORS[operation].format_map(named)
    asked = {"limit": 1} if cursor is None else {"limit": 1, "cursor": cursor}
    if operation == "search_users":
        return await world.send("POST", path, asked)
    key = world.master_key if operation in MASTER else named[token] if kind_of(operation) == "access token" else None
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return await world.send("GET", f"{path}?{query}", key=key)


@pytest.mark.parametrize("operation", sorted(CURSORS))
async def test_a_cursor_goes_on_where_it_was_given_only(world: World, operation: str) -> None:
    beside = await another_tenant(world)
    mine, theirs = await fill(world), await fill(beside)
    first = (await ask(world, operation, mine, "token 0", None)).json()
    cursor = first["pagination"]["next_cursor"]

    own = await ask(world, operation, mine, "token 0", cursor)
    refused = []
    if operation not in MASTER:
        refused.append(await ask(beside, operation, theirs, "token 0", cursor))
    if kind_of(operation) == "access token":
        refused.append(await ask(world, operation, mine, "token 1", cursor))
    another = "list_users" if operation != "list_users" else "list_organizations"
    refused.append(await ask(world, another, mine, "token 0", cursor))

    assert own.status_code == httpx.codes.OK
    assert own.json()["data"] not in ([], first["data"])
    assert [error_of(answer) for answer in refused] == [(422, "invalid_cursor")] * len(refused)


@pytest.mark.parametrize(
    ("operation", "name"), [(name, each) for name in sorted(FILTERS) for each in sorted(FILTERS[name])]
)
async def test_a_filter_by_anothers_object_finds_nothing(world: World, operation: str, name: str) -> None:
    beside = await another_tenant(world)
    theirs = await fill(beside)
    await fill(world)
    named = theirs["organization" if name == "organization_id" else "user"]

    if operation in EXPORTS:
        lines = [await each.send("GET", f"{EXPORTS[operation]}?{name}={named}") for each in (world, beside)]
        assert [(answer.status_code, bool(answer.content)) for answer in lines] == [(200, False), (200, True)]
        return
    found = await world.send("GET", f"{CURSORS[operation]}?{name}={named}")
    there = await beside.send("GET", f"{CURSORS[operation]}?{name}={named}")

    assert (found.status_code, found.json()["data"], found.json()["pagination"]["total"]) == (200, [], 0)
    assert there.json()["pagination"]["total"] > 0


async def test_a_search_in_anothers_organization_finds_nothing(world: World) -> None:
    beside = await another_tenant(world)
    theirs = await fill(beside)
    await fill(world)
    body = {"filters": {"organization_id": theirs["organization"]}}

    found = await world.send("POST", CURSORS["search_users"], body)
    there = await beside.send("POST", CURSORS["search_users"], body)

    assert (found.status_code, found.json()["data"]) == (200, [])
    assert there.json()["pagination"]["total"] == 2
