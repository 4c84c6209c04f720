"""Imports point down only: kit <- storage <- features <- http, worker, cli <- app; no cycles; none inside functions."""

import ast
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from tools.lint.sources import PACKAGE, Module, Violation

LAYERS: Final = {
    "kit": 0,
    "storage": 1,
    "features": 2,
    "config": 2,
    "http": 3,
    "worker": 3,
    "cli": 3,
    "wiring": 4,
    "app": 5,
}
"""The height of each top-level folder or module. What stands at the same height does not import each other."""

FEATURES: Final = (
    "audit",
    "outbox",
    "revocation_log",
    "tenants",
    "signing_keys",
    "tenant_settings",
    "password_policy",
    "emails",
    "action_tokens",
    "roles",
    "sessions",
    "keys",
    "revocations",
    "users",
    "user_counters",
    "user_loading",
    "user_acts",
    "user_access",
    "expiry",
    "organizations",
    "mfa",
    "auth",
    "access_tokens",
    "mfa_sign_in",
    "account",
    "email_changes",
    "invitations",
    "password_reset",
    "mailed_links",
    "magic_links",
    "user_factors",
    "user_sessions",
    "impersonation",
    "search",
    "bulk",
    "user_changes",
    "selections",
    "plans",
    "jobs",
    "job_runs",
    "imports",
    "user_export",
    "users_export",
    "audit_export",
    "stats",
)
"""The order of the features: each may know those before it."""

FILES: Final = {"errors": 0, "events": 1, "schemas": 1, "repository": 2, "service": 3, "routes": 4}
"""The files of a feature, from the one that knows least to the one that knows most."""

OPEN_FILES: Final = {"errors", "schemas", "service"}
"""What a feature shows to later ones: what a service raises is part of what it offers. Audit shows its events too."""

ENGINES: Final = {"sqlite", "postgres"}
"""The stores. Everybody but the composition root knows only the protocol."""


class Import(NamedTuple):
    """One import of a module of ours: the parts of its name after the package, and where."""

    imported: tuple[str, ...]
    node: ast.AST


def imports_of(module: Module, known: frozenset[str]) -> Iterator[Import]:
    """Yield every import of one of our modules, as the parts of its name after the package."""
    for node in ast.walk(module.tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                names.append(whole if whole in known else node.module)
        for name in names:
            if name.split(".")[0] == PACKAGE and name != module.name:
                yield Import(tuple(name.split(".")[1:]), node)


def check_imports(modules: Iterable[Module]) -> Iterator[Violation]:
    """Yield every import that points up or sideways, every cycle, and every import inside a function."""
    sources = list(modules)
    known = frozenset(module.name for module in sources)
    edges: dict[str, set[str]] = {module.name: set() for module in sources}
    for module in sources:
        yield from check_places([module])
        for one in imports_of(module, known):
            edges[module.name].add(".".join((PACKAGE, *one.imported)))
            problem = _problem(module.parts, one.imported)
            if problem is not None:
                yield module.at(one.node, problem)
    yield from _check_cycles(sources, edges)


def check_places(modules: Iterable[Module]) -> Iterator[Violation]:
    """Yield every import inside a function, and every relative one."""
    for module in modules:
        for function in ast.walk(module.tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Import | ast.ImportFrom):
                        yield module.at(node, f"import inside {function.name}: imports stand at the top of the file")
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and node.level:
                yield module.at(node, "relative import: write the whole name")


def _problem(importer: tuple[str, ...], imported: tuple[str, ...]) -> str | None:
    if not importer or not imported:
        return None
    here, there = importer[0], imported[0]
    problem = None
    if here not in LAYERS or there not in LAYERS:
        problem = f"{here if here not in LAYERS else there} has no place in the layers of tools/lint/imports.py"
    elif here == there:
        problem = _feature_problem(importer[1:], imported[1:]) if here == "features" else None
    elif LAYERS[there] >= LAYERS[here]:
        problem = f"{here} may not import {there}: imports point down only"
    elif there == "storage" and imported[-1] in ENGINES and here != "app":
        problem = f"only app.py knows the store {imported[-1]}; everything else knows storage.database"
    elif there == "storage" and importer[-1] == "routes":
        problem = "routes do not touch the store: they call their service"
    return problem


def _feature_problem(importer: tuple[str, ...], imported: tuple[str, ...]) -> str | None:
    if not importer or not imported:
        return None
    problem = None
    (here, file), (there, other) = (importer[0], importer[-1]), (imported[0], imported[-1])
    if here not in FEATURES or there not in FEATURES:
        unplaced = here if here not in FEATURES else there
        problem = f"the feature {unplaced} has no place in the order of tools/lint/imports.py"
    elif here != there and FEATURES.index(there) > FEATURES.index(here):
        problem = f"{here} may not import {there}: it comes later in the order of features"
    elif here != there and other not in OPEN_FILES and (there, other) != ("audit", "events"):
        problem = f"of another feature only its service, schemas and errors may be imported, not {there}.{other}"
    elif here == there and (file, other) == ("routes", "repository"):
        problem = "routes do not touch the repository: they call their service"
    elif here == there and file in FILES and other in FILES and FILES[other] > FILES[file]:
        problem = f"{file} may not import {other}: the order is {', '.join(FILES)}"
    return problem


def _check_cycles(modules: list[Module], edges: dict[str, set[str]]) -> Iterator[Violation]:
    paths = {module.name: module.path for module in modules}
    finished: set[str] = set()

    def walk(name: str, trail: list[str]) -> Iterator[list[str]]:
        if name in trail:
            yield [*trail[trail.index(name) :], name]
            return
        if name in finished:
            return
        for target in sorted(edges.get(name, ())):
            yield from walk(target, [*trail, name])
        finished.add(name)

    for name in sorted(edges):
        for cycle in walk(name, []):
            yield Violation(paths[cycle[0]], 1, f"import cycle: {' -> '.join(cycle)}")
