"""What a client is told, by its arguments and by the environment, and what it keeps to itself."""

import ast
import asyncio
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest

import hellojohn
from hellojohn import AsyncHelloJohn, HelloJohn, MissingCredential
from hellojohn._calls import Call, prepare
from tests.sdk.python.misbehaving import answer, misbehaving_server
from tests.sdk.typescript.recorder import Site

HEALTHY = b'{"status": "ok"}'
PAGE: Final = Path(__file__).resolve().parents[4] / "docs/python-sdk.md"


async def test_the_environment_says_what_the_arguments_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    async with misbehaving_server() as server:
        monkeypatch.setenv("HELLOJOHN_API_URL", f"{server.url}/v1/")
        monkeypatch.setenv("HELLOJOHN_SECRET_KEY", "sk_test_env")
        server.will(answer(200, b'{"valid": false}'), answer(200, b'{"valid": false}'), answer(200, HEALTHY))
        async with AsyncHelloJohn() as hj:
            await hj.sessions.verify(token="x")
        async with AsyncHelloJohn(secret_key="sk_test_own", tenant_id="tnt_1", acting_admin="jane") as hj:
            await hj.sessions.verify(token="x")
            await hj.server.health()
    assert [one.path for one in server.asked] == ["/v1/sessions/verify", "/v1/sessions/verify", "/health"]
    assert [one.headers.get("authorization") for one in server.asked] == [
        "Bearer sk_test_env",
        "Bearer sk_test_own",
        None,
    ]
    assert [one.headers.get("x-tenant-id") for one in server.asked] == [None, "tnt_1", None]
    assert [one.headers.get("x-acting-admin") for one in server.asked] == [None, "jane", None]


def test_a_client_shows_no_secret() -> None:
    for kind in (HelloJohn, AsyncHelloJohn):
        client = kind(secret_key="sk_test_secret", base_url="http://localhost:3000/v1")
        assert repr(client) == f"{kind.__name__}(base_url='http://localhost:3000')"
        assert "sk_test" not in repr(client._settings)
        call = Call(method="POST", path="/v1/users", body={"password": "sk_test_too"}, query={"query": "sk_test_three"})
        assert repr(prepare(call, client._settings)) == "Prepared(POST http://localhost:3000/v1/users)"


def test_a_call_without_its_kind_of_key_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HELLOJOHN_SECRET_KEY", raising=False)
    with HelloJohn(base_url="http://localhost:3000") as hj:
        for call, kind in (
            (lambda: hj.users.get("usr_1"), "secret_key"),
            (hj.auth.me.get, "access_token"),
            (lambda: hj.tenants.get("tnt_1"), "master_key"),
            (lambda: hj.auth.verify_email(token="x"), "publishable_key"),
        ):
            with pytest.raises(MissingCredential, match=rf"HelloJohn\({kind}=\.\.\.\)"):
                call()


def test_only_an_address_is_an_address() -> None:
    with pytest.raises(ValueError, match="must begin with https:// or http://"):
        HelloJohn(base_url="api.hellojohn.dev")


async def test_a_client_of_other_options_shares_the_connections() -> None:
    async with misbehaving_server() as server:
        server.will(answer(200, b'{"valid": false}'))
        async with AsyncHelloJohn(secret_key="sk_test_x", base_url=server.url) as hj:
            other = hj.with_options(acting_admin="jane", timeout=5.0)
            assert other._http is hj._http
            await other.sessions.verify(token="x")
            assert (hj._settings.acting_admin, hj._settings.timeout) == (None, 60.0)
            with pytest.raises(TypeError, match="takes no secret"):
                hj.with_options(secret="x")  # type: ignore[call-arg] - a slip
    assert server.asked[0].headers["x-acting-admin"] == "jane"


def test_what_is_not_there_is_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Client'"):
        hellojohn.Client  # type: ignore[attr-defined] - a slip  # noqa: B018 - it is asked for
    assert hellojohn.AsyncHelloJohn is AsyncHelloJohn
    assert {*hellojohn.__all__} <= {*dir(hellojohn), "AsyncHelloJohn"}


@pytest.mark.parametrize("page", [PAGE, PAGE.parents[1] / "sdk/python/README.md"], ids=lambda page: page.name)
def test_every_example_is_python_and_imports_what_there_is(page: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        tree = compile(block, page.name, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                module = import_module(str(node.module))
                assert all(hasattr(module, alias.name) for alias in node.names)


async def test_the_first_five_minutes_are_as_the_page_says(site: Site) -> None:
    program = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    environ = {**os.environ, "HELLOJOHN_SECRET_KEY": site.world.secret_key}
    command = [sys.executable, "-c", program.replace("http://localhost:3000", site.url)]
    for _ in range(2):
        ended = await asyncio.to_thread(
            subprocess.run, command, env=environ, capture_output=True, text=True, check=False, timeout=60
        )
        assert (ended.returncode, ended.stdout) == (0, "False ['disabled']\n"), ended.stderr
