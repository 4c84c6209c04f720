"""`hj migrate`, `hj tenants` and `hj keys` as processes: what they print, what they refuse, what the audit log says."""

import json
from typing import Any

import pytest

from hellojohn_server import __version__
from hellojohn_server.app import PARTS
from hellojohn_server.cli import root
from hellojohn_server.cli.exits import ExitCode
from hellojohn_server.cli.parts import Tools
from hellojohn_server.config import settings_list
from hellojohn_server.features.audit.schemas import AuditEntryBody, ListAuditQuery
from hellojohn_server.features.audit.service import AuditReader
from hellojohn_server.features.tenants import repository as tenants_repository
from hellojohn_server.features.tenants.schemas import Tenant, TenantStatus
from hellojohn_server.kit.api_keys import Environment
from hellojohn_server.kit.ids import CONTROL_TENANT_ID, IdPrefix, encode_ulid, is_id
from hellojohn_server.kit.pagination import CursorCodec
from hellojohn_server.storage.database import Exempt, Transaction
from tests.cli.conftest import Place
from tests.support import hj_environment, run_hj

NO_SUCH_TENANT = f"tnt_{encode_ulid(1)}"


def run_json(place: Place, *arguments: str) -> dict[str, Any]:
    ended = run_hj(*arguments, "--json", environ=place.environ)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("\n") == 1
    printed: dict[str, Any] = json.loads(ended.stdout)
    return printed


async def entries_of(place: Place, tenant_id: str) -> list[AuditEntryBody]:
    found: list[AuditEntryBody] = []

    async def read(tools: Tools) -> None:
        reader = AuditReader(tools.database, CursorCodec(bytes(32)))
        found.extend((await reader.list_entries(tenant_id, ListAuditQuery())).rows[::-1])

    await place.use(read)
    return found


async def test_a_tenant_and_its_keys_are_made_and_audited_as_cli(place: Place) -> None:
    tenant = run_json(place, "tenants", "create", "--name", "Ægir & Söhne", "--environment", "test")
    assert is_id(tenant["id"], IdPrefix.TENANT)
    assert (tenant["name"], tenant["environment"], tenant["status"]) == ("Ægir & Söhne", "test", "active")
    of_tenant = ("--tenant", tenant["id"])
    scopes = ("--scope", "users:read", "--scope", "audit:*", "--expires-in", "90d")
    scopes += ("--allowed-ip", "2001:DB8::/32", "--allowed-ip", "203.0.113.7/32")
    secret = run_json(place, "keys", "create", *of_tenant, "--name", "backend", *scopes)
    assert secret["key"].startswith("sk_test_")
    assert secret["scopes"] == ["audit:*", "users:read"]
    assert secret["expires_at"] is not None
    assert secret["allowed_ips"] == ["203.0.113.7", "2001:db8::/32"]
    publishable = run_json(place, "keys", "create", *of_tenant, "--name", "web", "--type", "publishable")
    assert publishable["key"].startswith("pk_test_")
    master = run_json(place, "keys", "create", "--name", "control", "--type", "master")
    assert master["key"].startswith("mk_live_")
    rotated = run_json(place, "keys", "rotate", *of_tenant, secret["id"], "--overlap", "1h", "--reason", "quarterly")
    assert rotated["key"] not in (None, secret["key"])
    assert (rotated["name"], rotated["scopes"], rotated["allowed_ips"]) == (
        "backend",
        secret["scopes"],
        secret["allowed_ips"],
    )
    at_once = run_json(place, "keys", "rotate", *of_tenant, rotated["id"], "--at-once")
    replaced = run_json(place, "keys", "revoke", *of_tenant, rotated["id"])
    assert (replaced["status"], replaced["revoked_reason"], replaced["replaced_by"]) == (
        "revoked",
        "rotated",
        at_once["id"],
    )
    new_master = run_json(place, "keys", "rotate", "--master", master["id"])
    assert new_master["key"].startswith("mk_live_")
    revoked = run_json(place, "keys", "revoke", *of_tenant, secret["id"], "--reason", "rotated")
    assert (revoked["id"], revoked["status"], revoked["revoked_reason"]) == (secret["id"], "revoked", "rotated")
    assert "key" not in revoked
    again = run_json(place, "keys", "revoke", *of_tenant, secret["id"])
    assert again["revoked_at"] == revoked["revoked_at"]
    assert run_json(place, "keys", "revoke", "--master", master["id"])["status"] == "revoked"
    recorded = [(entry.type, entry.actor.type, entry.actor.id) for entry in await entries_of(place, tenant["id"])]
    assert recorded == [
        ("api_key.created", "cli", "cli"),
        ("api_key.created", "cli", "cli"),
        ("api_key.rotated", "cli", "cli"),
        ("api_key.created", "cli", "cli"),
        ("api_key.rotated", "cli", "cli"),
        ("api_key.created", "cli", "cli"),
        ("api_key.revoked", "cli", "cli"),
    ]
    recorded = [(entry.type, entry.actor.type, entry.actor.id) for entry in await entries_of(place, CONTROL_TENANT_ID)]
    assert recorded == [
        ("tenant.created", "cli", "cli"),
        ("api_key.created", "cli", "cli"),
        ("api_key.rotated", "cli", "cli"),
        ("api_key.created", "cli", "cli"),
        ("api_key.revoked", "cli", "cli"),
    ]


