"""`.python-version` files, as uv reads them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from projrun.environments.protocol import EnvironmentRequest
from projrun.errors import RequestError
from projrun_backends.environments.python.spec import EnvironmentSpec
from projrun_backends.environments.python.specs import read_spec
from projrun_backends.environments.python.version_files import with_pinned_python
from projrun_backends.environments.python.versions import PythonVersion
from tests.backends.environments.python.packages import make_request, write_files

PROJECT = '[project]\nname = "x"\nversion = "1"\nrequires-python = "{}"\n'


def pinned(request: EnvironmentRequest) -> EnvironmentSpec:
    spec = read_spec(request.reference, request.project_directory, request.environ)
    return with_pinned_python(spec, request)


def asked(spec: EnvironmentSpec) -> tuple[str, str]:
    return (spec.python.plain if spec.python else "", spec.python_origin)


def request_for(tmp_path: Path, kind: str, file: str | None, **files: str) -> EnvironmentRequest:
    named = {name.replace("__", "/"): text for name, text in files.items()}
    project = write_files(tmp_path / "top/project", named)
    return make_request(project, kind, file, environ=os.environ)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "file", "text"),
    [
        ("none", None, ""),
        ("requirements", "requirements.txt", "numpy\n"),
        ("python_env", "python_env.yaml", "dependencies: [numpy]\n"),
        ("conda_env", "conda.yaml", "dependencies: [pip]\n"),
        ("uv_env", "pyproject.toml", '[project]\nname = "x"\nversion = "1"\n'),
        ("uv_env", "pyproject.toml", PROJECT.format(">=3.8")),
    ],
)
def test_it_counts_for_every_environment_that_names_no_python(
    tmp_path: Path, kind: str, file: str | None, text: str
) -> None:
    request = request_for(tmp_path, kind, file, **({file: text} if file else {}))
    write_files(request.project_directory, {".python-version": "# ours\n\n 3.9.7 \n3.8\n"})
    spec = pinned(request)
    assert asked(spec) == ("3.9.7", ".python-version")
    assert spec.python_instead is not None
    assert spec.python_instead.plain == "3.9"


@pytest.mark.parametrize(
    ("kind", "file", "text", "expected"),
    [
        ("python_env", "python_env.yaml", "python: 3.12\n", "3.12"),
        ("conda_env", "conda.yaml", "dependencies: [python=3.12]\n", "3.12"),
    ],
)
def test_the_environments_own_file_takes_precedence(
    tmp_path: Path, kind: str, file: str, text: str, expected: str
) -> None:
    request = request_for(tmp_path, kind, file, **{file: text, ".python-version": "3.9\n"})
    assert asked(pinned(request))[0] == expected


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("3.12", "3.12"),
        ("v3.12", "3.12"),
        ("312", "3.12"),
        ("cp312", "3.12"),
        ("python3.12", "3.12"),
        ("cpython@3.12", "3.12"),
        ("cpython3.12", "3.12"),
        ("cpython-3.12.1-linux-x86_64-gnu", "3.12.1"),
        (">=3.9,<3.12", ">=3.9,<3.12"),
    ],
)
def test_ways_to_write_a_version(tmp_path: Path, text: str, version: str) -> None:
    request = request_for(tmp_path, "none", None, **{".python-version": text})
    assert asked(pinned(request)) == (version, ".python-version")


@pytest.mark.parametrize(
    "text", ["system", "my-env", "3.12-dev", "pypy3.10", "3.13t", "miniconda3-4.7.12", "; rm x"]
)
def test_other_names_are_ignored_with_a_warning_and_the_search_goes_on(tmp_path: Path, text: str) -> None:
    request = request_for(tmp_path, "none", None, **{".python-version": text})
    write_files(tmp_path, {"top/.python-version": "3.9"})
    spec = pinned(request)
    assert spec.warnings == (f".python-version is ignored: {text!r} is not a version of Python",)
    assert asked(spec) == ("3.9", str(tmp_path / "top/.python-version"))


def test_the_nearest_one_counts_and_none_above_a_fetched_project(tmp_path: Path) -> None:
    request = request_for(tmp_path, "none", None)
    write_files(tmp_path, {".python-version": "3.8", "top/.python-versions": "3.9\n3.10"})
    assert asked(pinned(request))[0] == "3.9"
    root = request.project_directory.parent
    assert asked(pinned(request._replace(checkout_root=root)))[0] == "3.9"
    (root / ".python-versions").unlink()
    assert asked(pinned(request))[0] == "3.8"
    assert asked(pinned(request._replace(checkout_root=root))) == ("", "")


def test_a_link_that_leaves_a_fetched_project_is_not_read(tmp_path: Path) -> None:
    request = request_for(tmp_path, "none", None)
    write_files(tmp_path, {"secret": "hush", "pinned": "3.9", "top/project/train.py": ""})
    link = request.project_directory / ".python-version"
    link.symlink_to(tmp_path / "secret")
    fetched = request._replace(checkout_root=request.project_directory)
    assert pinned(request).warnings == (
        ".python-version is ignored: what it says is not a version of Python",
    )
    assert pinned(fetched).warnings == ()
    link.unlink()
    link.symlink_to(tmp_path / "pinned")
    assert (asked(pinned(request))[0], asked(pinned(fetched))) == ("3.9", ("", ""))


@pytest.mark.parametrize(
    ("limit", "text", "conflict"),
    [
        (">=3.10", "3.9", True),
        (">=3.10", "3.9.7", True),
        (">=3.10,<3.12", ">=3.12", True),
        (">=3.10", "3.10.1", False),
        (">=3.10.4", "3.10", False),
        ("==3.11.*", "3.11.2", False),
    ],
)
def test_a_conflict_with_what_the_project_requires(
    tmp_path: Path, limit: str, text: str, conflict: bool
) -> None:
    files = {"pyproject.toml": PROJECT.format(limit), ".python-version": text}
    request = request_for(tmp_path, "uv_env", "pyproject.toml", **files)
    if not conflict:
        assert asked(pinned(request)) == (text, ".python-version")
        return
    with pytest.raises(RequestError) as raised:
        pinned(request)
    assert raised.value.message == (
        f".python-version asks for Python {text}, which pyproject.toml: requires-python {limit!r} excludes"
    )


def test_another_patch_stays_within_the_limit(tmp_path: Path) -> None:
    files = {"pyproject.toml": PROJECT.format(">=3.10,<3.10.5"), ".python-version": "3.10.2"}
    spec = pinned(request_for(tmp_path, "uv_env", "pyproject.toml", **files))
    assert spec.python_instead is not None
    taken = [micro for micro in range(9) if spec.python_instead.matches(version(micro))]
    assert taken == [0, 1, 2, 3, 4]


def version(micro: int) -> PythonVersion:
    return PythonVersion(3, 10, micro)


def test_a_file_that_is_too_large_is_named(tmp_path: Path) -> None:
    request = request_for(tmp_path, "none", None, **{".python-version": "3" * (1 << 25)})
    with pytest.raises(RequestError, match=r"^\.python-version"):
        pinned(request)
