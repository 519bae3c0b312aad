"""Editable dependencies that are installed as copies, apart from the build itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from projrun.environments.protocol import EnvironmentRequest
from projrun.errors import EnvironmentBuildError
from projrun_backends.environments.python.editables import (
    left_clean,
    of_this_request,
    require_copies,
    without_editable_repositories,
)
from projrun_backends.environments.python.requirements import Requirements
from projrun_backends.environments.python.spec import EnvironmentSpec
from projrun_backends.environments.python.specs import read_spec
from tests.backends.environments.python.packages import make_request, write_files


def request_for(tmp_path: Path, files: dict[str, str], *, temporary: bool = True) -> EnvironmentRequest:
    project = write_files(
        tmp_path / "project", {"pkg/setup.py": "", "setup.py": "", "a b/setup.py": "", **files}
    )
    kind, name = (
        ("python_env", "python_env.yaml") if "python_env.yaml" in files else ("requirements", "r.txt")
    )
    return make_request(project, kind, name, environ=os.environ, temporary_checkout=temporary)  # type: ignore[arg-type]


def spec_of(request: EnvironmentRequest) -> EnvironmentSpec:
    return read_spec(request.reference, request.project_directory, request.environ)


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("-e .", "{p}"),
        ("-e ./pkg", "{p}/pkg"),
        ("--editable pkg", "{p}/pkg"),
        ("-e .[plot,speed]", "{p}[plot,speed]"),
        ("-e .[plot] ; python_version > '3'", "{p}[plot] ; python_version > '3'"),
        ("-e 'a b'", "{u}/a%20b"),
        (".", "{p}"),
        ("./pkg", "{p}/pkg"),
        ("-e git+https://host/o/r#egg=x", "-e git+https://host/o/r#egg=x"),
        ("numpy", "numpy"),
    ],
)
@pytest.mark.parametrize("file", ["r.txt", "python_env.yaml"])
def test_lines_of_a_fetched_project(tmp_path: Path, file: str, line: str, kept: str) -> None:
    text = f"{line}\n" if file == "r.txt" else f'dependencies:\n- "{line}"\n'
    request = request_for(tmp_path, {file: text})
    spec = of_this_request(spec_of(request), request)
    project = request.project_directory
    assert spec.requirements.lines == (kept.format(p=project, u=project.as_uri()),)
    assert not any(one.editable for one in spec.requirements.local)
    assert len(spec.warnings) == (line.startswith(("-e", "--e")) and "git+" not in line)


def test_a_folder_of_the_users_own_stays_editable(tmp_path: Path) -> None:
    request = request_for(tmp_path, {"r.txt": "-e .\n"}, temporary=False)
    assert of_this_request(spec_of(request), request) == spec_of(request)


@pytest.mark.parametrize(("line", "counts"), [("-e .", True), (".", False), ("numpy", False)])
def test_the_commit_counts_where_something_would_be_editable(tmp_path: Path, line: str, counts: bool) -> None:
    request = request_for(tmp_path, {"r.txt": f"{line}\n"})._replace(commit="c" * 40)
    spec = of_this_request(spec_of(request), request)
    assert spec.texts == ((f"commit {'c' * 40}",) if counts else ())
    assert [f"commit {'c' * 7}," in warning for warning in spec.warnings] == [True] * counts


def test_an_editable_build_dependency_is_a_copy_too(tmp_path: Path) -> None:
    request = request_for(tmp_path, {"python_env.yaml": "build_dependencies: ['-e pkg']\n"})
    spec = of_this_request(spec_of(request), request)
    assert spec.build_requirements.lines == (str(request.project_directory / "pkg"),)


def test_repositories_that_uv_does_not_take_as_editable() -> None:
    lines = ("-e git+ssh://git@host/o/r@v1#egg=x", "-e hg+https://host/r", "-e /pkg", "numpy")
    spec = without_editable_repositories(EnvironmentSpec("", requirements=Requirements(lines)))
    assert spec.requirements.lines == (
        "git+ssh://git@host/o/r@v1#egg=x",
        "hg+https://host/r",
        "-e /pkg",
        "numpy",
    )


@pytest.mark.parametrize("temporary", [True, False])
def test_what_a_build_leaves_in_a_fetched_folder_is_removed(tmp_path: Path, temporary: bool) -> None:
    files = {"r.txt": ".\n", "old.egg-info/PKG-INFO": "", "src/x.py": ""}
    request = request_for(tmp_path, files, temporary=temporary)
    project = request.project_directory
    before = sorted(project.rglob("*"))
    with pytest.raises(OSError, match="full"), left_clean(spec_of(request), request):
        write_files(project, {"build/lib/x.py": "", "x.egg-info/PKG-INFO": "", "src/x.egg-info/PKG-INFO": ""})
        raise OSError("full")
    assert (sorted(project.rglob("*")) == before) is temporary


def test_a_link_that_an_old_uv_made_is_refused() -> None:
    require_copies("nested @ file:///copy/sub\nsix==1.16.0\n")
    with pytest.raises(EnvironmentBuildError, match="uv installed sub as editable"):
        require_copies("-e file:///copy/sub\nsix==1.16.0\n")
