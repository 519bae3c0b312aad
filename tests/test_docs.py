"""The documents cannot drift from the code."""

from __future__ import annotations

import ast
import importlib.util
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.code import nodes

ROOT = Path(__file__).parents[1]


@pytest.mark.processes
def test_the_reference_is_what_the_code_says() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "reference.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_file_that_a_document_links_to_exists() -> None:
    for document in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("example_projects/**/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_every_dependency_is_explained() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    explained = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()
    block = pyproject.split("\ndependencies = [")[1].split("[dependency-groups]")[0]
    for name in re.findall(r'"([A-Za-z][A-Za-z0-9_-]*)[><;]', block):
        assert name.lower() in explained, f"docs/dependencies.md does not explain {name}"


def test_every_path_that_a_document_names_exists() -> None:
    """Modules and folders move; documents and the references to documents in the code follow."""
    missing = [
        f"{file.relative_to(ROOT)}: {path}"
        for file in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("projrun/**/*.py"))
        for path in re.findall(
            r"(?<![\w/.-])(?:projrun|tests|docs|scripts|backends)/[\w/]+(?:\.py|\.md|\.txt|/(?=`))",
            file.read_text(encoding="utf-8"),
        )
        if not (ROOT / path).exists()
    ]
    assert missing == []


def test_every_name_in_a_module_that_a_document_gives_exists() -> None:
    """`projrun.testing.registry`, `projrun.errors.TrackingError`; others are tags or groups of entry points."""
    missing = []
    for document in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")):
        for name in set(re.findall(r"\bprojrun(?:\.\w+)+", document.read_text(encoding="utf-8"))):
            if importlib.util.find_spec(".".join(name.split(".")[:2])):
                try:
                    pkgutil.resolve_name(name)
                except (ImportError, AttributeError):
                    missing.append(f"{document.name}: {name}")
    assert missing == []


def test_mlflows_variables_are_honoured_as_the_table_says() -> None:
    table = (ROOT / "docs" / "mlproject.md").read_text(encoding="utf-8").split("## Variables of MLflow")[1]
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| `MLFLOW_")]
    said = {name: honoured.strip() for names, honoured in rows for name in re.findall(r"`(\w+)`", names)}
    assert set(said.values()) == {"yes", "sets it", "removed", "no"}
    used = _strings_of_the_code() - {"MLFLOW_EXPERIMENT"}  # a word of its API
    refused = {"MLFLOW_TRACKING_AWS_SIGV4"}  # looked at, to say so
    unused = {name for name, honoured in said.items() if honoured == "no"}
    assert said.keys() - unused | refused == used


def _strings_of_the_code() -> set[str]:
    """Every variable of MLflow that stands in the code as a string of its own."""
    return {
        node.value
        for folder in ("projrun", "backends")
        for file in (ROOT / folder).rglob("*.py")
        if "MLFLOW_" in file.read_text(encoding="utf-8")
        for node in nodes(file)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"MLFLOW_[A-Z0-9_]+", node.value)
    }
