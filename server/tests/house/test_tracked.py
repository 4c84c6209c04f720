import pytest

from tools.lint.tracked import check_tracked


@pytest.mark.parametrize(
    "line",
    [
        "see https://files.python" + "hosted.org/x",
        "--index-url https://py" + "pi.org/simple",
        'registry = "registry.npm' + 'js.org"',
        "cd /ro" + "ot/thing",
        "path: /ho" + "me/somebody/thing",
        "`/t" + "mp/x`",
    ],
)
def test_a_registry_and_a_machine_path_are_found(line: str) -> None:
    assert [(v.path, v.line) for v in check_tracked([("a.md", f"fine\n{line}\n")])] == [("a.md", 2)]


@pytest.mark.parametrize(
    "line", ["tests/home/x", "https://example.com/wo" + "rk/x", "GET /v1/users", "~/tmp/x", "/etc/hellojohn"]
)
def test_other_addresses_and_paths_are_not(line: str) -> None:
    assert list(check_tracked([("a.md", line)])) == []
