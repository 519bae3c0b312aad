"""Rules of the code's layout that no linter knows."""

from __future__ import annotations

import ast
import importlib
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from pkgutil import iter_modules

import pytest

from projrun import testing
from tests.support.code import nodes, parsed
from tests.support.guard import REPOSITORY

pytestmark = pytest.mark.together("syntax trees")

CORE = sorted((REPOSITORY / "projrun").rglob("*.py"))
BACKENDS = sorted((REPOSITORY / "backends" / "projrun_backends").rglob("*.py"))
LONGEST_MODULE = 400
LARGEST_ROOM = 24
SHIM = "projrun/running/shim/on_path"
"""Runs in the command's Python, which may be 3.6: `annotations` came with 3.7. They are strings there."""
CONTRACTS = {"projrun/environments/protocol.py", "projrun/execution/protocol.py"}
LONGEST_FUNCTION = 40

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def trees() -> dict[str, ast.Module]:
    """Every module parsed: only in the worker that runs a test of this file, not in each that imports it."""
    return {str(file.relative_to(REPOSITORY)): parsed(file) for file in (*CORE, *BACKENDS)}


def walked(module: str) -> tuple[ast.AST, ...]:
    """Everything in a module."""
    return nodes(REPOSITORY / module)


def test_there_is_something_to_check() -> None:
    assert len(CORE) > 30
    assert len(BACKENDS) > 4


def test_the_core_never_imports_a_backend() -> None:
    offenders = [
        f"{module}: {name}"
        for module in trees()
        for name in _imported(walked(module))
        if module.startswith("projrun/") and name.partition(".")[0] == "projrun_backends"
    ]
    assert offenders == []


def _imported(everything: Iterable[ast.AST]) -> Iterator[str]:
    for node in everything:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_only_the_sqlite_engine_knows_sqlite3() -> None:
    """Another database is another `Engine`: no query, no route and no command asks which one it is."""
    knowing = {module for module in trees() if {"sqlite3", "_sqlite3"} & {*_imported(walked(module))}}
    mlflow = "projrun/transfer/mlflow/database.py"  # reads MLflow's own file
    assert knowing == {"projrun/tracking/sql/sqlite.py", mlflow}


def test_the_server_is_typed_to_the_contracts() -> None:
    """Any store can be served: the server gets a function that opens one."""
    offenders = [
        f"{module}: {name}"
        for module in trees()
        for name in _imported(walked(module))
        if module.startswith("projrun/server/")
        and name.startswith(("projrun.tracking.sql", "projrun.tracking.rest"))
    ]
    assert offenders == []


def test_modules_are_short() -> None:
    lengths = {
        str(file.relative_to(REPOSITORY)): len(file.read_text(encoding="utf-8").splitlines())
        for file in (*CORE, *BACKENDS)
    }
    assert {file: length for file, length in lengths.items() if length >= LONGEST_MODULE} == {}


def test_modules_say_what_they_are_for() -> None:
    assert [module for module, tree in trees().items() if tree.body and not ast.get_docstring(tree)] == []


def test_functions_are_short() -> None:
    too_long = {
        f"{module}: {function.name}": _body_lines(function)
        for module in trees()
        for function in walked(module)
        if isinstance(function, Function) and _body_lines(function) > LONGEST_FUNCTION
    }
    assert too_long == {}


def _body_lines(function: Function) -> int:
    """The lines of its statements: without the signature and the docstring."""
    statements = function.body[1:] if ast.get_docstring(function) else function.body
    if not statements or function.end_lineno is None:
        return 0
    return function.end_lineno - statements[0].lineno + 1


def test_annotations_are_never_evaluated() -> None:
    """`from __future__ import annotations` where there is anything to annotate: it saves start-up time.

    Not in the contracts: plug-ins are checked against their types.
    """
    eager = {module for module, tree in trees().items() if _defines_something(tree) and not _is_lazy(tree)}
    assert {module for module in eager if not module.startswith(SHIM)} == CONTRACTS