def test_without_json_and_terminal_it_prints_plain_lines(embedded: Place) -> None:
    made = run_hj("tenants", "create", "--name", "Acme", environ=embedded.environ)
    lines = dict(line.split(": ", 1) for line in made.stdout.splitlines())
    assert lines["name"] == "Acme"
    key = run_hj("keys", "create", "--tenant", lines["id"], "--name", "k" * 200, environ=embedded.environ)
    lines = dict(line.split(": ", 1) for line in key.stdout.splitlines())
    assert (lines["name"], lines["scopes"], lines["expires_at"]) == ("k" * 200, "*", "never")
    revoked = run_hj("keys", "revoke", "--tenant", made.stdout.split()[1], lines["id"], environ=embedded.environ)
    assert f"{lines['id']} ({'k' * 200}) is revoked since " in revoked.stdout
    assert "\x1b" not in made.stdout + key.stdout + revoked.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("tenants", "create", "--name", "  "), ExitCode.USAGE, "--name: 1 to 200 characters"),
        (("tenants", "create", "--name", "x", "--environment", "prod"), ExitCode.USAGE, "--environment"),
        (("tenants", "create"), ExitCode.USAGE, "--name"),
        (("keys", "create", "--name", "x"), ExitCode.USAGE, "Name the tenant with --tenant"),
        (
            ("keys", "create", "--name", "x", "--type", "master", "--tenant", "t"),
            ExitCode.USAGE,
            "a master key has none",
        ),
        (
            ("keys", "create", "--name", "x", "--type", "publishable", "--tenant", "t", "--scope", "*"),
            ExitCode.USAGE,
            "Only a secret key has scopes",
        ),
        (
            ("keys", "create", "--name", "x", "--type", "master", "--allowed-ip", "203.0.113.7"),
            ExitCode.USAGE,
            "Only a secret key has allowed addresses",
        ),
        (
            ("keys", "create", "--name", "x", "--tenant", NO_SUCH_TENANT, "--allowed-ip", "203.0.113.7/24"),
            ExitCode.REFUSED,
            "allowed_ips[0]: Must be an IP address, or a network",
        ),
        (
            ("keys", "create", "--name", "x", "--tenant", "t", *["--allowed-ip", "203.0.113.7"] * 101),
            ExitCode.USAGE,
            "--allowed-ip: IP addresses or networks",
        ),
        (("keys", "create", "--name", "x", "--tenant", "t", "--scope", "users"), ExitCode.USAGE, "--scope: "),
        (("keys", "create", "--name", "x", "--tenant", "t", "--expires-in", "soon"), ExitCode.USAGE, "--expires-in: "),
        (("keys", "create", "--name", "x", "--tenant", NO_SUCH_TENANT), ExitCode.REFUSED, "There is no such tenant."),
        (("keys", "create", "--name", "x", "--tenant", "nonsense"), ExitCode.REFUSED, "There is no such tenant."),
        (("keys", "revoke", "key_x"), ExitCode.USAGE, "say --master"),
        (("keys", "revoke", "key_x", "--master", "--tenant", "t"), ExitCode.USAGE, "say --master"),
        (("keys", "revoke", "key_x", "--master"), ExitCode.REFUSED, "There is no such API key."),
        (("keys", "revoke", "key_x", "--tenant", NO_SUCH_TENANT), ExitCode.REFUSED, "There is no such tenant."),
        (("keys", "rotate", "key_x"), ExitCode.USAGE, "say --master"),
        (("keys", "rotate", "key_x", "--master", "--tenant", "t"), ExitCode.USAGE, "say --master"),
        (("keys", "rotate", "key_x", "--master", "--overlap", "1h", "--at-once"), ExitCode.USAGE, "either --overlap"),
        (("keys", "rotate", "key_x", "--master", "--overlap", "soon"), ExitCode.USAGE, "--overlap: "),
        (("keys", "rotate", "key_x", "--master", "--overlap", "31d"), ExitCode.REFUSED, "overlap: "),
        (("keys", "rotate", "key_x", "--master"), ExitCode.REFUSED, "There is no such API key."),
        (("keys", "rotate", "key_x", "--tenant", NO_SUCH_TENANT), ExitCode.REFUSED, "There is no such tenant."),
        (("keys", "destroy"), ExitCode.USAGE, "No such command"),
        (("migrate", "--data-dir", "/dev/null/x"), ExitCode.DATA_DIR, "cannot be used"),
        (("migrate", "--database-url", "postgresql://x:p@127.0.0.1:99999999/db"), ExitCode.USAGE, "a port of at most"),
        (("migrate", "--database-url", "postgresql://x:hush/word@127.0.0.1/db"), ExitCode.USAGE, "/ as %2F"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_message(
    embedded: Place,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: ExitCode,
    says: str,
) -> None:
    for name, text in embedded.environ.items():
        monkeypatch.setenv(name, text)
    assert root.run(PARTS, arguments) == code
    printed = capsys.readouterr()
    assert says in printed.err
    assert "Traceback" not in printed.err
    assert "hush" not in printed.err
    assert printed.out == ""


def test_migrate_makes_the_tables_and_again_is_harmless(place: Place) -> None:
    for _ in range(2):
        ended = run_hj("migrate", environ=place.environ)
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout == "The control store and the stores of 0 tenants are up to date.\n"
    run_json(place, "tenants", "create", "--name", "x")
    assert "the stores of 1 tenants" in run_hj("migrate", environ=place.environ).stdout


async def test_migrate_finishes_a_tenant_that_a_crash_left_half_made(place: Place) -> None:
    whole = run_json(place, "tenants", "create", "--name", "x")

    async def leave_half_made(tools: Tools) -> None:
        half = Tenant(NO_SUCH_TENANT, "half", Environment.LIVE, TenantStatus.CREATING, None, 1, 1, 1)

        async def insert(tx: Transaction) -> None:
            await tenants_repository.insert_tenant(tx, half)

        await tools.database.write(CONTROL_TENANT_ID, insert, type(None), exempt=Exempt.TENANT_STATE)

    await place.use(leave_half_made)
    ended = run_hj("migrate", environ=place.environ)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "the stores of 2 tenants" in ended.stdout
    for tenant_id in (whole["id"], NO_SUCH_TENANT):
        assert run_json(place, "keys", "create", "--tenant", tenant_id, "--name", "x")["id"]


def test_version_and_help_need_no_settings() -> None:
    environ = hj_environment(NONSENSE="1")
    version = run_hj("--version", environ=environ)
    assert (version.returncode, version.stdout) == (0, f"hj {__version__}\n")
    shown = run_hj("keys", "create", "--help", environ=environ)
    assert shown.returncode == 0
    assert "Usage: hj" in shown.stdout


def test_the_help_of_serve_lists_every_setting() -> None:
    shown = " ".join(run_hj("serve", "--help", environ=hj_environment()).stdout.split())
    for setting in settings_list():
        assert setting.variable in shown
        assert setting.doc in shown
