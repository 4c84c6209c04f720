"""Two thousand five hundred users, sent as a file, iterated while others are added, and exported."""

import json

from tests.sdk.typescript.packages import PROGRAMS, Application
from tests.sdk.typescript.recorder import Site


async def test_everybody_is_seen_once_whoever_is_added_meanwhile(application: Application, site: Site) -> None:
    printed = json.loads(await site.run(application, "many.ts"))

    assert printed["imported"] == 2500
    for name in ("newest", "oldest", "byName", "searched"):
        assert (name, printed[name]) == (name, {"original": 2500, "repeated": 0})
    assert printed["added"] >= 4 * 50
    assert printed["pages"] == [100, 100, False]
    everybody = 2500 + printed["added"]
    assert printed["exported"] == {
        "original": 2500,
        "repeated": 0,
        "all": everybody,
        "lines": everybody,
        "one": "user7@example.com",
        "first": 3,
    }
    assert printed["ended"] == "Error: enough"


def test_the_programs_of_these_tests_compile_under_strict(application: Application) -> None:
    application.compile(*sorted(path.name for path in PROGRAMS.glob("*.ts")))
