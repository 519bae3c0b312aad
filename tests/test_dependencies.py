"""docs/dependencies.md says what every dependency is for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.support.guard import REPOSITORY
from tests.support.toml import read_toml

_NAME = re.compile(r"[A-Za-z0-9._-]+")


def test_every_dependency_has_its_sentence() -> None:
    documented = re.findall(r"\*\*([^*]+)\*\*", (REPOSITORY / "docs/dependencies.md").read_text("utf-8"))
    assert sorted(documented) == sorted(set(_declared()))


def _declared() -> Iterator[str]:
    content = read_toml(REPOSITORY / "pyproject.toml")
    lists = [
        content["project"]["dependencies"],
        *content["project"]["optional-dependencies"].values(),
        *content["dependency-groups"].values(),
    ]
    for requirements in lists:
        for requirement in requirements:
            if isinstance(requirement, str) and (name := _NAME.match(requirement)):
                yield name.group()
