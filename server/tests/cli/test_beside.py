"""Several processes on one store: what one of them changes, the others know at their very next request."""

import json
from typing import Any

import httpx

from tests.cli.conftest import Place
from tests.support import run_hj, server_process


def made(place: Place, *arguments: str) -> dict[str, Any]:
    ended = run_hj(*arguments, "--json", environ=place.environ)
    assert ended.returncode == 0, ended.stderr
    printed: dict[str, Any] = json.loads(ended.stdout)
    return printed


def with_key(key: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {key['key']}"}


def test_a_key_that_hj_revokes_is_refused_at_the_next_request(place: Place) -> None:
    with server_process(place.directory, place.environ) as server, httpx.Client(base_url=server.url) as client:
        tenant = made(place, "tenants", "create", "--name", "Acme")["id"]
        key = made(place, "keys", "create", "--tenant", tenant, "--name", "backend")
        other = made(place, "keys", "create", "--tenant", tenant, "--name", "other")
        created = client.post("/v1/users", headers=with_key(key), json={"email": "alice@example.com"})
        assert created.status_code == 201
        for _ in range(3):
            assert client.get("/v1/users", headers=with_key(key)).status_code == 200
        made(place, "keys", "revoke", "--tenant", tenant, key["id"])
        refused = client.get("/v1/users", headers=with_key(key))
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key")
        assert client.get("/v1/users", headers=with_key(other)).status_code == 200


def test_a_master_key_that_hj_revokes_is_refused_at_the_next_request(place: Place) -> None:
    with server_process(place.directory, place.environ) as server, httpx.Client(base_url=server.url) as client:
        key = made(place, "keys", "create", "--type", "master", "--name", "control")
        assert client.get("/v1/tenants", headers=with_key(key)).status_code == 200
        made(place, "keys", "revoke", "--master", key["id"])
        assert client.get("/v1/tenants", headers=with_key(key)).status_code == 401


def test_two_servers_on_one_postgresql_know_at_once_what_the_other_did(shared: Place) -> None:
    with (
        server_process(shared.directory, shared.environ) as first,
        server_process(shared.directory, shared.environ) as second,
        httpx.Client(base_url=first.url) as here,
        httpx.Client(base_url=second.url) as there,
    ):
        tenant = made(shared, "tenants", "create", "--name", "Acme")["id"]
        key = made(shared, "keys", "create", "--tenant", tenant, "--name", "backend")
        manager = made(shared, "keys", "create", "--tenant", tenant, "--name", "manager")
        master = made(shared, "keys", "create", "--type", "master", "--name", "control")
        for number in range(5):
            email = f"user{number}@example.com"
            user = here.post("/v1/users", headers=with_key(key), json={"email": email}).json()
            path = f"/v1/users/{user['id']}"
            assert there.get(path, headers=with_key(key)).json() == user
            found = there.post("/v1/admin/users/search", headers=with_key(key), json={"query": email})
            assert [row["id"] for row in found.json()["data"]] == [user["id"]]
            assert here.patch(path, headers=with_key(key), json={"disabled": True}).status_code == 200
            assert there.get(path, headers=with_key(key)).json()["disabled"] is True
            assert there.get(f"{path}/access", headers=with_key(key)).json()["can_sign_in"] is False
            assert (
                there.get("/v1/users?disabled=true", headers=with_key(key)).json()["pagination"]["total"] == number + 1
            )
        assert here.delete(f"/v1/api-keys/{key['id']}", headers=with_key(manager)).status_code in {200, 204}
        assert there.get("/v1/users", headers=with_key(key)).status_code == 401
        assert there.get("/v1/users", headers=with_key(manager)).status_code == 200
        suspended = here.post(f"/v1/tenants/{tenant}/suspend", headers=with_key(master))
        assert suspended.status_code == 200
        refused = there.get("/v1/users", headers=with_key(manager))
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "tenant_suspended")


def test_a_server_that_stops_has_written_when_keys_were_used(place: Place) -> None:
    with server_process(place.directory, place.environ) as server, httpx.Client(base_url=server.url) as client:
        tenant = made(place, "tenants", "create", "--name", "Acme")["id"]
        key = made(place, "keys", "create", "--tenant", tenant, "--name", "backend")
        assert client.get("/v1/users", headers=with_key(key)).status_code == 200
    with server_process(place.directory, place.environ) as server, httpx.Client(base_url=server.url) as client:
        [shown] = client.get("/v1/api-keys", headers=with_key(key)).json()["data"]
        assert shown["last_used_at"] is not None
