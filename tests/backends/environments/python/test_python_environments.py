"""Resolving and preparing, apart from what a real build shows (tests/backends/environments/python/test_builds.py)."""

from __future__ import annotations

from pathlib import Path

import pytest

from projrun.environments.protocol import EnvironmentRequest, GivenOptions
from projrun.errors import EnvironmentBuildError
from projrun.settings import Settings
from projrun_backends.environments.options import PythonOptions
from projrun_backends.environments.python.interpreters import MissingInterpreterError
from projrun_backends.environments.python.uv import UvEnvironment
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


def with_python(tmp_path: Path, file: str, text: str) -> EnvironmentRequest:
    """A project that asks for a Python, on a machine that has 4.1.18 and 4.1.2."""
    for version in ("4.1.18", "4.1.2"):
        program = tmp_path / f".pyenv/versions/{version}/bin/python3"
        program.parent.mkdir(parents=True)
        program.write_text("")
        program.chmod(0o755)
    project = write_files(tmp_path / "project", {file: text})
    environ = {"HOME": str(tmp_path), "PATH": "", "PIP_CONFIG_FILE": "/dev/null"}
    return make_request(project, "conda_env" if "conda" in file else "python_env", file, environ=environ)


@pytest.mark.parametrize(
    ("file", "text", "place"),
    [
        ("python_env.yaml", "python: 4.1.12\n", "python_env.yaml:1:9"),
        ("python_env.yaml", 'python: "==4.1.12"\n', "python_env.yaml:1:9"),
        ("conda.yaml", "dependencies:\n- python=4.1.12\n", "conda.yaml:2:3"),
        ("conda.yaml", "dependencies:\n- python==4.1.12\n", "conda.yaml:2:3"),
        ("conda.yaml", "dependencies:\n- python=4.1.12=h955ad1f_0\n", "conda.yaml:2:3"),
    ],
)
def test_another_patch_of_the_same_minor_version_with_a_warning(
    tmp_path: Path, file: str, text: str, place: str
) -> None:
    request = with_python(tmp_path, file, text)
    resolved = VirtualenvEnvironment().resolve(request)
    assert resolved.warnings == (f"{place} asks for Python 4.1.12; 4.1.18 is used instead",)
    assert "Python 4.1.18" in resolved.summary
    with pytest.raises(MissingInterpreterError, match=r"Python =*4\.1\.12 not found") as raised:
        VirtualenvEnvironment().resolve(
            request._replace(options=PythonOptions(exact_python="--exact-python"))
        )
    assert raised.value.hint == (
        "remove --exact-python to use 4.1.18; or install it with `uv python install 4.1.12` or"
        " `pyenv install 4.1.12`, or request an installed version"
    )


@pytest.mark.parametrize(
    ("given", "environ", "config", "removed"),
    [
        ({"exact-python": "1"}, {}, "", "--exact-python"),
        ({}, {"PROJRUN_EXACT_PYTHON": "1"}, "", "$PROJRUN_EXACT_PYTHON"),
        ({}, {}, "exact-python = true\n", "exact-python in {config}"),
    ],
)
def test_the_hint_names_the_place_that_asks_for_the_exact_python(
    tmp_path: Path, given: dict[str, str | None], environ: dict[str, str], config: str, removed: str
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(config)
    manager = VirtualenvEnvironment()
    options = manager.read_options(GivenOptions(Settings(given, environ, file), tmp_path))
    request = with_python(tmp_path, "python_env.yaml", "python: 4.1.12\n")
    with pytest.raises(MissingInterpreterError) as raised:
        manager.resolve(request._replace(options=options))
    assert raised.value.hint.startswith(f"remove {removed.format(config=file)} to use 4.1.18; or install it")


@pytest.mark.parametrize(
    ("given", "environ", "removed"),
    [
        ({"python-downloads": "automatic"}, {}, "--python-downloads"),
        ({}, {"UV_PYTHON_DOWNLOADS": "automatic"}, "$UV_PYTHON_DOWNLOADS"),
        (
            {"python-downloads": "automatic"},
            {"PROJRUN_EXACT_PYTHON": "1"},
            "$PROJRUN_EXACT_PYTHON",
        ),
    ],
)
def test_the_hint_of_a_failed_download_names_the_place_that_asks_for_it(
    tmp_path: Path, given: dict[str, str | None], environ: dict[str, str], removed: str
) -> None:
    manager = UvEnvironment()
    options = manager.read_options(GivenOptions(Settings(given, environ, tmp_path / "none.toml"), tmp_path))
    request = with_python(tmp_path, "python_env.yaml", "python: 4.1.12\n")
    missing = manager.resolve(request._replace(options=options)).details
    assert isinstance(missing, MissingInterpreterError)
    assert missing.hint.startswith(f"remove {removed} to use 4.1.18; or install it")


@pytest.mark.parametrize("text", ["python: 4.1.2\n", "python: 4.1\n"])
def test_an_installed_patch_needs_no_warning(tmp_path: Path, text: str) -> None:
    request = with_python(tmp_path, "python_env.yaml", text)
    request = request._replace(options=PythonOptions(exact_python="--exact-python"))
    assert VirtualenvEnvironment().resolve(request).warnings == ()


@pytest.mark.parametrize("text", ["python: '>=4.1.19,<4.2'\n", "python: 4.2.1\n"])
def test_no_other_minor_version_and_no_range_is_stretched(tmp_path: Path, text: str) -> None:
    with pytest.raises(MissingInterpreterError):
        VirtualenvEnvironment().resolve(with_python(tmp_path, "python_env.yaml", text))
