"""The guard itself: tests have a home of their own and no setting of the person's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from projrun.directories import Directories
from tests.support.commands import missing, require_tool, run_command
from tests.support.guard import changed, guarded_environment, watch


def test_home_is_a_temporary_folder(tmp_path: Path) -> None:
    home = Path(os.environ["HOME"])
    assert "projrun-tests-" in str(home)
    assert [entry.name for entry in home.iterdir()] == [".gitconfig"]
    assert Directories.locate(os.environ).data.is_relative_to(home)


def test_a_persons_settings_are_cleared_and_package_indexes_are_kept(tmp_path: Path) -> None:
    person = {
        "HOME": str(tmp_path / "person"),
        "MLFLOW_TRACKING_URI": "https://tracking.example",
        "PROJRUN_HOME": "/srv/projrun",
        "XDG_DATA_HOME": "/srv/data",
        "GIT_DIR": "/srv/git",
        "PIP_INDEX_URL": "https://packages.example/simple",
        "PATH": "/usr/bin",
        "AWS_PROFILE": "person",
        "AWS_EC2_METADATA_DISABLED": "false",
        "AZURE_STORAGE_CONNECTION_STRING": "AccountKey=k",
        "GOOGLE_APPLICATION_CREDENTIALS": "/srv/key.json",
    }
    guarded = guarded_environment(person, tmp_path)
    assert guarded["HOME"] == str(tmp_path)
    assert guarded["PIP_INDEX_URL"] == person["PIP_INDEX_URL"]
    assert guarded["AWS_EC2_METADATA_DISABLED"] == "true"
    cleared = person.keys() - {"HOME", "PIP_INDEX_URL", "PATH", "AWS_EC2_METADATA_DISABLED"}
    assert not cleared & guarded.keys()


def test_a_write_to_a_watched_folder_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "projrun"
    before = watch((folder,))
    assert changed(before, watch((folder,))) == ""
    folder.mkdir()
    assert changed(before, watch((folder,))) == str(folder)
    before = watch((folder,))
    (folder / "projrun.db").touch()
    assert changed(before, watch((folder,))) == str(folder)


def test_a_missing_tool_skips_for_a_person_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-tool is not installed"):
        require_tool("no-such-tool")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="CI must have it"):
        missing("no-such-tool is not installed")


def test_git_commits_with_the_tests_identity(tmp_path: Path) -> None:
    git = require_tool("git")
    run_command([git, "init", "--quiet", "."], cwd=tmp_path).check()
    run_command([git, "commit", "--quiet", "--allow-empty", "-m", "first"], cwd=tmp_path).check()
    shown = run_command([git, "log", "-1", "--format=%an <%ae>"], cwd=tmp_path).check()
    assert shown.stdout.strip() == "Test Person <test@example.invalid>"
