"""The rooms of the house: which room may import which, and that no modules import each other in a circle.

Every import counts: those inside functions and those for type checkers, too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import cache
from pathlib import Path

import pytest

from tests.support.code import nodes
from tests.support.guard import REPOSITORY

pytestmark = pytest.mark.together("syntax trees")

LEAVES = frozenset(
    {
        "bounded", "credentials", "directories", "errors", "foreign", "plugins", "reporting", "settings", "suggestions",
        "tuples", "typed", "version",
    }
)  # fmt: skip
"""Words that stand at the top: every room may use them, and they use only each other."""

TOP = LEAVES | {"__init__", "__main__", "api"}
"""All that may lie at the top of `projrun/` beside the rooms."""

MAY_IMPORT: Mapping[str, Set[str]] = {
    "projrun": {"api", "errors", "version"},
    "projrun.__main__": {"cli"},
    "cli": {
        "running", "server", "models", "execution.supervision", "sources", "transfer", "tracking", "project", "http",
        "cache",
    },
    # It may be copied elsewhere.
    "log": set(),
    # A model's files and its server: the environment that it runs in is found as a project's.
    "models": {"sources", "tracking", "project", "http", "cache"},
    "api": {"running"},
    "running": {
        "journal", "server", "environments", "execution", "execution.supervision", "sources", "tracking", "project",
        "http", "cache", "log",
    },
    # The endpoint of a run is the server's: it knows the stores, and nothing of runs that are carried out here.
    "server": {"tracking", "http"},
    "journal": {"tracking"},
    # Whole stores, brought by the rules of the merge.
    "transfer": {"journal", "tracking"},
    "environments": {"project"},
    "execution": {"cache"},
    "execution.supervision": {"execution"},
    # git's processes are watched by the guard that watches commands.
    "sources": {"execution.supervision", "http", "cache"},
    "tracking": {"http"},
    # What was parsed is kept in the cache.
    "project": {"cache"},
    "http": set(),
    "cache": set(),
    # The kits test implementations from outside, by what users of the contracts see.
    "testing": {"running", "environments", "execution", "tracking", "cache"},
    # Plug-ins that come along: they know the contracts and the libraries below them, never who calls them.
    "backends": {"environments", "execution", "execution.supervision", "tracking", "project", "http", "cache"},
}  # fmt: skip
"""For each room the rooms that it may import, beside the leaves."""

Graph = Mapping[str, Set[str]]


def modules() -> dict[str, Path]:
    """Every module of projrun and its backends, by its dotted name."""
    found = {}
    for root in (REPOSITORY, REPOSITORY / "backends"):
        for package in ("projrun", "projrun_backends"):
            for file in (root / package).rglob("*.py"):
                name = ".".join(file.relative_to(root).with_suffix("").parts)
                found[name.removesuffix(".__init__")] = file
    return found


def imported(everything: Iterable[ast.AST], known: Set[str]) -> Iterator[str]:
    """The modules that a module imports anywhere; `known` tells a module from a name that a module defines."""
    for node in everything:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in known else node.module


@cache
def graph() -> Graph:
    """Which module imports which."""
    files = modules()
    return {
        name: {other for other in imported(nodes(file), files.keys()) if other in files} - {name}
        for name, file in files.items()
    }


def room_of(module: str) -> str:
    """The room that a module lies in; a leaf and the API are rooms of their own."""
    first, *rest = module.split(".")
    if first == "projrun_backends":
        return "backends"
    if not rest or rest == ["__main__"]:
        return module
    return "execution.supervision" if rest[:2] == ["execution", "supervision"] else rest[0]


def forbidden(arrows: Graph) -> list[str]:
    """The imports that the table does not allow."""
    return sorted(
        f"{module} -> {other}"
        for module, others in arrows.items()
        for other in others
        if room_of(module) != room_of(other)
        and room_of(other) not in (LEAVES | MAY_IMPORT.get(room_of(module), set()))
    )


def circles(arrows: Graph) -> list[list[str]]:
    """Groups of modules that import each other, directly or by way of others (Kosaraju's algorithm)."""
    order: list[str] = []
    seen: set[str] = set()
    for start in arrows:
        _visit(start, arrows, seen, order)
    backwards: dict[str, set[str]] = {module: set() for module in arrows}
    for module, others in arrows.items():
        for other in others:
            backwards[other].add(module)
    seen.clear()
    groups = []
    for start in reversed(order):
        group: list[str] = []
        _visit(start, backwards, seen, group)
        if len(group) > 1:
            groups.append(sorted(group))
    return groups


def _visit(start: str, arrows: Graph, seen: set[str], order: list[str]) -> None:
    stack = [(start, iter(sorted(arrows[start])))] if start not in seen else []
    seen.add(start)
    while stack:
        module, others = stack[-1]
        following = next((other for other in others if other not in seen), None)
        if following is None:
            order.append(module)
            stack.pop()
        else:
            seen.add(following)
            stack.append((following, iter(sorted(arrows[following]))))


def test_only_leaves_and_the_api_lie_at_the_top() -> None:
    words = {file.stem for file in (REPOSITORY / "projrun").iterdir() if file.suffix == ".py"}
    assert words | LEAVES == TOP


def test_every_room_is_in_the_table() -> None:
    assert {room_of(module) for module in modules()} == MAY_IMPORT.keys() | LEAVES


def test_arrows_run_as_the_table_says() -> None:
    assert forbidden(graph()) == []


def test_the_table_allows_no_more_than_is_used() -> None:
    used = {(room_of(module), room_of(other)) for module, others in graph().items() for other in others}
    idle = [
        (room, other) for room, others in MAY_IMPORT.items() for other in others if (room, other) not in used
    ]
    assert idle == []


def test_no_modules_import_each_other() -> None:
    assert circles(graph()) == []


@pytest.mark.parametrize(
    ("module", "other"),
    [
        ("projrun_backends.environments.python.uv_files", "projrun_backends.environments.python.specs"),
        ("projrun.sources.changes.record", "projrun.running.runner"),
        ("projrun.sources.git.failures", "projrun.sources.git.remote"),
        ("projrun.sources.hosting", "projrun.sources.uri"),
        ("projrun.sources.git.mirror", "projrun.sources.git.short_hashes"),
        ("projrun.tracking.artifacts.repository", "projrun.tracking.rest.store"),
        (
            "projrun_backends.environments.containers.preparation",
            "projrun_backends.environments.containers.docker",
        ),
        ("projrun.running.record.description", "projrun"),
    ],
)
def test_a_circle_that_was_there_once_would_be_found(module: str, other: str) -> None:
    arrows = {name: set(others) for name, others in graph().items()}
    arrows[module].add(other)
    assert any(module in group for group in circles(arrows))


def test_an_arrow_back_up_would_be_found() -> None:
    arrows = {"projrun.tracking.uri": {"projrun.running.plan"}, "projrun.running.plan": set[str]()}
    assert forbidden(arrows) == ["projrun.tracking.uri -> projrun.running.plan"]


def test_every_kind_of_import_counts() -> None:
    code = """
import a.late
from a import one, plain
if TYPE_CHECKING:
    from a.typed import T
def f():
    from a.inner import g
"""
    known = {"a.late", "a.one", "a.typed", "a.inner"}
    assert set(imported(ast.walk(ast.parse(code)), known)) == {"a", *known}
