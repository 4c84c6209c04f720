"""Access that is stopped is stopped at the very next request, in every process; and what revives when it is given back.

Two server processes share the store where it can be shared (PostgreSQL): the acts go to the first, and what is left of
a user's access is tried at the second. The embedded store belongs to one server, which is both.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final

import httpx
import msgspec
import pytest

from tests.cli.conftest import Place
from tests.support import run_hj, server_process

PASSWORD: Final = "correct horse battery"
OTHER_PASSWORD: Final = "staple the battery on"


class Person(msgspec.Struct, frozen=True):
    """What somebody's device and memory hold: tokens of two sessions, and the password."""

    id: str
    email: str
    sessions: list[str]
    access: list[str]
    refresh: list[str]


class Stage(msgspec.Struct, frozen=True):
    """Two servers on one store (or one, twice), and keys of a tenant."""

    place: Place
    acts: httpx.Client
    tries: httpx.Client
    tenant_id: str
    key: str
    key_id: str
    publishable: str
    master: str

    def act(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Do something to a user as an administrator, at the first server."""
        answer = self.acts.request(method, path, json=body or {}, headers=bearer(self.key))
        assert answer.is_success, answer.text
        return answer

    def sign_up(self, email: str) -> Person:
        """Make somebody who is signed in twice."""
        body = {"email": email, "password": PASSWORD}
        first = self.acts.post("/v1/auth/sign-up", json=body, headers=bearer(self.publishable)).json()
        second = self.tries.post("/v1/auth/sign-in", json=body, headers=bearer(self.publishable)).json()
        both = [first["session"], second["session"]]
        return Person(
            id=first["user"]["id"],
            email=email,
            sessions=[session["id"] for session in both],
            access=[session["access_token"] for session in both],
            refresh=[session["refresh_token"] for session in both],
        )

    def me(self, token: str) -> tuple[int, str]:
        """Try an access token, at the second server."""
        return said(self.tries.get("/v1/auth/me", headers=bearer(token)))

    def refresh(self, token: str) -> httpx.Response:
        """Try a refresh token, at the second server."""
        body = {"refresh_token": token}
        return self.tries.post("/v1/auth/token/refresh", json=body, headers=bearer(self.publishable))

    def sign_in(self, person: Person, password: str = PASSWORD) -> tuple[int, str]:
        """Try to sign in, at the second server."""
        body = {"email": person.email, "password": password}
        return said(self.tries.post("/v1/auth/sign-in", json=body, headers=bearer(self.publishable)))

    def verify(self, token: str) -> Any:
        """Ask the second server what an access token is worth."""
        answer = self.tries.post("/v1/sessions/verify", json={"token": token}, headers=bearer(self.key))
        return answer.json().get("reason", answer.json()["valid"])


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


def said(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, "" if answer.is_success else answer.json()["error"]["code"]


def made(place: Place, *arguments: str) -> dict[str, Any]:
    ended = run_hj(*arguments, "--json", environ=place.environ)
    assert ended.returncode == 0, ended.stderr
    printed: dict[str, Any] = json.loads(ended.stdout)
    return printed


@pytest.fixture
def stage(place: Place, engine: str) -> Iterator[Stage]:
    environ = {**place.environ, "HELLOJOHN_SIGN_IN_FLOOR_MS": "0"}
    with ExitStack() as stack:
        first = stack.enter_context(server_process(place.directory, environ))
        shared = engine == "postgres"
        second = stack.enter_context(server_process(place.directory, environ)) if shared else first
        tenant = made(place, "tenants", "create", "--name", "Acme")["id"]
        scopes = ("--scope", "*", "--scope", "admins:manage")
        key = made(place, "keys", "create", "--tenant", tenant, "--name", "support", *scopes)
        publishable = made(place, "keys", "create", "--tenant", tenant, "--name", "front", "--type", "publishable")
        yield Stage(
            place,
            stack.enter_context(httpx.Client(base_url=first.url)),
            stack.enter_context(httpx.Client(base_url=second.url)),
            tenant,
            key["key"],
            key["id"],
            publishable["key"],
            made(place, "keys", "create", "--type", "master", "--name", "control")["key"],
        )


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """An act that stops access and the one that gives it back, and what each of a user's means is worth after both.

    `{id}` in a path is the user. `refresh_after` "": refreshing works again, and gives a session's next tokens.
    """

    method: str = "POST"
    path: str
    body: dict[str, Any] = {}
    access: tuple[int, str] = (401, "session_revoked")
    refresh: tuple[int, str] = (401, "session_revoked")
    sign_in: tuple[int, str]
    undo: str = ""
    access_after: tuple[int, str] = (401, "session_revoked")
    refresh_after: tuple[int, str] = (401, "session_revoked")


EVERYBODY: Final = "sign everybody out"
CASES: Final = {
    "disable": Case(path="/v1/users/{id}/disable", sign_in=(403, "account_disabled"), undo="enable"),
    "disable by PATCH": Case(
        method="PATCH",
        path="/v1/users/{id}",
        body={"disabled": True},
        sign_in=(403, "account_disabled"),
        undo="enable",
    ),
    "disable and let sessions rest": Case(
        path="/v1/users/{id}/disable",
        body={"revoke_sessions": False},
        access=(403, "account_disabled"),
        refresh=(403, "account_disabled"),
        sign_in=(403, "account_disabled"),
        undo="enable",
        access_after=(401, "token_stale"),
        refresh_after=(200, ""),
    ),
    "bulk disable": Case(
        path="/v1/admin/users/bulk-disable",
        body={"user_ids": ["{id}"]},
        sign_in=(403, "account_disabled"),
        undo="enable",
    ),
    "ban": Case(path="/v1/users/{id}/ban", body={"reason": "spam"}, sign_in=(403, "account_banned"), undo="unban"),
    "delete": Case(method="DELETE", path="/v1/users/{id}", sign_in=(401, "invalid_credentials"), undo="restore"),
    "erase": Case(
        method="DELETE",
        path="/v1/users/{id}?permanent=true",
        access=(401, "invalid_token"),
        refresh=(401, "refresh_token_invalid"),
        sign_in=(401, "invalid_credentials"),
    ),
    "revoke every session": Case(method="DELETE", path="/v1/users/{id}/sessions", sign_in=(200, "")),
    "set the password": Case(
        method="PUT",
        path="/v1/users/{id}/password",
        body={"password": OTHER_PASSWORD, "revoke_sessions": True},
        sign_in=(401, "invalid_credentials"),
    ),
    EVERYBODY: Case(method="DELETE", path="/v1/sessions?confirm={tenant}", sign_in=(200, "")),
}


def test_access_stops_at_the_next_request_everywhere(stage: Stage) -> None:
    bob = stage.sign_up("bob@example.com")
    for number, (name, case) in enumerate(CASES.items()):
        alice = stage.sign_up(f"alice{number}@example.com")
        assert [stage.me(token) for token in alice.access] == [(200, "")] * 2
        stop(stage, name, case, alice)
        bystander = (401, "session_revoked") if name == EVERYBODY else (200, "")
        assert stage.me(bob.access[0]) == bystander, name
        if case.undo:
            give_back(stage, name, case, alice)


def stop(stage: Stage, name: str, case: Case, person: Person) -> None:
    """Do the act, and try everything that the person has."""
    path = case.path.format(id=person.id, tenant=stage.tenant_id)
    stage.act(case.method, path, json.loads(json.dumps(case.body).replace("{id}", person.id)))
    assert [stage.me(token) for token in person.access] == [case.access] * 2, name
    assert stage.verify(person.access[0]) == case.access[1], name
    assert [said(stage.refresh(token)) for token in person.refresh] == [case.refresh] * 2, name
    assert stage.sign_in(person) == case.sign_in, name


def give_back(stage: Stage, name: str, case: Case, person: Person) -> None:
    """Undo the act, and try everything again: what ended stays ended, what rested goes on."""
    stage.act("POST", f"/v1/users/{person.id}/{case.undo}")
    assert [stage.me(token) for token in person.access] == [case.access_after] * 2, name
    refreshed = [stage.refresh(token) for token in person.refresh]
    assert [said(answer) for answer in refreshed] == [case.refresh_after] * 2, name
    if case.refresh_after[0] == httpx.codes.OK:
        revived = [answer.json()["session"] for answer in refreshed]
        assert [session["id"] for session in revived] == person.sessions
        assert [stage.me(session["access_token"]) for session in revived] == [(200, "")] * 2
    assert stage.sign_in(person) == (200, ""), name


def test_single_sessions_impersonations_and_whole_tenants(stage: Stage) -> None:
    one_session_ends_and_the_other_goes_on(stage, stage.sign_up("a@example.com"))
    signing_out_is_known_everywhere(stage, stage.sign_up("b@example.com"))
    an_impersonation_ends_with_its_key(stage, stage.sign_up("c@example.com"))
    an_impersonation_ends_with_a_key_that_hj_revokes(stage, stage.sign_up("d@example.com"))
    an_impersonation_does_not_rest(stage, stage.sign_up("e@example.com"))
    a_suspended_tenant_stops_everybody(stage, stage.sign_up("f@example.com"))


def one_session_ends_and_the_other_goes_on(stage: Stage, alice: Person) -> None:
    stopped = stage.act("DELETE", f"/v1/sessions/{alice.sessions[0]}").json()["access_stopped"]
    assert stopped["sessions_revoked"] == 1
    assert 0 < stopped["residual_seconds"] <= 900
    assert [stage.me(token) for token in alice.access] == [(401, "session_revoked"), (200, "")]
    assert [said(stage.refresh(token)) for token in alice.refresh] == [(401, "session_revoked"), (200, "")]


def signing_out_is_known_everywhere(stage: Stage, alice: Person) -> None:
    assert said(stage.acts.post("/v1/auth/sign-out", headers=bearer(alice.access[0]))) == (204, "")
    assert [stage.me(token) for token in alice.access] == [(401, "session_revoked"), (200, "")]


def impersonate(stage: Stage, person: Person, key: str) -> str:
    body = {"user_id": person.id, "reason": "ticket 8842"}
    answer = stage.acts.post("/v1/admin/users/impersonate", json=body, headers=bearer(key))
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    assert stage.me(token) == (200, "")
    return token


def an_impersonation_ends_with_its_key(stage: Stage, alice: Person) -> None:
    desk = made(stage.place, "keys", "create", "--tenant", stage.tenant_id, "--name", "desk")
    token = impersonate(stage, alice, desk["key"])
    stage.act("DELETE", f"/v1/api-keys/{desk['id']}")
    assert stage.me(token) == (401, "session_revoked")
    assert stage.me(alice.access[0]) == (200, "")


def an_impersonation_ends_with_a_key_that_hj_revokes(stage: Stage, alice: Person) -> None:
    desk = made(stage.place, "keys", "create", "--tenant", stage.tenant_id, "--name", "desk")
    token = impersonate(stage, alice, desk["key"])
    made(stage.place, "keys", "revoke", "--tenant", stage.tenant_id, desk["id"])
    assert stage.me(token) == (401, "session_revoked")


def an_impersonation_does_not_rest(stage: Stage, alice: Person) -> None:
    token = impersonate(stage, alice, stage.key)
    stage.act("POST", f"/v1/users/{alice.id}/disable", {"revoke_sessions": False})
    assert stage.me(token) == (401, "session_revoked")
    stage.act("POST", f"/v1/users/{alice.id}/enable")
    assert stage.me(token) == (401, "session_revoked")
    assert said(stage.refresh(alice.refresh[0])) == (200, "")


def a_suspended_tenant_stops_everybody(stage: Stage, alice: Person) -> None:
    path = f"/v1/tenants/{stage.tenant_id}"
    assert stage.acts.post(f"{path}/suspend", headers=bearer(stage.master)).is_success
    assert stage.me(alice.access[0]) == (403, "tenant_suspended")
    assert said(stage.refresh(alice.refresh[0])) == (403, "tenant_suspended")
    assert stage.sign_in(alice) == (403, "tenant_suspended")
    assert stage.acts.post(f"{path}/resume", headers=bearer(stage.master)).is_success
    assert stage.me(alice.access[0]) == (200, "")
