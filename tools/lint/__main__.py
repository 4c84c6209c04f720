"""Run every check on this repository; print what breaks a rule, and exit with 1 if anything does."""

import sys
from collections.abc import Iterator
from pathlib import Path

from tools.lint.ignores import check_ignores
from tools.lint.imports import check_imports, check_places
from tools.lint.names import check_enums, check_files, check_verbs, check_vocabularies
from tools.lint.sizes import GENERATED_FUNCTION_LINES, GENERATED_LINES, SOURCE_LINES, TEST_LINES, check_sizes
from tools.lint.sources import Project, Violation
from tools.lint.sql import check_sql
from tools.lint.tests import check_honesty, check_mirror
from tools.lint.tracked import check_tracked


def check(project: Project) -> Iterator[Violation]:
    """Yield everything in `project` that breaks a rule."""
    yield from check_imports(project.sources)
    yield from check_places([*project.sdk, *project.generated])
    yield from check_sql(project.sources)
    yield from check_enums(project.sources)
    yield from check_vocabularies(project.sources)
    yield from check_files(project.sources)
    yield from check_verbs(project.sources)
    yield from check_sizes(project.sources, SOURCE_LINES)
    yield from check_sizes(project.tools, SOURCE_LINES)
    yield from check_sizes(project.sdk, SOURCE_LINES)
    yield from check_sizes(project.generated, GENERATED_LINES, GENERATED_FUNCTION_LINES)
    yield from check_sizes(project.tests, TEST_LINES)
    yield from check_ignores([*project.sources, *project.sdk, *project.tests, *project.tools])
    yield from check_mirror(project)
    yield from check_honesty(project.tests)
    yield from check_tracked(project.tracked())


def main() -> int:
    """Check the repository that holds this file."""
    violations = sorted(set(check(Project(Path(__file__).resolve().parents[2]))))
    for violation in violations:
        print(violation)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
