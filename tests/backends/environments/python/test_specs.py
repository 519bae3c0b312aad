"""Environment files of every kind, read into one value."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from projrun.errors import EnvironmentBuildError, RequestError
from projrun.project.model import EnvironmentReference
from projrun_backends.environments.python.spec import EnvironmentSpec
from projrun_backends.environments.python.specs import read_spec
from projrun_backends.environments.python.versions import PythonVersion
from tests.backends.environments.python.packages import write_files

if TYPE_CHECKING:
    from projrun.project.model import EnvironmentKind


def read(project: Path, kind: EnvironmentKind, name: str, text: str, **files: str) -> EnvironmentSpec:
    write_files(project, {name: text, **{key.replace("__", "."): value for key, value in files.items()}})
    return read_spec(EnvironmentReference(kind, project / name), project, {})


def test_no_file_asks_for_nothing(tmp_path: Path) -> None:
    spec = read_spec(EnvironmentReference("none"), tmp_path, {})
    assert (spec.python, spec.requirements.lines, spec.summary) == (None, (), "no requirements")


def test_a_python_env(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        "python_env",
        "python_env.yaml",
        'python: "3.8.15"\nbuild_dependencies:\n  - pip==23.0\ndependencies:\n  - numpy>=1.20\n  - -r more.txt\n',
        more__txt="pandas\n",
    )
    assert spec.python is not None
    assert spec.python.text == "3.8.15"
    assert spec.python_origin == "python_env.yaml:1:9"
    assert spec.build_requirements.lines == ("pip==23.0",)
    assert spec.requirements.lines == ("numpy>=1.20", "pandas")
    assert spec.files == (tmp_path / "python_env.yaml", tmp_path / "more.txt")
    assert spec.summary == "3 requirements from python_env.yaml"


@pytest.mark.parametrize(
    "text", ["", "{}", "python:\ndependencies:\nbuild_dependencies: null\n", "# only this\n"]
)
def test_an_empty_python_env_asks_for_nothing(tmp_path: Path, text: str) -> None:
    spec = read(tmp_path, "python_env", "python_env.yaml", text)
    assert (spec.python, spec.requirements.lines) == (None, ())


def test_an_unquoted_version_is_read_as_written(tmp_path: Path) -> None:
    spec = read(tmp_path, "python_env", "python_env.yaml", "python: 3.10\n")
    assert spec.python is not None
    assert spec.python.matches(PythonVersion(3, 10, 4))
    assert not spec.python.matches(PythonVersion(3, 1, 0))


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("python: three\n", "1:9", "'three' is not a Python version"),
        ("python: [3.8]\n", "1:9", "expected text"),
        ("dependencies: numpy\n", "1:15", "'dependencies' must be a list"),
        ("dependencies:\n  - numpy\n  - pip: [x]\n", "3:5", "expected text"),
        ("dependencies: [six, null]\n", "1:21", "expected text"),
        ("dependencies:\n  - six\n  -\n", "3:4", "expected text"),
        ("build_dependencies:\n  - 3\n", "2:5", "expected text"),
        ("dependencies:\n  - 1.5\n", "2:5", "expected text"),
        ("dependencies:\n  - true\n", "2:5", "expected text"),
        ("dependencies:\n  - numpy 1.2\n", "2:5", "'numpy 1.2' is not a requirement"),
        ("- numpy\n", "1:1", "expected `key: value` lines"),
        ("python: 3.8\n dependencies: [\n", "2:14", "YAML"),
        ("dependencies:\n  - -r gone.txt\n", "2:5", "file 'gone.txt' not found"),
    ],
)
def test_mistakes_are_named_with_line_and_column(tmp_path: Path, text: str, place: str, problem: str) -> None:
    with pytest.raises(RequestError) as raised:
        read(tmp_path, "python_env", "python_env.yaml", text)
    assert raised.value.message.startswith(f"python_env.yaml:{place}: ")
    assert problem in raised.value.message


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"gone\.yaml"):
        read_spec(EnvironmentReference("python_env", tmp_path / "gone.yaml"), tmp_path, {})


@pytest.mark.parametrize(
    ("dependency", "lines"),
    [
        ("pip", ("pip",)),
        ("pip=23.1", ("pip==23.1.*",)),
        ("pip=23.1.*", ("pip==23.1.*",)),
        ("pip==23.1", ("pip==23.1",)),
        ("pip 23.1", ("pip==23.1",)),
        ("pip<=22.0.4", ("pip<=22.0.4",)),
        ("setuptools >=60,<70", ("setuptools>=60,<70",)),
        ("conda-forge::wheel", ("wheel",)),
        ("setuptools=68.0.0=py311h06a4308_0", ("setuptools==68.0.0",)),
        ("pip=*", ("pip",)),
    ],
)
def test_the_tools_of_a_conda_file(tmp_path: Path, dependency: str, lines: tuple[str, ...]) -> None:
    spec = read(tmp_path, "conda_env", "conda.yaml", f"dependencies:\n  - {dependency}\n")
    assert spec.build_requirements.lines == lines


@pytest.mark.parametrize(
    ("dependency", "version"),
    [
        ("python=3.11", (3, 11, 7)),
        ("python==3.11.7", (3, 11, 7)),
        ("python=3.11.*", (3, 11, 2)),
        ("python>=3.10,<3.13", (3, 12, 1)),
        ("python >=3.10, <3.13", (3, 12, 1)),
        ("python 3.11", (3, 11, 7)),
        ("python=3.11.5=h955ad1f_0", (3, 11, 5)),
        ("conda-forge::python=3.9|3.11", (3, 11, 0)),
        ("python[version='>=3.10,<3.13']", (3, 12, 1)),
    ],
)
def test_the_python_of_a_conda_file(tmp_path: Path, dependency: str, version: tuple[int, int, int]) -> None:
    spec = read(tmp_path, "conda_env", "conda.yaml", f"dependencies:\n  - {dependency}\n")
    assert spec.python is not None
    assert spec.python.matches(PythonVersion(*version))
    assert not spec.python.matches(PythonVersion(3, 13, 0))


def test_a_conda_file_that_pip_can_serve(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        "conda_env",
        "conda.yaml",
        "name: x\nchannels: [defaults]\ndependencies:\n  - python\n  - pip\n  - pip:\n    - numpy\n    - -r r.txt\n"
        "variables:\n  A: 1\nprefix: /x\n",
        r__txt="pandas\n",
    )
    assert (spec.python, spec.requirements.lines) == (None, ("numpy", "pandas"))
    assert spec.variables == (("A", "1"),)


def test_a_conda_file_is_translated(tmp_path: Path) -> None:
    text = "dependencies: [python=3.11, pytorch=2.1, 'numpy>=1.20', numpy-base, openssl=3, {pip: [-r r.txt, Numpy==2]}]"
    spec = read(tmp_path, "conda_env", "conda.yaml", text, r__txt="six\n")
    assert spec.requirements.lines == ("torch==2.1.*", "six", "Numpy==2"), (
        "the `pip:` list decides, as under conda"
    )
    assert spec.requirements.files == (tmp_path / "r.txt",)
    assert spec.translated == (("pytorch=2.1", "torch==2.1.*"), ("openssl=3", ""))


def test_a_conda_file_that_only_conda_can_serve_lists_why(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentBuildError) as raised:
        read(
            tmp_path,
            "conda_env",
            "conda.yaml",
            "dependencies:\n  - python=3.11\n  - numpy=1.26\n  - cudatoolkit\n  - scipy=1.2|1.4\n",
        )
    assert (
        raised.value.message == "conda.yaml asks for what only conda can install: cudatoolkit, scipy=1.2|1.4"
    )
    assert "--env-manager=conda" in raised.value.hint
    assert raised.value.detail.splitlines() == [
        "conda.yaml:4:5: cudatoolkit (not on PyPI)",
        "conda.yaml:5:5: scipy=1.2|1.4 (pip cannot be asked for that version)",
    ]
    assert raised.value.exit_code == 4


def test_many_that_only_conda_has_are_listed_below_one_line(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentBuildError, match=r"r-11 and 288 more$") as raised:
        read(
            tmp_path, "conda_env", "conda.yaml", f"dependencies: [{', '.join(f'r-{n}' for n in range(300))}]"
        )
    assert len(raised.value.detail.splitlines()) == 300


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("dependencies:\n  - python=three\n", "conda.yaml:2:5: '=three' is not a Python version"),
        ("dependencies:\n  - npm: [x]\n", "conda.yaml:2:5: 'npm' is not `pip`"),
        ("dependencies:\n  - pip: [six, null]\n", "conda.yaml:2:16: expected text"),
        ("dependencies:\n  - pip: [3]\n", "conda.yaml:2:11: expected text"),
        ("dependencies: [python, null]\n", "conda.yaml:1:24: expected text"),
        ("dependencies: [true]\n", "conda.yaml:1:16: expected text"),
        ("dependencies:\n  - pip: numpy\n", "conda.yaml:2:10: 'pip' must be a list"),
        ("dependencies:\n  - pip=22|23\n", "conda.yaml:2:5: pip cannot be asked for 'pip=22|23'"),
        ("dependencies:\n  - '???'\n", "conda.yaml:2:5: '???' is not a conda dependency"),
        ("variables: [a]\n", "conda.yaml:1:12: 'variables' must be a mapping"),
    ],
)
def test_mistakes_in_a_conda_file(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(RequestError) as raised:
        read(tmp_path, "conda_env", "conda.yaml", text)
    assert raised.value.message.startswith(problem)


def test_a_requirements_file(tmp_path: Path) -> None:
    spec = read(tmp_path, "requirements", "requirements.txt", "numpy\n")
    assert (spec.requirements.lines, spec.summary) == (("numpy",), "1 requirement from requirements.txt")


PROJECT = '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.9"\ndependencies = ["numpy"]\n'


def test_a_project_without_lock_is_installed_as_what_it_depends_on(tmp_path: Path) -> None:
    spec = read(tmp_path, "uv_env", "pyproject.toml", PROJECT)
    assert (spec.requirements.lines, spec.dependency_file) == (("numpy",), tmp_path / "pyproject.toml")
    assert spec.python is not None
    assert (spec.python.text, spec.python_origin) == (">=3.9", "pyproject.toml: requires-python")


def test_a_package_without_lock_is_editable(tmp_path: Path) -> None:
    spec = read(tmp_path, "uv_env", "pyproject.toml", PROJECT + "[build-system]\nrequires = []\n")
    assert spec.requirements.lines == (f"-e {tmp_path.as_uri()}",)
    assert (spec.requirements.local[0].editable, spec.uv_project) == (True, tmp_path)


def test_a_locked_project_names_its_local_sources(tmp_path: Path) -> None:
    lock = 'source = { editable = "." }\nsource = { virtual = "x" }\nsource = { directory = "../y" }\n'
    spec = read(tmp_path, "uv_env", "pyproject.toml", PROJECT, uv__lock=lock)
    assert spec.locked_project == tmp_path
    assert [(one.path, one.editable) for one in spec.requirements.local] == [
        (tmp_path.resolve(), True),
        ((tmp_path.parent / "y").resolve(), False),
    ]
    assert lock in spec.texts
    assert spec.summary == "locked by uv.lock"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[project\n", "pyproject.toml: not TOML"),
        ('[project]\nrequires-python = "many"\n', "'many' is not a Python version"),
        ("[project]\ndependencies = 3\n", "project.dependencies must be a list of strings"),
    ],
)
def test_mistakes_in_a_uv_project(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(RequestError) as raised:
        read(tmp_path, "uv_env", "pyproject.toml", text)
    assert problem in raised.value.message


@pytest.mark.parametrize(
    ("kind", "name", "text", "beside"),
    [
        ("poetry", "pyproject.toml", '[tool.poetry.dependencies]\nsix = "*"\n', "poetry.lock"),
        ("uv_env", "pyproject.toml", '[project]\nname = "x"\nversion = "1"\n', "uv.lock"),
        ("uv_env", "pyproject.toml", '[project]\nname = "x"\nversion = "1"\n', "../pyproject.toml"),
        ("uv_env", "uv.lock", "version = 1\n", "pyproject.toml"),
        ("script", "train.py", "# /// script\n# ///\n", "train.py.lock"),
    ],
)
def test_a_file_beside_it_that_is_a_link_out_of_a_fetched_project(
    tmp_path: Path, kind: EnvironmentKind, name: str, text: str, beside: str
) -> None:
    project = write_files(tmp_path / "checkout/project", {name: text})
    (project / beside).symlink_to(write_files(tmp_path, {"outside": "[metadata]\n"}) / "outside")
    reference = EnvironmentReference(kind, project / name)
    assert read_spec(reference, project, {}).source
    with pytest.raises(RequestError, match=r"is a link that leaves the project"):
        read_spec(reference, project, {}, tmp_path / "checkout")
    (project / beside).unlink()
    write_files(tmp_path / "checkout", {"own": "[metadata]\n"})
    (project / beside).symlink_to(tmp_path / "checkout/own")
    assert read_spec(reference, project, {}, tmp_path / "checkout").source


@pytest.mark.parametrize(
    ("kind", "file", "text"),
    [
        ("requirements", "requirements.txt", "-r {out}\n"),
        ("requirements", "requirements.txt", "-c {out}\n"),
        ("requirements", "requirements.txt", "-r file://{out}\n"),
        ("requirements", "requirements.txt", "-r link\n"),
        ("python_env", "python_env.yaml", "dependencies: ['-r {out}']\n"),
        ("conda_env", "conda.yaml", "dependencies: [python, {{pip: ['-r ../../secret']}}]\n"),
    ],
)
@pytest.mark.parametrize(
    "secret", ["hunter2:x:0:0::/root:/bin/sh\n", "-r hunter2\n", "-e hunter2/\n", "a @ hunter2/x\n"]
)
def test_no_line_of_a_file_outside_the_project_is_shown(
    tmp_path: Path, kind: EnvironmentKind, file: str, text: str, secret: str
) -> None:
    project = tmp_path / "top" / "project"
    project.mkdir(parents=True)
    (tmp_path / "secret").write_text(secret)
    (project / "link").symlink_to(tmp_path / "secret")
    (project / file).write_text(text.format(out=tmp_path / "secret"))
    reference = EnvironmentReference(kind, project / file)
    with pytest.raises(RequestError, match=":1: not a line of a requirements file") as caught:
        read_spec(reference, project, {})
    assert "hunter2" not in f"{caught.value.message}{caught.value.hint}{caught.value.detail}"
    with pytest.raises(RequestError, match="leaves the fetched project") as caught:
        read_spec(reference, project, {}, tmp_path / "top")
    assert "hunter2" not in f"{caught.value.message}{caught.value.hint}{caught.value.detail}"


def test_a_fetched_project_may_include_files_of_its_checkout(tmp_path: Path) -> None:
    project = tmp_path / "top" / "project"
    project.mkdir(parents=True)
    (tmp_path / "top" / "base.txt").write_text("six\n")
    (project / "requirements.txt").write_text("-r ../base.txt\n")
    reference = EnvironmentReference("requirements", project / "requirements.txt")
    assert read_spec(reference, project, {}, tmp_path / "top").requirements.lines == ("six",)


@pytest.mark.parametrize(
    ("kind", "file", "text"),
    [
        ("requirements", "r.txt", "-e {out}"),
        ("requirements", "r.txt", "-e ../../out"),
        ("requirements", "r.txt", "-e ./link"),
        ("requirements", "r.txt", "pkg @ file://{out}"),
        ("python_env", "python_env.yaml", "build_dependencies: ['{out}']"),
        ("poetry", "pyproject.toml", "[tool.poetry.dependencies]\npkg = {{path = '{out}'}}"),
        ("script", "s.py", "# /// script\n# [tool.uv.sources]\n# pkg = {{path = '{out}'}}\n# ///"),
        ("uv_env", "pyproject.toml", "[project]\nname = 'x'\n[tool.uv.sources]\npkg = {{path = '{out}'}}"),
    ],
)
def test_a_fetched_project_installs_nothing_from_outside(
    tmp_path: Path, kind: EnvironmentKind, file: str, text: str
) -> None:
    outside, top = tmp_path / "out", tmp_path / "top"
    project = top / "project"
    for folder in (outside, project):
        folder.mkdir(parents=True)
    (project / "link").symlink_to(outside)
    (project / file).write_text(text.format(out=outside))
    reference = EnvironmentReference(kind, project / file)
    assert read_spec(reference, project, {}).source
    with pytest.raises(RequestError, match="leaves the fetched project"):
        read_spec(reference, project, {}, top)


@pytest.mark.parametrize(("kind", "name"), [("python_env", "python_env.yaml"), ("conda_env", "conda.yaml")])
def test_a_misspelt_key_builds_no_empty_environment(tmp_path: Path, kind: EnvironmentKind, name: str) -> None:
    with pytest.raises(RequestError, match=rf"{name}:1:1: .*'dependencis'; did you mean 'dependencies'\?"):
        read(tmp_path, kind, name, "dependencis: [numpy]\n")
    spec = read(tmp_path, kind, name, "dependencies: []\nvariable: x\n")
    assert len(spec.warnings) == 1
    assert f"{name}:2:1: {name} has an unknown key 'variable'" in spec.warnings[0]
