"""The core names no environment manager and no backend: it reads a table and capabilities."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from projrun.plugins import built_ins
from tests.support.code import nodes
from tests.support.guard import REPOSITORY

pytestmark = pytest.mark.together("syntax trees")

_ORDINARY_WORDS = {"local", "existing"}
"""Names that are also plain English: only alone, or after `=`, they are the name."""
_ALLOWED = {
    "projrun/environments/lock_text.py": "formats of lock files, which are compared whatever wrote them",
    "projrun/environments/protocol.py": "MLflow's word in the tag mlflow.project.env",
    "projrun/cli/models/command.py": "MLflow's word for the command",
    "projrun/cli/models/image.py": "the program that builds images of models",
    "projrun/models/images/build.py": "the program that builds images of models",
    "projrun/models/images/dockerfile.py": "the program that builds images of models",
    "projrun/models/recorded.py": "names of files in a model's folder",
    "projrun/running/shim/on_path/projrun_mlflow_run/redirect.py": "MLflow's words for its backends",
    "projrun/running/shim/on_path/projrun_mlflow_run/request.py": "MLflow's words for arguments of mlflow.run",
    "projrun/log/runs.py": "MLflow's word for a kind of source",
    "projrun/sources/local.py": "a kind of project URI",
    "projrun/running/rerun/files.py": "the name of a lock's artifact, in runs that were recorded",
    "projrun/running/rerun/source.py": "a kind of project URI",
    "projrun/sources/changes/folder_hash.py": "a folder of an environment, not hashed",
    "projrun/sources/changes/sensitive.py": "folders that hold credentials",
    "projrun/sources/fetch.py": "a kind of project URI",
    "projrun/sources/uri.py": "a kind of project URI",
    "projrun/testing/logged_models.py": "MLflow's word for a kind of dataset source",
    "projrun/testing/purge.py": "MLflow's word for a kind of dataset source",
    "projrun/testing/environments.py": "formats of lock files, which a manager must refuse",
}
"""Modules that hold such a word, and what it means there."""
_OWN_PLACES = ("projrun/project/", "projrun/settings/options.py")
"""The MLproject's own keys and default files, and the table of options."""


def _names() -> set[str]:
    return {*built_ins().ENVIRONMENTS, *built_ins().BACKENDS}


def _pattern(names: set[str]) -> re.Pattern[str]:
    special = "|".join(sorted(names - _ORDINARY_WORDS))
    ordinary = "|".join(sorted(names & _ORDINARY_WORDS))
    return re.compile(
        rf"(?i)(?<!\w)(?:{special})(?!\w)|^(?:{ordinary})$|=(?:{ordinary})\b|projrun_backends\.\w+\."
    )


def _texts(everything: Sequence[ast.AST]) -> Iterator[str]:
    """All string literals but docstrings."""
    shown = {id(node.value) for node in everything if isinstance(node, ast.Expr)}
    for node in everything:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in shown:
            yield node.value


def _modules() -> Iterator[Path]:
    yield from sorted((REPOSITORY / "projrun").rglob("*.py"))


def test_the_core_names_no_manager_and_no_backend() -> None:
    pattern = _pattern(_names())
    naming = {
        name
        for file in _modules()
        if not (name := file.relative_to(REPOSITORY).as_posix()).startswith(_OWN_PLACES)
        for text in _texts(nodes(file))
        if pattern.search(text)
    }
    assert naming == set(_ALLOWED), (
        "use a capability or projrun_backends/builtins.py, or explain the exception"
    )


def test_names_are_recognised() -> None:
    pattern = _pattern(_names())
    found = (
        "docker",
        "uv",
        "existing",
        "use --env-manager=local",
        "a conda file",
        "projrun_backends.execution.local:X",
    )
    others = ("docker_env", "uvicorn", "an existing folder", "a local file", "minicondas")
    assert [text for text in found if not pattern.search(text)] == []
    assert [text for text in others if pattern.search(text)] == []
    assert list(_texts([*ast.walk(ast.parse("def f():\n  'uv'\n  return 'a'"))])) == ["a"]
