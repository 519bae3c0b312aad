"""The documents cannot drift from the code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


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
