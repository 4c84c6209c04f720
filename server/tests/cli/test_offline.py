"""`hj offline`: keys and users on the store itself, with the server down and beside one; what the audit log says."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx
import msgspec
import pytest

from hellojohn_server.cli.exits import ExitCode
from hellojohn_server.cli.parts import Tools
from hellojohn_server.features.audit.schemas import ListAuditQuery
from hellojohn_server.features.audit.service import AuditReader
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, encode_ulid
from hellojohn_server.kit.pagination import CursorCodec
from tests.cli.conftest import Place
from tests.cli.terminal import run_on_terminal
from tests.features.search.people import insert_people, person
from tests.support import run_hj, server_process

PASSWORD: Final = "correct horse battery"
NO_SUCH_TENANT: Final = f"tnt_{encode_ulid(1)}"
NO_SUCH_USER: Final = f"usr_{encode_ulid(1)}"


class Scene(msgspec.Struct, frozen=True):
    """A tenant, a publishable key of it, and a store."""

    place: Place
    tenant_id: str
    publishable: str

    def offline(self, *arguments: str) -> dict[str, Any]:
        """Do something offline without being asked, and return what it printed as JSON."""
        return made(self.place, "offline", *arguments, "--yes")


def made(place: Place, *arguments: str) -> dict[str, Any]:
    ended = run_hj(*arguments, "--json", environ=place.environ)
    assert ended.returncode == 0, ended.stderr
    printed: dict[str, Any] = json.loads(ended.stdout)
    return printed


def scene_of(place: Place) -> Scene:
    tenant = made(place, "tenants", "create", "--name", "Acme")["id"]
    front = made(place, "keys", "create", "--tenant", tenant, "--name", "front", "--type", "publishable")
    return Scene(place, tenant, front["key"])


@pytest.fixture
def scene(place: Place) -> Scene:
    return scene_of(place)


@contextmanager
def served(scene: Scene) -> Iterator[httpx.Client]:
    environ = {**scene.place.environ, "HELLOJOHN_SIGN_IN_FLOOR_MS": "0"}
    with server_process(scene.place.directory, environ) as server, httpx.Client(base_url=server.url) as client:
        yield client


def signed_up(client: httpx.Client, scene: Scene, email: str) -> dict[str, Any]:
    answer = client.post("/v1/auth/sign-up", json={"email": email, "password": PASSWORD}, headers=bearer(scene))
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def bearer(credential: Scene | str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential if isinstance(credential, str) else credential.publishable}"}


async def recorded(place: Place, tenant_id: str, after: int) -> list[tuple[str, str, str | None]]:
    """Return type, actor and reason of what was recorded after the first so many entries, oldest first."""
    found: list[tuple[str, str, str | None]] = []

    async def read(tools: Tools) -> None:
        page = await AuditReader(tools.database, CursorCodec(bytes(32))).list_entries(tenant_id, ListAuditQuery())
        found.extend((entry.type, entry.actor.type, entry.reason) for entry in page.rows[::-1][after:])

    await place.use(read)
    return found


async def test_with_the_server_down_a_user_is_shut_out_and_let_in_again(scene: Scene) -> None:
    with served(scene) as client:
        alice = signed_up(client, scene, "alice@example.com")
        token = alice["session"]["access_token"]
        assert client.get("/v1/auth/me", headers=bearer(token)).status_code == 200
    before = len(await recorded(scene.place, scene.tenant_id, 0))
    of_tenant = ("--tenant", scene.tenant_id)
    disabled = scene.offline("disable", "ALICE@example.com", *of_tenant, "--reason", "incident 12")
    assert (disabled["status"], disabled["disabled_reason"]) == ("disabled", "incident 12")
    assert disabled["access_stopped"]["sessions_revoked"] == 1
    with served(scene) as client:
        assert client.get("/v1/auth/me", headers=bearer(token)).status_code == 401
        credentials = {"email": "alice@example.com", "password": PASSWORD}
        assert client.post("/v1/auth/sign-in", json=credentials, headers=bearer(scene)).status_code == 403
    enabled = scene.offline("enable", alice["user"]["id"], *of_tenant)
    assert (enabled["status"], enabled["disabled"]) == ("active", False)
    with served(scene) as client:
        signed_in = client.post("/v1/auth/sign-in", json=credentials, headers=bearer(scene))
        assert signed_in.status_code == 200
    ended = scene.offline("end-sessions", "alice@example.com", *of_tenant, "--reason", "incident 13")
    assert ended["sessions_revoked"] == 1
    entries = await recorded(scene.place, scene.tenant_id, before)
    assert [entry for entry in entries if entry[1] == "cli"] == [
        ("user.disabled", "cli", "incident 12"),
        ("user.enabled", "cli", None),
        ("user.sessions_revoked", "cli", "incident 13"),
    ]


async def test_a_lock_is_lifted(scene: Scene) -> None:
    async def insert(tools: Tools) -> None:
        locked = person(1, locked_at=tools.clock.now_ms(), locked_until=tools.clock.now_ms() + 900_000)
        await insert_people(tools.database, scene.tenant_id, [locked])

    await scene.place.use(insert)
    email = ("person1@example.com", "--tenant", scene.tenant_id)
    assert scene.offline("unlock", *email, "--reason", "called us")["status"] == "active"
    assert scene.offline("unlock", *email)["locked_until"] is None
    assert (await recorded(scene.place, scene.tenant_id, 0))[-1] == ("user.unlocked", "cli", "called us")


async def test_keys_are_made_and_revoked_beside_a_server(scene: Scene) -> None:
    of_tenant = ("--tenant", scene.tenant_id)
    with served(scene) as client:
        key = scene.offline("create-key", *of_tenant, "--name", "incident 12", "--scope", "users:read")
        assert key["scopes"] == ["users:read"]
        assert key["expires_at"] is not None
        assert client.get("/v1/users", headers=bearer(key["key"])).status_code == 200
        revoked = scene.offline("revoke-key", key["id"], *of_tenant, "--reason", "over")
        assert (revoked["status"], revoked["revoked_reason"]) == ("revoked", "over")
        assert client.get("/v1/users", headers=bearer(key["key"])).status_code == 401
        master = scene.offline("create-key", "--master", "--name", "incident 12", "--expires-in", "10m")
        assert client.get("/v1/tenants", headers=bearer(master["key"])).status_code == 200
        scene.offline("revoke-key", master["id"], "--master")
        assert client.get("/v1/tenants", headers=bearer(master["key"])).status_code == 401
        bob = signed_up(client, scene, "bob@example.com")
        stopped = scene.offline("end-sessions", bob["user"]["id"], *of_tenant)
        assert stopped["sessions_revoked"] == 1
        assert client.get("/v1/auth/me", headers=bearer(bob["session"]["access_token"])).status_code == 401
    assert (await recorded(scene.place, scene.tenant_id, 0))[1:3] == [
        ("api_key.created", "cli", None),
        ("api_key.revoked", "cli", "over"),
    ]
    control = await recorded(scene.place, CONTROL_TENANT_ID, 0)
    assert [entry for entry in control if entry[1] == "cli"][-2:] == [
        ("api_key.created", "cli", None),
        ("api_key.revoked", "cli", None),
    ]


async def test_on_a_terminal_it_asks_and_says_what_will_happen(embedded: Place) -> None:
    scene = scene_of(embedded)
    with served(scene) as client:
        alice = signed_up(client, scene, "alice@example.com")["user"]["id"]
    email = ("alice@example.com", "--tenant", scene.tenant_id)
    question = f"Disable alice@example.com ({alice}) and end their 1 session? [y/N] "
    refused = run_on_terminal("offline", "disable", *email, environ=embedded.environ, typed="no\n")
    assert refused.returncode == ExitCode.DECLINED
    assert question in refused.printed
    assert "Nothing was changed." in refused.printed
    assert run_on_terminal("offline", "disable", *email, environ=embedded.environ, typed="\n").returncode == 11
    done = run_on_terminal("offline", "disable", *email, environ=embedded.environ, typed="y\n")
    assert done.returncode == 0, done.printed
    assert f"alice@example.com ({alice}) is disabled. Sessions ended: 1." in done.printed
    for act, asks in (
        ("enable", f"Enable alice@example.com ({alice}), whose status is disabled? "),
        ("unlock", f"Unlock alice@example.com ({alice}), who is not locked, and forget the failed sign-ins? "),
        ("end-sessions", f"End the 0 sessions of alice@example.com ({alice})? "),
    ):
        asked = run_on_terminal("offline", act, *email, environ=embedded.environ, typed="yes\n")
        assert (asked.returncode, asks in asked.printed) == (0, True), asked.printed
    types = [entry[0] for entry in await recorded(embedded, scene.tenant_id, 0) if entry[1] == "cli"]
    assert types == ["api_key.created", "user.disabled", "user.enabled"]


def test_what_cannot_be_done_is_said_and_changes_nothing(embedded: Place) -> None:
    tenant = scene_of(embedded).tenant_id
    of_tenant, nobody = ("--tenant", tenant), ("nobody@example.com", "--tenant", tenant)
    for arguments, code, says in (
        (("disable", *nobody), ExitCode.REFUSED, "There is no such user."),
        (("enable", NO_SUCH_USER, *of_tenant), ExitCode.REFUSED, "There is no such user."),
        (("unlock", NO_SUCH_USER, "--tenant", NO_SUCH_TENANT), ExitCode.REFUSED, "There is no such tenant."),
        (("end-sessions", "nobody@example.com"), ExitCode.USAGE, "--tenant"),
        (("disable", *nobody, "--reason", " " * 501), ExitCode.USAGE, "--reason"),
        (("revoke-key", "key_x", *of_tenant), ExitCode.REFUSED, "There is no such API key."),
        (("revoke-key", "key_x"), ExitCode.USAGE, "say --master"),
        (("create-key", "--name", "x"), ExitCode.USAGE, "say --master"),
        (("create-key", "--name", "x", "--master", "--scope", "*"), ExitCode.USAGE, "no scopes"),
        (("create-key", "--name", "x", *of_tenant), ExitCode.USAGE, "with * for 1h? There is no terminal to ask on"),
        (("create-key", "--name", "x", "--master"), ExitCode.USAGE, "pass --yes"),
    ):
        ended = run_hj("offline", *arguments, environ=embedded.environ)
        assert (ended.returncode, ended.stdout) == (code, ""), ended.stderr
        assert says in ended.stderr