def _defines_something(tree: ast.Module) -> bool:
    return any(isinstance(node, Function | ast.ClassDef) for node in tree.body)


def _is_lazy(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body)


def test_the_process_keeps_its_environment_and_folder() -> None:
    """`os.environ` is never changed and `os.chdir` never called: children get their own.

    But by `projrun.log`, in a script's process: as MLflow's client, it tells the script's children where to record.
    """
    offenders = [
        f"{module}: {ast.unparse(node)}"
        for module in trees()
        if not module.startswith("projrun/log/")
        for node in walked(module)
        if _mutates(node)
    ]
    assert offenders == []


_CHANGES = {"update", "pop", "setdefault", "clear", "chdir", "putenv", "unsetenv"}


def _mutates(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        if not (isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGES):
            return False  # unparsing every call takes its time
        called = ast.unparse(node.func)
        changes = called.startswith("os.environ.") and called.endswith(
            (".update", ".pop", ".setdefault", ".clear")
        )
        return changes or called in {"os.chdir", "os.putenv", "os.unsetenv"}
    if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
        return ast.unparse(node.value) == "os.environ"
    return False


def test_the_rules_find_offenders() -> None:
    """What the rules above rest on recognises what it should."""
    assert list(_imported(ast.walk(ast.parse("def f():\n  from projrun_backends.x import y")))) == [
        "projrun_backends.x"
    ]
    for code in ("os.environ['A'] = 'b'", "del os.environ['A']", "os.environ.update(a='b')", "os.chdir('/')"):
        assert any(_mutates(node) for node in ast.walk(ast.parse(code))), code
    for code in ("os.environ['A']", "os.environ.get('A')", "environ['A'] = 'b'"):
        assert not any(_mutates(node) for node in ast.walk(ast.parse(code))), code
    (function,) = ast.parse("def f():\n  '''Doc.'''\n  a = 1\n\n  return a").body
    assert isinstance(function, ast.FunctionDef)
    assert _body_lines(function) == 3


def test_every_folder_of_tests_is_a_package() -> None:
    """Test modules of one name in two folders need it."""
    tests, projects = REPOSITORY / "tests", REPOSITORY / "tests" / "layouts"
    folders = {file.parent for file in tests.rglob("*.py") if not file.is_relative_to(projects)}
    assert [str(folder) for folder in folders if not Path(folder, "__init__.py").exists()] == []


GITPYTHON = {"projrun/sources/git/progress.py": {"git.util"}}
"""What may be imported of it, and where: nothing that starts git, which would inherit os.environ."""
STARTS_GIT = {"clone_from", "Remote", "Repo", "Submodule"}


def test_gitpython_only_reads() -> None:
    imported: dict[str, set[str]] = {}
    for module in trees():
        for name in _imported(walked(module)):
            if name.partition(".")[0] == "git":
                imported.setdefault(module, set()).add(name)
    assert imported == GITPYTHON
    for module in GITPYTHON:
        names = {node.id for node in walked(module) if isinstance(node, ast.Name)}
        attributes = {node.attr for node in walked(module) if isinstance(node, ast.Attribute)}
        taken = {
            alias.name for node in walked(module) if isinstance(node, ast.ImportFrom) for alias in node.names
        }
        assert not (names | attributes | taken) & STARTS_GIT


def test_rooms_are_small() -> None:
    """A folder of more modules is two rooms: a reader finds a module by the word of its room."""
    counted = Counter(
        str(file.parent.relative_to(REPOSITORY)) for file in (*CORE, *BACKENDS) if file.name != "__init__.py"
    )
    assert {room: count for room, count in counted.items() if count > LARGEST_ROOM} == {}


def test_the_kits_say_what_they_compared() -> None:
    kits = [
        importlib.import_module(f"{testing.__name__}.{kit.name}") for kit in iter_modules(testing.__path__)
    ]
    assert len(kits) > 10
    assert {type(kit.__loader__).__name__ for kit in kits} == {"AssertionRewritingHook"}
