"""Folders of this user that others may write are repaired; those of another user are refused, as by ssh."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from projrun.cache.ownership import make_private, secured
from projrun.directories import Directories
from projrun.errors import RequestError
from tests.support.commands import projrun_argv, run_command
from tests.support.plain_user import python_as_plain_user
from tests.support.projects import write_project
from tests.support.questions import ask_projrun

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
STRANGER = 54321


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def places(tmp_path: Path) -> Directories:
    """A home with everything in it, private."""
    found = Directories.locate({"PROJRUN_HOME": str(tmp_path / "home")})
    make_private(found.active)
    for file in (found.config, found.database):
        file.touch(0o600)
    return found


PLACES: dict[str, Callable[[Directories], Path]] = {
    "home": lambda places: places.data,
    "active": lambda places: places.active,
    "store": lambda places: places.database,
    "config": lambda places: places.config,
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("others", [0o020, 0o002, 0o022])
def test_what_others_may_write_is_repaired_once(place: str, others: int, places: Directories) -> None:
    path = PLACES[place](places)
    before = mode(path)
    path.chmod(before | others)
    (warning,) = secured(places)
    assert warning.startswith(f"{path} could be written to by others (mode ")
    assert mode(path) == before
    assert secured(places) == ()


@as_root
@pytest.mark.parametrize("place", PLACES)
def test_what_belongs_to_another_user_is_refused(place: str, places: Directories) -> None:
    path = PLACES[place](places)
    os.chown(path, STRANGER, -1)
    with pytest.raises(RequestError) as caught:
        secured(places)
    assert caught.value.message == f"refused: {path} belongs to uid {STRANGER}, and you are uid 0"
    assert "PROJRUN_HOME" in caught.value.hint


@pytest.mark.processes
@as_root
def test_what_belongs_to_the_administrator_is_trusted(places: Directories, tmp_path: Path) -> None:
    for folder in (*places.data.parents, places.data):
        folder.chmod(mode(folder) | 0o011)
    imports = "from projrun.cache.ownership import secured\nfrom projrun.directories import Directories"
    code = f"print(secured(Directories.locate({{'PROJRUN_HOME': {str(places.data)!r}}})))"
    assert python_as_plain_user(imports, code, folder=tmp_path) == "()\n"


def test_a_sticky_folder_is_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    places = Directories.locate({"PROJRUN_HOME": str(tmp_path)})
    assert secured(places) == ()
    assert mode(tmp_path) == 0o1777


def test_the_folder_of_a_named_configuration_is_not_ours(tmp_path: Path) -> None:
    shared = tmp_path / "team"
    shared.mkdir()
    shared.chmod(0o775)
    environ = {"PROJRUN_HOME": str(tmp_path / "home"), "PROJRUN_CONFIG": str(shared / "team.toml")}
    assert secured(Directories.locate(environ)) == ()
    assert mode(shared) == 0o775


def test_nothing_is_made(tmp_path: Path) -> None:
    places = Directories.locate({"PROJRUN_HOME": str(tmp_path / "home")})
    assert secured(places) == ()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [("runs", "list"), ("cache", "list"), ("cache", "show", "a")])
def test_every_command_says_it(words: tuple[str, ...], tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    home.chmod(0o777)
    asked = ask_projrun(*words, environ={"PROJRUN_HOME": str(home)})
    assert asked.stderr.count("could be written to by others") == 1
    assert mode(home) == 0o755
    if os.geteuid() == 0:
        os.chown(home, STRANGER, -1)
        refused = ask_projrun(*words, environ={"PROJRUN_HOME": str(home)})
        assert refused.returncode == 2
        assert refused.stderr.count("\n") == 1


@pytest.mark.integration
@pytest.mark.parametrize("mask", ["000", "002"])
def test_a_run_leaves_nothing_open(mask: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    project = write_project(tmp_path / "project", "entry_points: {main: {command: 'umask > written'}}\n")
    home = tmp_path / "above" / "home"
    words = f"umask {mask}; exec {' '.join([*projrun_argv(), 'run', str(project)])}"
    environ = {"PROJRUN_HOME": str(home), "PROJRUN_ENV_MANAGER": "local"}
    run_command(["/bin/sh", "-c", words], environ=environ).check()
    for folder in (home.parent, home):
        assert mode(folder) == 0o700
    for path in (*home.iterdir(), *(home / "cache").iterdir()):
        assert mode(path) == (0o700 if path.is_dir() else 0o600), path
    assert (project / "written").read_text().strip()[-3:] == mask, "the command's own umask is the caller's"
