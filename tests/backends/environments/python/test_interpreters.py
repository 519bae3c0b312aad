"""Finding interpreters where version managers put them, asking as few of them as possible."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from projrun.errors import EnvironmentBuildError
from projrun_backends.environments.python.interpreters import (
    Interpreter,
    MissingInterpreterError,
    find_interpreter,
    running_interpreter,
)
from projrun_backends.environments.python.versions import PythonRequest


def request(text: str) -> PythonRequest:
    parsed = PythonRequest.parse(text)
    assert parsed is not None
    return parsed


def put(
    folder: Path, version: str, *, name: str = "python3", answer: str = "", log: Path | None = None
) -> Path:
    """A program that answers like an interpreter of that version, and notes that it was asked."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    note = f"echo asked >> '{log}'\n" if log else ""
    program.write_text(f"#!/bin/sh\n{note}echo '{answer or version + ' cpython'}'\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path / "home"), "PATH": str(tmp_path / "bin")}


def test_the_running_interpreter_is_the_one_outside_of_virtual_environments() -> None:
    running = running_interpreter()
    assert running.version.release == sys.version_info[:3]
    assert running.path.exists()
    assert not (running.path.parent.parent / "pyvenv.cfg").exists()


def test_the_running_interpreter_goes_first_and_nothing_is_searched(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    put(tmp_path / "bin", f"3.{sys.version_info.minor}.99", log=tmp_path / "log")
    for asked in (None, request("3"), request(f"3.{sys.version_info.minor}"), request(">=3.10")):
        assert find_interpreter(asked, environ) == running_interpreter()
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize(
    ("variable", "store"),
    [
        ("", "home/.pyenv/versions/4.1.2"),
        ("PYENV_ROOT", "root/versions/4.1.2"),
        ("", "home/.local/share/uv/python/cpython-4.1.2-linux-x86_64-gnu"),
        ("XDG_DATA_HOME", "root/uv/python/cpython-4.1.2-macos-aarch64-none"),
        ("UV_PYTHON_INSTALL_DIR", "root/cpython-4.1.2-linux-x86_64-gnu"),
        ("", "home/.asdf/installs/python/4.1.2"),
        ("", "home/.local/share/mise/installs/python/4.1.2"),
    ],
)
def test_version_managers_say_versions_by_their_folders(
    tmp_path: Path, environ: dict[str, str], variable: str, store: str
) -> None:
    log = tmp_path / "log"
    program = put(tmp_path / store / "bin", "", log=log)
    if variable:
        environ[variable] = str(tmp_path / "root")
    found = find_interpreter(request("4.1"), environ)
    assert (found.path, str(found.version), found.implementation) == (program, "4.1.2", "cpython")
    assert not log.exists(), "it need not be asked"


def test_the_newest_of_a_prefix(tmp_path: Path, environ: dict[str, str]) -> None:
    versions = tmp_path / "home/.pyenv/versions"
    for version in ("4.1.2", "4.1.10", "4.1.11rc1", "4.10.0", "4.2.0"):
        put(versions / version / "bin", version)
    assert str(find_interpreter(request("4.1"), environ).version) == "4.1.10"
    assert str(find_interpreter(request(">=4.1,<4.3"), environ).version) == "4.2.0"
    assert str(find_interpreter(request("4.1.2"), environ).version) == "4.1.2"


def test_a_prerelease_only_where_there_is_nothing_else(tmp_path: Path, environ: dict[str, str]) -> None:
    put(tmp_path / "home/.pyenv/versions/4.3.0rc1/bin", "4.3.0rc1")
    assert str(find_interpreter(request("4.3"), environ).version) == "4.3.0rc1"


def test_cpython_before_others(tmp_path: Path, environ: dict[str, str]) -> None:
    versions = tmp_path / "home/.pyenv/versions"
    put(versions / "4.1.5t/bin", "4.1.5")
    put(versions / "4.1.2/bin", "4.1.2")
    put(tmp_path / "bin", "4.1.9", answer="4.1.9 pypy")
    assert find_interpreter(request("4.1"), environ).implementation == "cpython"
    free = find_interpreter(request("4.1.5"), environ)
    assert free.implementation == "cpython+freethreaded"


def test_programs_on_path_are_asked_once_and_remembered(tmp_path: Path, environ: dict[str, str]) -> None:
    log, memory = tmp_path / "log", tmp_path / "cache/interpreters.json"
    program = put(tmp_path / "bin", "4.1.7", log=log)
    for _ in range(3):
        found = find_interpreter(request("4.1"), environ, memory=memory)
        assert (found.path, str(found.version)) == (program, "4.1.7")
    assert log.read_text().count("asked") == 1
    put(tmp_path / "bin", "4.1.17", log=log)
    assert str(find_interpreter(request("4.1"), environ, memory=memory).version) == "4.1.17"


@pytest.mark.parametrize("content", ["", "nonsense", "[]", '{"x": 3}', '{"x": ["a"]}'])
def test_a_damaged_memory_is_no_error(tmp_path: Path, environ: dict[str, str], content: str) -> None:
    memory = tmp_path / "interpreters.json"
    memory.write_text(content)
    put(tmp_path / "bin", "4.1.7")
    assert str(find_interpreter(request("4.1"), environ, memory=memory).version) == "4.1.7"


def test_names_that_rule_a_version_out_are_not_asked(tmp_path: Path, environ: dict[str, str]) -> None:
    log = tmp_path / "log"
    put(tmp_path / "bin", "3.7.1", name="python3.7", log=log)
    put(tmp_path / "bin", "3.6.9", name="python3.6", log=log)
    assert str(find_interpreter(request("3.7"), environ).version) == "3.7.1"
    assert log.read_text().count("asked") == 1


def test_shims_are_passed_over(tmp_path: Path, environ: dict[str, str]) -> None:
    log = tmp_path / "log"
    put(tmp_path / "home/.pyenv/shims", "4.1.1", log=log)
    environ["PATH"] = f"{tmp_path}/home/.pyenv/shims:relative:{tmp_path}/nowhere"
    with pytest.raises(MissingInterpreterError):
        find_interpreter(request("4.1"), environ)
    assert not log.exists()


def test_programs_that_do_not_answer_are_passed_over(tmp_path: Path, environ: dict[str, str]) -> None:
    put(tmp_path / "bin", "", name="python3", answer="no version")
    put(tmp_path / "bin", "", name="python", answer="4.1.x cpython")
    broken = tmp_path / "bin/python3.9"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    (tmp_path / "bin/python3.8").write_text("not executable")
    with pytest.raises(MissingInterpreterError):
        find_interpreter(request("4.1"), environ)


def test_a_missing_one_says_what_there_is_and_how_to_get_it(tmp_path: Path, environ: dict[str, str]) -> None:
    there = put(tmp_path / "home/.pyenv/versions/4.1.2/bin", "4.1.2")
    with pytest.raises(EnvironmentBuildError) as raised:
        find_interpreter(request("4.1.3"), environ, origin="python_env.yaml:1:9")
    error = raised.value
    assert error.exit_code == 4
    assert error.message == "python_env.yaml:1:9: Python 4.1.3 not found"
    assert f"4.1.2  {there}" in error.detail


@pytest.mark.parametrize(
    ("asked", "commands"),
    [
        ("4.1.3", "`uv python install 4.1.3` or `pyenv install 4.1.3`"),
        ("=4.1.3", "`uv python install 4.1.3` or `pyenv install 4.1.3`"),
        ("==4.1.*", "`uv python install 4.1` or `pyenv install 4.1`"),
        ("4.1|4.2", "`uv python install 4.1` or `pyenv install 4.1`"),
        (">=5", "`uv python install '>=5'`"),
        (">=4.1.2,<4.2", "`uv python install '>=4.1.2,<4.2'`"),
        ("3.6.2", "`pyenv install 3.6.2`"),  # uv has none before 3.8
        ("2.7", "`pyenv install 2.7`"),
    ],
)
def test_the_hint_names_commands_that_work(environ: dict[str, str], asked: str, commands: str) -> None:
    with pytest.raises(EnvironmentBuildError, match="not found") as raised:
        find_interpreter(request(asked), environ)
    assert raised.value.hint == f"install it with {commands}, or request an installed version"


def test_a_real_interpreter_answers_as_it_is(tmp_path: Path, environ: dict[str, str]) -> None:
    running = running_interpreter()
    environ["PATH"] = str(running.path.parent)
    with pytest.raises(MissingInterpreterError) as raised:
        find_interpreter(request("==3.99|4.0"), environ)
    assert str(running.version) in raised.value.detail
    other = next(
        (path for path in Path("/usr/bin").glob("python3.*") if path.resolve() != running.path.resolve()),
        None,
    )
    pyenv = Path(os.environ.get("PYENV_ROOT", "/nowhere")) / "versions"
    others = [path for path in pyenv.glob("3.*/bin/python3") if path.resolve() != running.path.resolve()]
    if other is None and not others:
        pytest.skip("there is only one interpreter on this machine")
    (tmp_path / "bin").mkdir()
    copy = tmp_path / "bin/python3"
    copy.write_text(f'#!/bin/sh\nexec "{others[0] if others else other}" "$@"\n')
    copy.chmod(0o755)
    environ["PATH"] = str(tmp_path / "bin")
    found = find_interpreter(request(f"3,!={running.version}"), environ)
    assert isinstance(found, Interpreter)
    assert found.version != running.version
