"""Resolving and preparing, apart from what a real build shows (tests/backends/environments/python/test_builds.py)."""

from __future__ import annotations

from pathlib import Path

import pytest

from projrun.environments.protocol import EnvironmentRequest
from projrun.errors import EnvironmentBuildError
from projrun_backends.environments.python.virtualenv import VirtualenvEnvironment
from tests.backends.environments.python.packages import make_request, write_files


def request_for(tmp_path: Path, text: str, **environ: str) -> EnvironmentRequest:
    project = write_files(tmp_path / "project", {"requirements.txt": text})
    everything = {"HOME": str(tmp_path), "PATH": "", "PIP_CONFIG_FILE": "/dev/null", **environ}
    return make_request(project, "requirements", "requirements.txt", environ=everything)


def test_resolving_writes_nothing(tmp_path: Path) -> None:
    request = request_for(tmp_path, "numpy\n")
    resolved = VirtualenvEnvironment().resolve(request)
    assert not request.cache_directory.exists()
    assert resolved.path == request.cache_directory / str(resolved.key)


def test_what_a_plan_holds_shows_no_credentials(tmp_path: Path) -> None:
    text = "--index-url https://me:hush-one@host/simple\nx @ https://hush-two@host/x.whl\n"
    request = request_for(tmp_path, text, PIP_EXTRA_INDEX_URL="https://me:hush-three@host")
    assert "hush" not in repr(VirtualenvEnvironment().resolve(request))


def test_a_cache_that_cannot_be_used(tmp_path: Path) -> None:
    request = request_for(tmp_path, "numpy\n")
    request.cache_directory.write_text("a file where the folder should be")
    manager = VirtualenvEnvironment()
    resolved = manager.resolve(request)
    with pytest.raises(EnvironmentBuildError, match="cannot be used: ") as raised:
        manager.prepare(request, resolved, rebuild=False, progress=lambda line: None)
    assert "PROJRUN_CACHE_DIR" in raised.value.hint


def test_an_answer_of_another_manager_is_a_bug_not_a_build(tmp_path: Path) -> None:
    request = request_for(tmp_path, "numpy\n")
    manager = VirtualenvEnvironment()
    foreign = manager.resolve(request)._replace(details=None)
    with pytest.raises(TypeError):
        manager.prepare(request, foreign, rebuild=False, progress=lambda line: None)
