"""Requirement lines: files followed, local paths made absolute, mistakes named with their line."""

from __future__ import annotations

from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun_backends.environments.python.requirements import (
    Line,
    Requirements,
    logical_lines,
    read_requirement_lines,
    read_requirements_file,
    referenced_variables,
)
from tests.backends.environments.python.packages import write_files


def read(project: Path, text: str, environ: dict[str, str] | None = None) -> Requirements:
    write_files(project, {"requirements.txt": text})
    return read_requirements_file(project / "requirements.txt", project, environ or {})


@pytest.mark.parametrize(
    "line",
    [
        "numpy",
        "numpy==1.26.4",
        "numpy>=1.20,<2",
        "numpy ~= 1.20",
        "numpy (>=1.20)",
        "scikit-learn[plot]>=1.3; python_version >= '3.9'",
        "Flask===1.0+local",
        "torch==2.*",
        "zope.interface",
        "https://host/numpy-1.0.tar.gz",
        "numpy @ https://host/numpy.whl",
        "git+https://host/owner/repo@v1#egg=name",
        "numpy==1.0 --hash=sha256:abc --hash=sha256:def",
        "--index-url https://host/simple",
        "--extra-index-url=https://host/simple",
        "--pre",
        "-e git+https://host/owner/repo#egg=name",
    ],
)
def test_lines_that_need_nothing_are_kept_as_written(tmp_path: Path, line: str) -> None:
    found = read(tmp_path, line + "\n")
    assert (found.lines, found.local) == ((line,), ())


@pytest.mark.parametrize(
    "line", ["numpy 1.26", "numpy=1.26", "numpy==", "==1.0", "numpy[plot", "what is this?", "numpy @"]
)
def test_what_is_no_requirement_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    with pytest.raises(RequestError) as raised:
        read(tmp_path, f"# first\n{line}\n")
    assert raised.value.message.startswith("requirements.txt:2: ")
    assert line.split()[0] in raised.value.message


def test_comments_blank_lines_and_continuations(tmp_path: Path) -> None:
    text = "# a comment\n\nnumpy # trailing\nname@https://h/a.whl#egg=name\npandas \\\n  >=2\nbad line\n"
    with pytest.raises(RequestError, match=r"requirements\.txt:7: 'bad line'"):
        read(tmp_path, text)
    found = read(tmp_path, text.replace("bad line\n", ""))
    assert [line.split() for line in found.lines] == [
        ["numpy"],
        ["name@https://h/a.whl#egg=name"],
        ["pandas", ">=2"],
    ]
    assert list(logical_lines("a \\\nb\nc \\")) == [(1, "a  b"), (3, "c  ")]


def test_included_files_are_followed_from_the_file_that_names_them(tmp_path: Path) -> None:
    write_files(
        tmp_path,
        {
            "reqs/base.txt": "-r more/deep.txt\n-c limits.txt\nnumpy\n",
            "reqs/more/deep.txt": "pandas\n--requirement=../base.txt\n",
            "reqs/limits.txt": "numpy<2\n-r more/also.txt\n",
            "reqs/more/also.txt": "pandas<3\n",
        },
    )
    found = read(tmp_path, "-r reqs/base.txt\nscipy\n")
    assert found.lines == ("pandas", "numpy", "scipy")
    assert found.constraints == ("numpy<2", "pandas<3")
    assert [str(file.relative_to(tmp_path)) for file in found.files] == [
        "requirements.txt",
        "reqs/base.txt",
        "reqs/more/deep.txt",
        "reqs/limits.txt",
        "reqs/more/also.txt",
    ]


def test_a_list_in_an_environment_file_finds_files_beside_it_or_in_the_project(tmp_path: Path) -> None:
    write_files(tmp_path, {"envs/near.txt": "numpy\n", "far.txt": "pandas\n"})
    lines = [Line("-r near.txt", "env.yaml:3:5"), Line("-rfar.txt", "env.yaml:4:5")]
    found = read_requirement_lines(lines, tmp_path / "envs", tmp_path, {})
    assert found.lines == ("numpy", "pandas")


