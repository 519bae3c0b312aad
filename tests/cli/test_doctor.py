"""`projrun doctor`: what is there, what is broken and what to do, without a secret."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from projrun.cache.lease import MARK
from projrun.cli.execution import execute
from projrun.directories import Directories
from projrun.server.endpoint import Endpoint
from projrun.tracking.sql.store import SqlStore


class Doctor:
    """`projrun doctor --json`, in this process."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self._capsys = capsys

    def __call__(self, *words: str, code: int = 0) -> dict[str, Any]:
        self._capsys.readouterr()
        done = execute(["doctor", "--json", *words])
        text = self._capsys.readouterr().out
        assert done == code, text
        document: dict[str, Any] = json.loads(text)
        assert list(document) == ["format", "projrun", "broken", "findings", "settings"]
        assert (document["format"], document["broken"]) == (1, code == 1)
        return document

    def broken(self, *words: str) -> list[tuple[str, str, str]]:
        """Name, text and remedy of what is broken."""
        found = self(*words, code=1)["findings"]
        return [(each["name"], each["text"], each["remedy"]) for each in found if each["state"] == "broken"]


@pytest.fixture
def doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Doctor:
    """With few programs, on whatever machine."""
    (tmp_path / "bin").mkdir()
    for name in ("bash", "git"):
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))
    return Doctor(tmp_path / "home", capsys)


def finding(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = (each for each in document["findings"] if each["name"] == name)
    return found


def test_a_healthy_machine(doctor: Doctor, capsys: pytest.CaptureFixture[str]) -> None:
    document = doctor()
    assert list(document["findings"][0]) == ["area", "name", "state", "text", "remedy"]
    assert "git version" in finding(document, "git")["text"]
    assert finding(document, "virtualenv")["state"] == "ok"
    assert "made by the first run" in finding(document, "tracking")["text"]
    assert not doctor.home.exists(), "looking changes nothing"
    assert execute(["doctor"]) == 0
    out, err = capsys.readouterr()
    assert "\nfolders\n" in out
    assert err.startswith("0 broken, ")


def test_settings_say_where_they_come_from_and_no_secret(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    doctor.home.mkdir()
    (doctor.home / "config.toml").write_text('env-manager = "local"\n')
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:hush-hush@127.0.0.1:9/x?token=hush-hush")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "hush-hush")
    document = doctor(code=1)
    settings = {each["name"]: (each["value"], each["origin"]) for each in document["settings"]}
    assert settings["env-manager"] == ("local", str(doctor.home / "config.toml"))
    assert settings["tracking-uri"][1] == "$MLFLOW_TRACKING_URI"
    assert settings["MLFLOW_TRACKING_PASSWORD"] == ("***", "the environment")
    assert "hush" not in json.dumps(document)


def test_a_wrong_file_of_settings(doctor: Doctor) -> None:
    doctor.home.mkdir()
    (doctor.home / "config.toml").write_text('env-manger = "local"\n')
    ((name, text, remedy),) = doctor.broken()
    assert (name, "unknown key 'env-manger'; did you mean 'env-manager'?" in text) == ("file", True)
    assert "env-manager" in remedy


def test_the_store_of_a_server(doctor: Doctor, tmp_path: Path) -> None:
    with Endpoint.open(lambda: SqlStore.open(tmp_path / "store.db")) as endpoint:
        found = finding(doctor("--tracking-uri", endpoint.uri), "tracking")
        assert ", MLflow 3." in found["text"]
        assert endpoint.uri.rpartition("/")[2] not in found["text"], "the way in is a secret"
    ((name, text, remedy),) = doctor.broken("--tracking-uri", endpoint.uri)
    assert (name, "cannot be reached: connection refused" in text) == ("tracking", True)
    assert remedy


def test_a_store_that_cannot_be_opened(doctor: Doctor, tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    file.write_text("not a database, but long enough to be taken for a text file of some kind\n" * 20)
    ((name, text, remedy),) = doctor.broken("--tracking-uri", f"sqlite:///{file}")
    assert (name, str(file) in text, bool(remedy)) == ("tracking", True, True)


def test_folders_that_cannot_be_used(doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PROJRUN_CACHE_DIR", str(tmp_path / "file" / "cache"))
    names = {name: remedy for name, _, remedy in doctor.broken()}
    assert names["cache"] == "set PROJRUN_CACHE_DIR to a folder that you may write to"


def test_tools_that_do_not_run(doctor: Doctor, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    (folder / "git").unlink()
    (folder / "git").write_text("#!/bin/sh\necho 'pyenv: git: command not found' >&2\nexit 127\n")
    (folder / "git").chmod(0o755)
    ((name, text, remedy),) = doctor.broken()
    assert name == "git"
    assert text.endswith("--version ended with 127: pyenv: git: command not found")
    assert "remove it from PATH" in remedy
    missing = finding(doctor(code=1), "git-lfs")
    assert (missing["state"], missing["text"]) == (
        "warning", "not installed; needed by repositories with files in Git LFS",
    )  # fmt: skip


def test_what_dead_processes_left(doctor: Doctor) -> None:
    places = Directories.locate(os.environ)
    lease = places.active / "0123"
    lease.mkdir(parents=True)
    mark = {"run_id": "3f2a", "store": f"sqlite:///{places.database}", "origin_id": "3f2a"}
    (lease / MARK).write_text(json.dumps(mark))
    (places.environments / ("0" * 32) / "0001-abcdef").mkdir(parents=True)
    with closing(SqlStore.open(places.database)):
        document = doctor()
    left = [each for each in document["findings"] if each["area"] == "leftovers"]
    assert [each["state"] for each in left] == ["warning", "warning"]
    assert left[0]["text"] == "1 run whose process is gone, with something to deliver"
    assert left[1]["text"] == "1 entry of killed builds and fetches"
    assert left[1]["remedy"] == "`projrun gc` removes them"
