"""Where projrun keeps things."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import platformdirs
import pytest

from projrun.directories import Directories
from projrun.errors import RequestError


def test_projrun_home_holds_all(tmp_path: Path) -> None:
    places = Directories.locate({"PROJRUN_HOME": str(tmp_path)})
    assert places == Directories(tmp_path, tmp_path / "cache", tmp_path / "config.toml")
    assert places.database == tmp_path / "projrun.db"


def test_the_cache_and_the_config_file_can_lie_elsewhere(tmp_path: Path) -> None:
    environ = {
        "PROJRUN_HOME": str(tmp_path / "home"),
        "PROJRUN_CACHE_DIR": str(tmp_path / "cache"),
        "PROJRUN_CONFIG": str(tmp_path / "my.toml"),
    }
    places = Directories.locate(environ)
    assert places == Directories(tmp_path / "home", tmp_path / "cache", tmp_path / "my.toml")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the XDG rules are ours on Linux only")
def test_the_platforms_folders_are_those_that_platformdirs_gives() -> None:
    places = Directories.locate(os.environ)
    assert places.data == platformdirs.user_data_path("projrun")
    assert places.cache == platformdirs.user_cache_path("projrun")
    assert places.config == platformdirs.user_config_path("projrun") / "config.toml"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the XDG rules are ours on Linux only")
def test_a_relative_xdg_folder_is_ignored_as_the_specification_says(tmp_path: Path) -> None:
    places = Directories.locate({"HOME": str(tmp_path), "XDG_DATA_HOME": "relative"})
    assert places.data == tmp_path / ".local/share/projrun"


@pytest.mark.parametrize("variable", ["PROJRUN_HOME", "PROJRUN_CACHE_DIR", "PROJRUN_CONFIG"])
def test_the_home_folder_of_nobody_known_is_refused(tmp_path: Path, variable: str) -> None:
    environ = {"PROJRUN_HOME": str(tmp_path), variable: "~no-such-user/x"}
    with pytest.raises(RequestError, match=f"{variable}: ~no-such-user/x"):
        Directories.locate(environ)
