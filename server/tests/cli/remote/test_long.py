"""Commands that go on: jobs that are followed to their end, the audit log that is followed, on a server of its own."""

import json
import select
import signal
import subprocess
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pytest

from hellojohn_server.cli.exits import ExitCode
from hellojohn_server.cli.parts import Tools
from hellojohn_server.cli.remote.profiles import Profile, Profiles, profiles_file, write_profiles
from tests.cli.conftest import Place
from tests.features.search.people import insert_people, person
from tests.support import HJ, hj_environment, run_hj, server_process

COUNT: Final = 300
_DEADLINE_SECONDS: Final = 30


class Served(msgspec.Struct, frozen=True):
    """A running server, a tenant with many users, and the environment of whoever has its key."""

    tenant_id: str
    environ: dict[str, str]

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command over HTTP."""
        return run_hj(*arguments, environ=self.environ)

    def json(self, *arguments: str) -> dict[str, Any]:
        """Run a command that ends well, and return what it printed."""
        ended = self.run(*arguments)
        assert ended.returncode == 0, ended.stderr
        printed: dict[str, Any] = json.loads(ended.stdout)
        return printed


@pytest.fixture
async def tenant_id(embedded: Place) -> str:
    made = run_hj("tenants", "create", "--name", "Acme", "--json", environ=embedded.environ)
    tenant_id: str = json.loads(made.stdout)["id"]
    users = [person(number) for number in range(COUNT)]

    async def insert(tools: Tools) -> None:
        await insert_people(tools.database, tenant_id, users)

    await embedded.use(insert)
    return tenant_id


@pytest.fixture
def served(embedded: Place, tenant_id: str) -> Iterator[Served]:
    made = run_hj("keys", "create", "--tenant", tenant_id, "--name", "x", "--json", environ=embedded.environ)
    with server_process(embedded.directory, embedded.environ) as server:
        yield Served(tenant_id, hj_environment(API_URL=server.url, SECRET_KEY=json.loads(made.stdout)["key"]))


def test_a_plan_is_run_followed_and_undone(served: Served) -> None:
    planned = served.run("bulk", "plan", "disable", "--role", "member", "--reason", "spring cleaning")
    plan = json.loads(planned.stdout)
    assert (plan["status"], plan["users"], plan["parameters"]["reason"]) == ("ready", COUNT, "spring cleaning")
    assert f"Nothing was changed. hj bulk run {plan['id']} does it to 300 users." in planned.stderr

    asked = served.run("bulk", "run", plan["id"])
    assert asked.returncode == ExitCode.USAGE
    assert f"Run the plan {plan['id']}: disable, to 300 users?" in asked.stderr

    job = served.json("bulk", "run", plan["id"], "--yes")
    assert (job["status"], job["changed"]) == ("completed", COUNT)
    assert served.json("users", "list", "--limit", "1")["status"] == "disabled"
    assert served.json("bulk", "status", job["id"])["id"] == job["id"]
    lines = [json.loads(line) for line in served.run("bulk", "report", job["id"]).stdout.splitlines()]
    assert (len(lines), {line["outcome"] for line in lines}) == (COUNT, {"changed"})

    undone = served.json("bulk", "undo", job["id"], "--yes", "--reason", "too much")
    assert (undone["status"], undone["undo_of"], undone["changed"]) == ("completed", job["id"], COUNT)
    assert served.json("users", "list", "--limit", "1")["status"] == "active"
    again = served.run("bulk", "run", plan["id"], "--yes")
    assert again.returncode == ExitCode.CONFLICT


def test_users_are_named_on_standard_input(served: Served) -> None:
    everybody = served.run("users", "list", "--all").stdout.splitlines()
    ids = "\n".join(json.loads(line)["id"] for line in everybody[:7])
    ended = subprocess.run(
        [str(HJ), "bulk", "disable", "-", "--yes"],
        input=ids,
        env=served.environ,
        capture_output=True,
        text=True,
        timeout=_DEADLINE_SECONDS,
        check=False,
    )
    assert json.loads(ended.stdout)["disabled"] == 7, ended.stderr


def test_the_audit_log_is_followed_until_it_is_interrupted(served: Served) -> None:
    for number in range(3):
        served.json("audit", "create", "--action", f"invoice.n{number}")
    command = [str(HJ), "audit", "tail", "--type", "invoice.*", "--limit", "2"]
    with subprocess.Popen(command, env=served.environ, stdout=subprocess.PIPE, bufsize=0) as tail:
        try:
            assert [next_type(tail), next_type(tail)] == ["invoice.n1", "invoice.n2"]
            served.json("audit", "create", "--action", "invoice.n3")
            served.json("audit", "create", "--action", "payment.n1")
            served.json("audit", "create", "--action", "invoice.n4")
            assert [next_type(tail), next_type(tail)] == ["invoice.n3", "invoice.n4"]
            tail.send_signal(signal.SIGINT)
            assert tail.wait(_DEADLINE_SECONDS) == ExitCode.INTERRUPTED
        finally:
            tail.kill()


def next_type(tail: "subprocess.Popen[bytes]") -> str:
    """Return the type of the next entry that is printed. Its pipe is not buffered: what is not read is still in it."""
    assert tail.stdout is not None
    assert select.select([tail.stdout], [], [], _DEADLINE_SECONDS)[0]
    entry: dict[str, Any] = json.loads(tail.stdout.readline())
    return str(entry["type"])


def test_users_go_into_a_file_and_back_over_http(served: Served, embedded: Place) -> None:
    file = embedded.directory / "users.ndjson"
    written = served.run("users", "export", "--output", str(file))
    assert (written.returncode, written.stdout) == (0, "")
    assert len(file.read_bytes().splitlines()) == COUNT
    trial = served.json("users", "import", str(file), "--dry-run", "--json")
    assert (trial["dry_run"], trial["duplicates"], trial["imported"]) == (True, COUNT, 0)
    file.write_text('{"email": "new@example.com"}\n{"email": "nonsense"}\n', encoding="utf-8")
    report = embedded.directory / "report.ndjson"
    partly = served.run("users", "import", str(file), "--json", "--report", str(report))
    assert (partly.returncode, json.loads(partly.stdout)["imported"]) == (ExitCode.PARTLY, 1)
    assert [json.loads(line)["row"] for line in report.read_text(encoding="utf-8").splitlines()] == [2]
    assert report.stat().st_mode & 0o777 == 0o600


def test_a_named_store_wins_and_a_named_profile_wins_over_its_variables(served: Served, embedded: Place) -> None:
    both = {
        **embedded.environ,
        **{name: served.environ[name] for name in ("HELLOJOHN_API_URL", "HELLOJOHN_SECRET_KEY")},
    }
    on_store = run_hj("keys", "create", "--tenant", served.tenant_id, "--name", "store", "--json", environ=both)
    assert json.loads(on_store.stdout)["created_by"] == "cli", on_store.stderr
    made = served.json("keys", "create", "--name", "http", "--scope", "users:read", "--json")
    assert made["created_by"].startswith("key_")
    revoked = served.json("keys", "revoke", made["id"], "--yes", "--reason", "over", "--json")
    assert (revoked["status"], revoked["revoked_reason"]) == ("revoked", "over")
    profiles = {"mine": Profile(api_url=both["HELLOJOHN_API_URL"], secret_key=both.pop("HELLOJOHN_SECRET_KEY"))}
    both["XDG_CONFIG_HOME"] = str(embedded.directory / "home")
    write_profiles(profiles_file(both), Profiles(current="mine", profiles=profiles))
    of_profile = run_hj("keys", "create", "--name", "x", "--json", "--profile", "mine", environ=both)
    assert json.loads(of_profile.stdout)["created_by"].startswith("key_"), of_profile.stderr
    nothing = run_hj("keys", "create", "--name", "x", environ=hj_environment(API_URL="http://127.0.0.1:1"))
    assert nothing.returncode == ExitCode.UNAUTHENTICATED
    assert "To work on the store itself, name it: --data-dir or --database-url." in nothing.stderr
