"""Locks: what `pip freeze` says made into a file that builds the same again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from projrun.environments.lock_text import LockKind, lock_kind
from projrun.errors import RequestError
from projrun_backends.environments.python.locks import lock_text, locked_spec
from projrun_backends.environments.python.requirements import Requirements
from projrun_backends.environments.python.spec import EnvironmentSpec
from projrun_backends.environments.python.versions import PythonRequest
from tests.backends.environments.python.packages import make_request, write_files


def lock(frozen: str, project: Path, *lines: str) -> list[str]:
    spec = EnvironmentSpec("requirements.txt", requirements=Requirements(lines=lines))
    title, *rest = lock_text(frozen, "3.11.7", spec, project).splitlines()
    assert title.startswith("# ")
    return rest


def read(folder: Path, text: str, spec: EnvironmentSpec | None = None) -> EnvironmentSpec:
    file = folder / "requirements.lock.txt"
    file.write_text(text, encoding="utf-8")
    project = folder / "project"
    project.mkdir(exist_ok=True)
    request = make_request(project, "none", environ=dict(os.environ))
    return locked_spec(spec or EnvironmentSpec(""), file, request)


def test_a_lock_is_sorted_and_says_which_python(tmp_path: Path) -> None:
    frozen = "six==1.17.0\nPyYAML==6.0\n# Editable install with no version control (x==1)\n\nabc==1\n"
    assert lock(frozen, tmp_path) == ["# python 3.11.7", "abc==1", "PyYAML==6.0", "six==1.17.0"]


@pytest.mark.parametrize(
    ("frozen", "locked"),
    [
        ("gear @ file://{project}/gear%20box", "./gear box"),
        ("-e file://{project}/gear", "-e ./gear"),
        ("-e {project}/gear", "-e ./gear"),
        ("gear @ file://{project}", "."),
        ("gear @ file://{project}/", "."),
        ("x @ file://{project}/x-1-py3-none-any.whl#sha256=abc", "./x-1-py3-none-any.whl"),
        ("x @ file:///elsewhere/x", "x @ file:///elsewhere/x"),
        ("x @ file://{project}-2/x", "x @ file://{project}-2/x"),
        ("x @ git+https://host/x.git@0123abc", "x @ git+https://host/x.git@0123abc"),
        ("x @ https://host/x.zip#subdirectory=y", "x @ https://host/x.zip#subdirectory=y"),
        ("x==1.0+cpu", "x==1.0+cpu"),
    ],
)
def test_what_lies_in_the_project_is_named_by_its_place_in_it(
    tmp_path: Path, frozen: str, locked: str
) -> None:
    project = tmp_path / "project"
    expected = locked.format(project=project)
    assert lock(frozen.format(project=project), project)[1:] == [expected]


def test_a_lock_keeps_where_packages_come_from_without_credentials(tmp_path: Path) -> None:
    options = [
        "--extra-index-url https://me:hush@host/simple",
        f"--find-links {tmp_path}/wheels",
        "--pre",
        "--no-binary x",
        "-r https://host/more.txt",
        "-c limits.txt",
        "--require-hashes",
        "six",
    ]
    expected = ["--extra-index-url https://host/simple", "--find-links ./wheels", "--pre", "--no-binary x"]
    assert lock("six==1", tmp_path, *options) == ["# python 3.11.7", *expected, "six==1"]


def test_what_was_written_is_read(tmp_path: Path) -> None:
    project = write_files(tmp_path / "project", {"gear/setup.py": "", "wheels/x": ""})
    spec = EnvironmentSpec(
        "requirements.txt",
        python=PythonRequest.parse("3.9"),
        requirements=Requirements(
            lines=("--extra-index-url https://me:hush@host/simple", f"--find-links {project}/wheels", "six")
        ),
    )
    frozen = f"six==1.17\npip==24.0\ngear @ file://{project}/gear\nx @ git+https://host/x@abc\n-e git+https://h/y@1#egg=y\n"
    found = read(tmp_path, lock_text(frozen, "3.11.7", spec, project), spec)
    assert found.requirements.lines == (
        "--extra-index-url https://me:hush@host/simple",
        f"--find-links {project}/wheels",
        "-e git+https://h/y@1#egg=y",
        f"{project}/gear",
        "pip==24.0",
        "six==1.17",
        "x @ git+https://host/x@abc",
    )
    assert [one.path.name for one in found.requirements.local] == ["wheels", "gear"]
    assert found.python is not None
    assert found.python_instead is not None
    assert (found.python.text, found.python_instead.text) == ("3.11.7", "3.11")
    assert (found.pinned, found.seeded, found.locked_project) == (True, True, None)
    assert found.summary == f"5 packages locked by {tmp_path}/requirements.lock.txt"


def test_an_environment_without_pip_stays_without(tmp_path: Path) -> None:
    assert not read(tmp_path, "# python 3.12.1\nsix==1\n").seeded
    assert read(tmp_path, "# python 3.12.1\npip==24.0\n").seeded
    assert read(tmp_path, "six==1\n").seeded, "a lock from elsewhere says nothing of pip"


def test_a_lock_from_elsewhere_leaves_the_python_to_the_project(tmp_path: Path) -> None:
    spec = EnvironmentSpec("", python=PythonRequest.parse("3.9"))
    found = read(tmp_path, "six==1\n", spec)
    assert (found.python, found.python_instead) == (spec.python, None)


@pytest.mark.parametrize(
    "line",
    [
        "numpy==1.26.4",
        "numpy[extra]==1.26.4",
        "numpy===1.26.4+local",
        "numpy==1.26.4 ; python_version < '3.12'",
        "numpy==1.26.4 --hash=sha256:abc",
        "numpy==1.26.4 \\\n    --hash=sha256:abc \\\n    --hash=sha256:def",
        "numpy @ https://host/numpy.whl",
        "git+https://host/x@abc#egg=x",
        "-e git+https://host/x@abc#egg=x",
        "--index-url https://host/simple",
        "-i https://host/simple",
        "numpy==1!1.26.4  # why",
    ],
)
def test_what_a_lock_may_say(tmp_path: Path, line: str) -> None:
    assert len(read(tmp_path, f"{line}\n").requirements.lines) == 1


@pytest.mark.parametrize(
    "line",
    [
        "numpy",
        "numpy>=1.26",
        "numpy==1.*",
        "numpy==1.26,!=1.27",
        "numpy~=1.26",
        "-r other.txt",
        "--target /tmp",
        "just words",
    ],
)
def test_what_is_not_pinned_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    with pytest.raises(RequestError, match=r"requirements\.lock\.txt:2: .* is not pinned") as raised:
        read(tmp_path, f"six==1\n{line}\n")
    assert "name==1.2.3" in raised.value.hint


def test_a_line_that_is_not_pinned_is_shown_without_credentials(tmp_path: Path) -> None:
    with pytest.raises(RequestError) as raised:
        read(tmp_path, "--proxy https://me:hush@host\n")
    assert "hush" not in raised.value.message


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("numpy==1\n", "python"),
        ("", "python"),
        ("# platform: linux-64\n@EXPLICIT\nhttps://host/x.conda\n", "conda"),
        ("version: 6\nenvironments:\n  default: {}\n", "conda"),
        ("version: 1\nmetadata:\n  content_hash: {}\npackage: []\n", "conda"),
        (f"registry/team/image:1@sha256:{'0' * 64}\n", "image"),
        (f"# Docker\nname: x\nid: sha256:{'a' * 64}\n", "image"),
        (f"# Docker\nimage: x@sha256:{'a' * 64}\n", "image"),
        ('version = 1\nrevision = 3\n\n[[package]]\nname = "x"\n', "toml"),
        ('lock-version = "1.0"\n[[packages]]\n', "toml"),
    ],
)
def test_a_lock_tells_what_it_is_for(tmp_path: Path, text: str, kind: LockKind) -> None:
    assert lock_kind(text) == kind
    if kind == "python":
        read(tmp_path, text)
        return
    with pytest.raises(RequestError, match="not of a Python environment"):
        read(tmp_path, text)


def test_a_local_package_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"requirements\.lock\.txt:1: no file or folder"):
        read(tmp_path, "./gone\n")


def test_no_text_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "lock").write_bytes(b"\xff\xfe\x00")
    request = make_request(tmp_path / "project", "none", environ={})
    with pytest.raises(RequestError, match="not UTF-16"):
        locked_spec(EnvironmentSpec(""), tmp_path / "lock", request)
