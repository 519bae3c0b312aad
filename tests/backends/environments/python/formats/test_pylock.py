"""`pylock.toml` as requirement lines for pip; tests/integration/test_pylock.py installs from real ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.project.environment_files import default_environment
from projrun.project.model import EnvironmentReference
from projrun_backends.environments.python.spec import EnvironmentSpec
from projrun_backends.environments.python.specs import read_spec
from tests.backends.environments.python.packages import write_files

HEAD = 'lock-version = "1.0"\ncreated-by = "x"\nrequires-python = ">=3.9"\n'
HASH = "ab" * 32
SIX = f"""
[[packages]]
name = "six"
version = "1.16.0"
sdist = {{url = "https://h/six.tar.gz", hashes = {{sha256 = "{HASH}"}}}}
wheels = [{{url = "https://h/six.whl", hashes = {{sha256 = "{HASH}"}}}}]
"""
SIX_LINE = f"six==1.16.0 --hash=sha256:{HASH} --hash=sha256:{HASH}"


def read(folder: Path, text: str, name: str = "pylock.toml", kind: str = "pylock") -> EnvironmentSpec:
    write_files(folder, {name: text})
    return read_spec(EnvironmentReference(kind, folder / name), folder, {})


def package(text: str) -> str:
    return f'\n[[packages]]\nname = "x"\n{text}\n'


def test_packages_with_their_hashes(tmp_path: Path) -> None:
    spec = read(tmp_path, HEAD + SIX)
    assert spec.requirements.lines == (SIX_LINE,)
    assert (spec.pinned, spec.dependency_file, spec.needs_uv) == (True, tmp_path / "pylock.toml", "")
    assert spec.python is not None
    assert (spec.python.text, spec.python_required) == (">=3.9", True)
    assert spec.summary == "1 package locked by pylock.toml"
    assert spec.texts == (HEAD + SIX,)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('version = "1.0"\nmarker = "os_name == \'posix\'"', "x==1.0 ; os_name == 'posix'"),
        (
            'vcs = {type = "git", url = "https://h/o/r.git", commit-id = "abc", subdirectory = "s"}',
            "x @ git+https://h/o/r.git@abc#subdirectory=s",
        ),
        ('directory = {path = "lib"}', "x @ {uri}/lib"),
        ('directory = {path = "lib", editable = true}', "-e {folder}/lib"),
        (
            'directory = {path = "lib", editable = true}\nmarker = "os_name == \'posix\'"',
            "x @ {uri}/lib ; os_name == 'posix'",
        ),
        ('archive = {url = "https://h/x.zip"}', "x @ https://h/x.zip"),
        ('archive = {path = "x.zip"}', "x @ {uri}/x.zip"),
    ],
)
def test_packages_without_hashes_turn_off_the_check_of_pip_with_a_warning(
    tmp_path: Path, text: str, line: str
) -> None:
    write_files(tmp_path, {"lib/setup.py": "", "x.zip": ""})
    spec = read(tmp_path, HEAD + SIX + package(text))
    expected = line.format(uri=tmp_path.as_uri(), folder=tmp_path)
    assert spec.requirements.lines == ("six==1.16.0", expected)
    assert spec.pip_warnings == ("pylock.toml has packages without hashes: pip checks none",)


def test_other_indexes_and_local_wheels(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    wheel = f'wheels = [{{path = "wheels/x-1.0-py3-none-any.whl", hashes = {{sha256 = "{HASH}"}}}}]'
    text = package(f'version = "1.0"\nindex = "https://own/simple/"\n{wheel}')
    public = SIX.replace("version", 'index = "https://pypi.org/simple"\nversion')
    assert read(tmp_path, HEAD + public + text).requirements.lines == (
        "--extra-index-url https://own/simple",
        f"--find-links {tmp_path}/wheels",
        SIX_LINE,
        f"x==1.0 --hash=sha256:{HASH}",
    )


@pytest.mark.parametrize("marker", ["'dev' in dependency_groups", "'gpu' in extras"])
def test_markers_that_pip_does_not_know(tmp_path: Path, marker: str) -> None:
    assert "name extras" in read(tmp_path, HEAD + package(f'version = "1"\nmarker = "{marker}"')).needs_uv


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("lock-version = \n", "pylock.toml: not TOML"),
        ('lock-version = "2.0"\npackages = []\n', "lock-version '2.0' is not 1.0"),
        ("packages = []\n", "lock-version None is not 1.0"),
        (HEAD, "packages must be a list of tables"),
        (HEAD + "packages = [3]\n", "packages must be a list of tables"),
        (HEAD.replace(">=3.9", "many") + SIX, "requires-python: 'many' is not a Python version"),
        (HEAD + '[[packages]]\nname = "--index-url"\nversion = "1"\n', "is not the name of a package"),
        (HEAD + package('version = "1 --pre"'), "x: '1 --pre' is not one word"),
        (HEAD + package("version = 1"), "x: expected text, not int"),
        (HEAD + package('version = "1;"'), "x: '1;' is not a version"),
        (HEAD + package('version = "1"\nmarker = "a\\nb"'), "cannot be printed"),
        (HEAD + package('directory = {path = "gone"}'), "no file or folder"),
        (HEAD + package('archive = {url = "https://h/x.whl\\u00a0--pre"}'), "x: "),
        (HEAD + f"packages = {'[' * 50_000}\n", "not TOML"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(RequestError) as raised:
        read(tmp_path, text)
    assert problem in raised.value.message


@pytest.mark.parametrize("name", ["pylock.toml", "pylock.train.toml"])
def test_it_may_be_named_by_uv_env(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, HEAD + SIX, name, "uv_env").requirements.lines == (SIX_LINE,)


PROJECT = '[project]\nname = "x"\nversion = "1"\n'


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"pylock.toml": ""}, "pylock"),
        ({"pylock.toml": "", "requirements.txt": ""}, "pylock"),
        ({"pylock.toml": "", "pyproject.toml": PROJECT}, "pylock"),
        ({"pylock.toml": "", "pyproject.toml": PROJECT, "uv.lock": ""}, "uv_env"),
        ({"pylock.toml": "", "python_env.yaml": ""}, "python_env"),
        ({"pylock.toml": "", "conda.yaml": ""}, "conda_env"),
        ({"pyproject.toml": PROJECT, "requirements.txt": ""}, "uv_env"),
    ],
)
def test_it_is_a_default_file(tmp_path: Path, files: dict[str, str], kind: str) -> None:
    assert default_environment(write_files(tmp_path, files)).kind == kind
