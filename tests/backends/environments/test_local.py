"""The manager that builds nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from projrun.environments.protocol import PreparedEnvironment
from projrun_backends.environments.local import LocalEnvironment
from tests.backends.environments.python.packages import make_request, write_files

if TYPE_CHECKING:
    from projrun.project.model import EnvironmentKind


@pytest.mark.parametrize("kind", sorted(LocalEnvironment.capabilities.kinds))
def test_it_takes_every_kind_and_changes_nothing(tmp_path: Path, kind: EnvironmentKind) -> None:
    project = write_files(tmp_path / "project", {"file.yaml": "dependencies: [numpy==9999]\n"})
    named = "file.yaml" if kind not in ("docker_env", "none") else None
    request = make_request(project, kind, named, environ={})
    manager = LocalEnvironment()
    assert manager.available({})
    resolved = manager.resolve(request)
    assert (resolved.key, resolved.path, resolved.exists, resolved.recorded_kind) == (
        None,
        None,
        True,
        "local",
    )
    prepared = manager.prepare(request, resolved, rebuild=True, progress=lambda line: pytest.fail(line))
    assert prepared == PreparedEnvironment(environ={})
    assert not request.cache_directory.exists()