def test_included_files_by_url_are_left_to_the_installer_with_a_warning(tmp_path: Path) -> None:
    found = read(tmp_path, "-r https://user:word@host/base.txt\n-c https://host/limits.txt\n")
    assert found.lines == ("-r https://user:word@host/base.txt", "-c https://host/limits.txt")
    assert found.warnings[0].startswith(
        "requirements.txt:1: https://host/base.txt is read when the environment is built"
    )


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("-r missing.txt", "file 'missing.txt' not found"),
        ("-r", "has no file name"),
        ("-r folder", "'folder' is not a file"),
        ("-c missing.txt", "file 'missing.txt' not found"),
        ("-e", "has no folder name"),
        ("-e ./missing", "no file or folder './missing'"),
        ("./missing-1.0.whl", "no file or folder './missing-1.0.whl'"),
        ("missing-1.0-py3-none-any.whl", "no file or folder"),
        ("name @ file:///no/such/thing", "no file or folder"),
        ("-r ~nobody-of-that-name/x.txt", "not found"),
        ("./a\0b", "no file or folder"),
    ],
)
def test_what_is_not_there(tmp_path: Path, line: str, problem: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(RequestError) as raised:
        read(tmp_path, f"numpy\n{line}\n")
    assert raised.value.message.startswith("requirements.txt:2: ")
    assert problem in raised.value.message


@pytest.mark.parametrize(
    ("line", "kept", "editable"),
    [
        ("./pkg", "{p}/pkg", False),
        ("./pkg[plot]", "{p}/pkg[plot]", False),
        ("pkg/ ; python_version > '3'", "{p}/pkg ; python_version > '3'", False),
        ("-e ./pkg", "-e {p}/pkg", True),
        ("--editable=pkg", "-e {p}/pkg", True),
        ("-e 'pkg'", "-e {p}/pkg", True),
        ("-e .", "-e {p}", True),
        ("file:pkg", "{p}/pkg", False),
        ("file://{p}/pkg", "{p}/pkg", False),
        ("name @ file://{p}/pkg", "name @ file://{p}/pkg", False),
        ("name @ ./pkg ; extra == 'x'", "name @ file://{p}/pkg ; extra == 'x'", False),
        ("${{WHERE}}/pkg", "{p}/pkg", False),
        ("./with space", "file://{p}/with%20space", False),
        ("--find-links=wheels", "--find-links {p}/wheels", False),
        ("-f ./wheels", "--find-links {p}/wheels", False),
    ],
)
def test_local_paths_become_absolute(tmp_path: Path, line: str, kept: str, editable: bool) -> None:
    for name in ("pkg", "with space", "wheels"):
        (tmp_path / name).mkdir()
    found = read(tmp_path, line.format(p=tmp_path) + "\n", {"WHERE": str(tmp_path)})
    assert found.lines == (kept.format(p=tmp_path),)
    assert [dependency.editable for dependency in found.local] == [editable]
    assert found.local[0].origin == "requirements.txt:1"


def test_paths_in_an_included_file_are_relative_to_the_project_as_where_pip_runs(tmp_path: Path) -> None:
    write_files(tmp_path, {"reqs/base.txt": "-e ./pkg\n", "pkg/pyproject.toml": ""})
    assert read(tmp_path, "-r reqs/base.txt\n").local[0].path == tmp_path / "pkg"


def test_packages_are_counted_without_options(tmp_path: Path) -> None:
    assert read(tmp_path, "--pre\nnumpy\n-e .\n--index-url https://host\npandas\n").packages == 3


def test_variables_are_left_for_the_installer(tmp_path: Path) -> None:
    found = read(tmp_path, "--index-url https://${TOKEN}@host/simple\n", {"TOKEN": "secret"})
    assert found.lines == ("--index-url https://${TOKEN}@host/simple",)
    assert referenced_variables(found.lines) == {"TOKEN"}


def test_an_error_shows_no_credentials(tmp_path: Path) -> None:
    with pytest.raises(RequestError) as raised:
        read(tmp_path, "what https://user:word@host/x is this\n")
    assert raised.value.message == "requirements.txt:1: 'what https://host/x is this' is not a requirement"


def test_hostile_includes_are_read_once_and_bounded(tmp_path: Path) -> None:
    (tmp_path / "endless").symlink_to("/dev/zero")
    with pytest.raises(RequestError, match="'endless' is not a file"):
        read(tmp_path, "-r endless\n")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RequestError, match=r"binary\.txt"):
        read(tmp_path, "-r binary.txt\n")
    assert read(tmp_path, "-r requirements.txt\nnumpy\n").lines == ("numpy",)
