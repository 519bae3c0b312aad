"""Poetry's dependencies as requirement lines; tests/integration/test_poetry.py compares them with Poetry's own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.project.environment_files import default_environment
from projrun.project.model import EnvironmentReference
from projrun_backends.environments.python.formats.poetry_constraints import (
    ConstraintError,
    python_request,
    specifiers,
)
from projrun_backends.environments.python.spec import EnvironmentSpec
from projrun_backends.environments.python.specs import read_spec
from tests.backends.environments.python.packages import write_files

HEAD = '[tool.poetry]\nname = "My-Demo"\nversion = "1"\n[tool.poetry.dependencies]\n'
BUILD = '[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n'
LOCKED = '\n[[package]]\nname = "{}"\nversion = "{}"\nfiles = []\n'
METADATA = '\n[metadata]\nlock-version = "2.0"\n'


def read(folder: Path, text: str, lock: str = "") -> EnvironmentSpec:
    write_files(folder, {"pyproject.toml": text, **({"poetry.lock": lock} if lock else {})})
    return read_spec(EnvironmentReference("poetry", folder / "pyproject.toml"), folder, {})


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("^1.2.3", ">=1.2.3,<2.0"),
        ("^1.2", ">=1.2,<2.0"),
        ("^1", ">=1,<2.0"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0.0", ">=0.0,<0.1"),
        ("^0", ">=0,<1.0"),
        ("^1.0b1", ">=1.0b1,<2.0"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~1.2", ">=1.2,<1.3"),
        ("~1", ">=1,<2.0"),
        ("~=1.2", "~=1.2"),
        ("1.2.3", "==1.2.3"),
        ("=1.2", "==1.2"),
        ("==1.2.3", "==1.2.3"),
        ("1.2.*", "==1.2.*"),
        ("!=1.5.*", "!=1.5.*"),
        (">=1.2,<2", ">=1.2,<2"),
        (">= 1.2 < 2", ">=1.2,<2"),
        ("^1.2,!=1.3", ">=1.2,<2.0,!=1.3"),
        ("1.0+cu118", "==1.0+cu118"),
        ("*", ""),
        ("", ""),
    ],
)
def test_constraints(constraint: str, expected: str) -> None:
    assert specifiers(constraint) == expected


@pytest.mark.parametrize("constraint", ["^1 || ^2", "latest", "^", "1;import os", "1.0 --hash=x", "^1" * 400])
def test_constraints_without_a_counterpart(constraint: str) -> None:
    with pytest.raises(ConstraintError):
        specifiers(constraint)


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("^3.9", ">=3.9,<4.0"),
        ("~3.9 || ^3.11", ">=3.9,<3.10|>=3.11,<4.0"),
        ("*", ""),
        ("3.9.*", "==3.9.*"),
    ],
)
def test_the_python(constraint: str, expected: str) -> None:
    assert python_request(constraint) == expected


@pytest.mark.parametrize(
    ("dependency", "line"),
    [
        ('numpy = "^1.20"', "numpy>=1.20,<2.0"),
        ('numpy = "*"', "numpy"),
        ('numpy = {version = "~1.20", extras = ["a", "b"]}', "numpy[a,b]>=1.20,<1.21"),
        (
            'numpy = {version = "^1", python = "^3.9"}',
            'numpy>=1,<2.0 ; ((python_full_version >= "3.9" and python_full_version < "4.0"))',
        ),
        ('numpy = {version = "1.0", python = "3.9.*"}', 'numpy==1.0 ; ((python_version == "3.9"))'),
        ('numpy = {version = "1.0", platform = "linux"}', 'numpy==1.0 ; (sys_platform == "linux")'),
        (
            "numpy = {version = '1.0', markers = \"os_name == 'posix' or extra == 'x'\"}",
            "numpy==1.0 ; (os_name == 'posix' or extra == 'x')",
        ),
        ('x = {git = "https://h/o/r.git"}', "x @ git+https://h/o/r.git"),
        ('x = {git = "https://h/o/r.git", rev = "abc"}', "x @ git+https://h/o/r.git@abc"),
        (
            'x = {git = "git@h.org:o/r.git", tag = "v1", subdirectory = "s"}',
            "x @ git+ssh://git@h.org/o/r.git@v1#subdirectory=s",
        ),
        ('x = {url = "https://h/x-1.0.tar.gz"}', "x @ https://h/x-1.0.tar.gz"),
        ('x = {path = "lib"}', "x @ {uri}/lib"),
        ('x = {path = "./lib", develop = true}', "-e {folder}/lib"),
        ('x = {path = "./lib", develop = true, extras = ["a", "b"]}', "-e {folder}/lib[a,b]"),
        (
            'x = {path = "lib", develop = true, extras = ["a"], platform = "linux"}',
            'x[a] @ {uri}/lib ; (sys_platform == "linux")',
        ),
        ('x = {version = "1.0", python = "3.8"}', 'x==1.0 ; ((python_version == "3.8"))'),
        ('x = {version = "1.0", python = "!=3.8"}', 'x==1.0 ; ((python_full_version != "3.8"))'),
        ('x = {version = "1.0", python = "!=3.8.*"}', 'x==1.0 ; ((python_version != "3.8"))'),
        ('x = {version = "^1", optional = true}', None),
    ],
)
def test_dependencies(tmp_path: Path, dependency: str, line: str | None) -> None:
    (tmp_path / "lib").mkdir()
    spec = read(tmp_path, f'{HEAD}python = "^3.9"\n{dependency}\n')
    expected = [line.format(uri=tmp_path.as_uri(), folder=tmp_path)] if line else []
    assert list(spec.requirements.lines) == expected
    assert spec.python is not None
    assert (spec.python.text, spec.python_required) == (">=3.9,<4.0", True)


def test_a_dependency_for_each_python(tmp_path: Path) -> None:
    text = 'x = [{version = "1.0", python = "<3.9"}, {version = "2.0", python = ">=3.9"}]\n'
    assert read(tmp_path, HEAD + text).requirements.lines == (
        'x==1.0 ; ((python_full_version < "3.9"))',
        'x==2.0 ; ((python_full_version >= "3.9"))',
    )


@pytest.mark.parametrize(
    ("sources", "lines"),
    [
        ([("own", "")], ["--index-url https://own/"]),
        ([("own", "primary"), ("PyPI", "")], ["--extra-index-url https://own/"]),
        (
            [("one", "primary"), ("two", "primary")],
            ["--index-url https://one/", "--extra-index-url https://two/"],
        ),
        ([("own", "supplemental")], ["--extra-index-url https://own/"]),
        ([("own", "explicit")], []),
        ([("own", "primary"), ("PyPI", "explicit")], ["--index-url https://own/"]),
    ],
)
def test_sources(tmp_path: Path, sources: list[tuple[str, str]], lines: list[str]) -> None:
    text = HEAD + 'x = "1.0"\n'
    for name, priority in sources:
        text += f'[[tool.poetry.source]]\nname = "{name}"\n'
        text += f'url = "https://{name}/"\n' if name != "PyPI" else ""
        text += f'priority = "{priority}"\n' if priority else ""
    spec = read(tmp_path, text)
    assert (list(spec.requirements.lines), spec.warnings) == ([*lines, "x==1.0"], ())


@pytest.mark.parametrize(
    "dependency", ['{version = "1.0", source = "own"}', '[{version = "1.0", source = "OWN"}]']
)
def test_an_explicit_source_that_a_dependency_names_serves_all_with_a_warning(
    tmp_path: Path, dependency: str
) -> None:
    source = '[[tool.poetry.source]]\nname = "Own"\nurl = "https://me:hush@own/"\npriority = "explicit"\n'
    spec = read(tmp_path, f"{HEAD}x = {dependency}\n{source}")
    assert spec.requirements.lines == ("--extra-index-url https://me:hush@own/", "x==1.0")
    assert spec.warnings == (
        "pyproject.toml: source 'Own' is explicit, but the installer looks in it for every package",
    )


@pytest.mark.parametrize(
    ("place", "build", "mode", "package"),
    [
        ("my_demo/__init__.py", BUILD, "", True),
        ("src/my_demo/__init__.py", BUILD, "", True),
        ("my_demo.py", BUILD, "", True),
        ("my_demo.py", "", "", False),
        ("other.py", BUILD, "", False),
        ("my_demo.py", BUILD, "package-mode = false\n", False),
        ("other.py", BUILD, 'packages = [{include = "other.py"}]\n', True),
    ],
)
def test_the_package_itself_where_poetry_would_install_it(
    tmp_path: Path, place: str, build: str, mode: str, package: bool
) -> None:
    write_files(tmp_path, {place: ""})
    spec = read(tmp_path, HEAD.replace("[tool.poetry.d", f"{mode}[tool.poetry.d") + 'x = "1.0"\n' + build)
    assert spec.requirements.lines == ((f"-e {tmp_path.as_uri()}",) if package else ("x==1.0",))


def test_the_versions_of_the_lock(tmp_path: Path) -> None:
    twice = LOCKED.format("two", "1.0") + LOCKED.format("two", "2.0")
    place = LOCKED.format("placed", "1.0") + '\n[package.source]\ntype = "git"\nurl = "x"\n'
    legacy = LOCKED.format("own", "3.0") + '\n[package.source]\ntype = "legacy"\nurl = "x"\n'
    lock = (
        "# made by Poetry\n"
        + LOCKED.format("six", "1.16.0")
        + twice
        + place
        + legacy
        + '\n[metadata]\nlock-version = "2.0"\n'
    )
    spec = read(tmp_path, HEAD + 'six = "^1"\n', lock)
    assert spec.requirements.constraints == ("six==1.16.0", "own==3.0")
    assert spec.summary == "1 requirement from pyproject.toml, versions of poetry.lock"
    assert tmp_path / "poetry.lock" in spec.files


@pytest.mark.parametrize(
    ("dependency", "problem"),
    [
        ('x = "^1 || ^2"', "dependencies.x: '^1 || ^2' is a choice of versions"),
        ('x = "newest"', "dependencies.x: 'newest' is not a version constraint"),
        ("x = 3", "dependencies.x: expected text, not int"),
        ('x = {version = "1", extras = 5}', "dependencies.x.extras: expected a list, not int"),
        ('x = {version = "1", extras = "abc"}', "dependencies.x.extras: expected a list, not str"),
        ('x = {versoin = "1"}', "dependencies.x: unknown key 'versoin'"),
        ('x = {path = "gone"}', "no file or folder"),
        ('x = {git = "https://h/r\\n--index-url https://evil"}', "cannot be printed"),
        ('"x --pre" = "1.0"', "is not the name of a package"),
        ('"--index-url" = "*"', "is not the name of a package"),
        ('"-r /etc/passwd" = "*"', "is not the name of a package"),
        ('x = {url = "https://h/x.whl --pre"}', "is not one word"),
        ('python = "three"', "dependencies.python: 'three' is not"),
        ('x = "1.0', "not TOML"),
    ],
)
def test_mistakes(tmp_path: Path, dependency: str, problem: str) -> None:
    with pytest.raises(RequestError) as raised:
        read(tmp_path, HEAD + dependency + "\n")
    assert problem in raised.value.message


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_lock_that_begins_with_a_package(tmp_path: Path, newline: str) -> None:
    lock = (LOCKED.format("six", "1.16.0").lstrip() + METADATA).replace("\n", newline)
    assert read(tmp_path, HEAD + 'six = "^1"\n', lock).requirements.constraints == ("six==1.16.0",)


def test_a_lock_without_packages(tmp_path: Path) -> None:
    assert read(tmp_path, HEAD, f"package = []\n{METADATA}").requirements.constraints == ()


@pytest.mark.parametrize(
    ("lock", "problem"),
    [
        ("\n\n[[package]]\nname = 3\n" + METADATA, "poetry.lock:3: not a package as Poetry writes it"),
        (LOCKED.format("six", "1.16.0") + "xx[\n" + METADATA, "poetry.lock: not TOML: .*line 6"),
        ("xx[", "poetry.lock: not TOML: .*line 1"),
        ("\n", "poetry.lock:1: the file ends without"),
        (LOCKED.format("six", "1.16.0"), "poetry.lock:5: the file ends without"),
        (LOCKED.format("six", "1.16.0")[:-5], "poetry.lock: not TOML: "),
        (LOCKED.format("six", '1.16.0\nfiles = "') + METADATA, "poetry.lock: not TOML: .*line 4"),
        (
            f"{LOCKED.format('six', '1')}<<<<<<< HEAD\n=======\n>>>>>>> x\n{METADATA}",
            "poetry.lock: not TOML: .*line 6",
        ),
    ],
)
def test_a_lock_that_cannot_be_read(tmp_path: Path, lock: str, problem: str) -> None:
    with pytest.raises(RequestError, match=f"^{problem}") as raised:
        read(tmp_path, HEAD + 'six = "1"\n', lock)
    assert raised.value.hint == "make it again with `poetry lock`"


@pytest.mark.parametrize(
    ("make", "problem"), [(os.mkfifo, "not a regular file"), (os.mkdir, "a folder")], ids=["pipe", "folder"]
)
def test_a_lock_that_is_no_file(tmp_path: Path, make: Callable[[Path], None], problem: str) -> None:
    make(tmp_path / "poetry.lock")
    with pytest.raises(RequestError, match=rf"^poetry\.lock is {problem}$"):
        read(tmp_path, HEAD + 'six = "1"\n')


def test_a_nest_of_brackets_is_an_error_not_a_crash(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="not TOML"):
        read(tmp_path, HEAD + f"x = {'[' * 50_000}\n")


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"pyproject.toml": HEAD}, "poetry"),
        ({"pyproject.toml": '[tool.poetry.dependencies.numpy]\nversion = "1"\n'}, "poetry"),
        ({"pyproject.toml": '[tool.poetry]\ndependencies = {numpy = "*"}\n'}, "poetry"),
        ({"pyproject.toml": '[tool]\npoetry.dependencies.numpy = "*"\n'}, "poetry"),
        ({"pyproject.toml": '["tool"."poetry"."dependencies"]\n'}, "poetry"),
        ({"pyproject.toml": 'project.name = "x"\n'}, "uv_env"),
        ({"pyproject.toml": "tool = 'poetry'\n"}, "none"),
        ({"pyproject.toml": 'note = """\n[tool.poetry.dependencies]\n[project]\n"""\n'}, "none"),
        ({"pyproject.toml": HEAD + "x = "}, "poetry"),
        ({"pyproject.toml": "[project\n"}, "uv_env"),
        ({"pyproject.toml": "# of the project, without poetry\n[tool.black\n"}, "none"),
        ({"pyproject.toml": HEAD, "requirements.txt": ""}, "requirements"),
        ({"pyproject.toml": HEAD, "uv.lock": ""}, "uv_env"),
        ({"pyproject.toml": f"[project]\n{HEAD}"}, "uv_env"),
        ({"pyproject.toml": "[tool.poetry]\n"}, "none"),
        ({"pyproject.toml": "[tool.black]\n"}, "none"),
    ],
)
def test_a_poetry_project_is_a_default_file(tmp_path: Path, files: dict[str, str], kind: str) -> None:
    assert default_environment(write_files(tmp_path, files)).kind == kind


@pytest.mark.parametrize(
    "text",
    [
        '[tool.poetry.dependencies\nsix = "*"\n',
        '[ tool . poetry\nname = "x"\n',
        '[project\nname = "x"\n',
    ],
)
def test_a_broken_header_is_an_error_not_an_empty_environment(tmp_path: Path, text: str) -> None:
    reference = default_environment(write_files(tmp_path, {"pyproject.toml": text}))
    with pytest.raises(RequestError, match=r"^pyproject\.toml: not TOML: .*line \d"):
        read_spec(reference, tmp_path, {})


def test_a_project_table_in_non_package_mode(tmp_path: Path) -> None:
    text = f'[project]\nname = "x"\nversion = "1"\ndependencies = ["six"]\n[tool.poetry]\npackage-mode = false\n{BUILD}'
    write_files(tmp_path, {"pyproject.toml": text})
    spec = read_spec(EnvironmentReference("uv_env", tmp_path / "pyproject.toml"), tmp_path, {})
    assert spec.requirements.lines == ("six",)


def test_dependencies_that_project_leaves_to_poetry(tmp_path: Path) -> None:
    text = '[project]\nname = "x"\ndynamic = ["dependencies"]\n[tool.poetry.dependencies]\nsix = "^1"\n'
    write_files(tmp_path, {"pyproject.toml": text})
    spec = read_spec(EnvironmentReference("uv_env", tmp_path / "pyproject.toml"), tmp_path, {})
    assert spec.requirements.lines == ("six>=1,<2.0",)
