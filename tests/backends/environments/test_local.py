"""The manager that builds nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from projrun.environments.protocol import PreparedEnvironment
from projrun.project.model import EnvironmentKind
from projrun_backends.environments.local import LocalEnvironment
from tests.backends.environments.python.packages import make_request, write_files


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
    assert resolved.spec_files == ((project / "file.yaml",) if named else ())
    prepared = manager.prepare(request, resolved, rebuild=True, progress=lambda line: pytest.fail(line))
    assert prepared == PreparedEnvironment(environ={})
    assert not request.cache_directory.exists()


def test_a_file_that_is_gone_is_not_recorded(tmp_path: Path) -> None:
    request = make_request(tmp_path, "python_env", "gone.yaml", environ={})
    assert LocalEnvironment().resolve(request).spec_files == ()
