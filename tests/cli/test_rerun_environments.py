"""A rerun builds what was installed, not what the project's file would give today."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.backends.environments.python.packages import make_wheel
from tests.support.commands import run_projrun
from tests.support.workshop import Workshop

pytestmark = pytest.mark.integration  # builds real environments


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    return Workshop(tmp_path, monkeypatch)


def rerun(workshop: Workshop, *arguments: str) -> tuple[str, dict[str, Any], str]:
    """What the project printed, the JSON object, and what projrun said."""
    done = run_projrun("rerun", *arguments, "--json", cwd=workshop.folder).check()
    log = workshop.artifact("logs/output.log").strip()
    return log, json.loads(done.stdout), done.stderr


@pytest.mark.parametrize("manager", ["uv", "virtualenv"])
def test_the_recorded_versions_are_installed(workshop: Workshop, manager: str) -> None:
    project = workshop.project("sprocket")
    workshop.run(project, f"--env-manager={manager}").check()
    run_id = workshop.last_run()["run_id"]
    make_wheel(workshop.wheels, "sprocket", "3.0")
    log, document, said = rerun(workshop, run_id)
    assert log == "2.0"
    assert document["differences"] == []
    assert "warning" not in said
    log, document, _ = rerun(workshop, run_id, "--unlocked", "--rebuild-env")
    assert log == "3.0"
    assert [one["what"] for one in document["differences"]] == ["environment lock"]
    difference = run_projrun("runs", "diff", run_id, workshop.last_run()["run_id"]).check().stdout
    assert ["package", "sprocket", "2.0", "3.0"] in [line.split() for line in difference.splitlines()]


def test_another_manager_takes_the_lock_where_it_can(workshop: Workshop) -> None:
    workshop.run(workshop.project("sprocket"), "--env-manager=uv").check()
    run_id = workshop.last_run()["run_id"]
    make_wheel(workshop.wheels, "sprocket", "3.0")
    log, document, _ = rerun(workshop, run_id, "--env-manager=virtualenv")
    assert log == "2.0"
    told = {one["what"]: (one["recorded"], one["now"]) for one in document["differences"]}
    assert told["environment manager"] == ("uv", "virtualenv")
    log, document, _ = rerun(workshop, run_id, "--env-manager=uv", "--locked", str(_lock(workshop, "1.0")))
    assert log == "1.0"
    notes = {one["what"]: one["note"] for one in document["differences"]}
    assert notes["environment lock"] == "that of --locked"
    assert "sprocket 2.0 -> 1.0" in notes["installed packages"]


def _lock(workshop: Workshop, version: str) -> Path:
    file = workshop.folder / "mine.lock"
    file.write_text(f"sprocket=={version}\n")
    return file


def test_a_dry_run_names_the_recorded_lock(workshop: Workshop) -> None:
    workshop.run(workshop.project("sprocket"), "--env-manager=uv").check()
    run = workshop.last_run()
    for words in ((), ("--json",)):
        shown = run_projrun("rerun", run["run_id"], "--dry-run", *words, cwd=workshop.folder).check().stdout
        assert f"environment/requirements.lock.txt of run {run['run_name']} ({run['run_id']})" in shown
        assert "projrun-rerun-" not in shown, "a folder that is gone"


@pytest.mark.parametrize("manager", ["uv", "virtualenv"])
def test_an_environment_that_has_what_the_lock_wants_is_not_built_again(
    workshop: Workshop, manager: str
) -> None:
    workshop.run(workshop.project("sprocket"), f"--env-manager={manager}").check()
    run_id = workshop.last_run()["run_id"]
    shown = run_projrun("rerun", run_id, "--dry-run", "--json", cwd=workshop.folder).check().stdout
    planned = json.loads(shown)["environment"]
    assert planned["exists"] is True
    _, _, said = rerun(workshop, run_id)
    assert "building the environment" not in said
    log, _, _ = rerun(workshop, run_id, "--rebuild-env")
    assert log == "2.0"


def test_a_lock_that_the_environment_of_now_cannot_take_is_told(workshop: Workshop) -> None:
    workshop.run(workshop.project("sprocket"), "--env-manager=uv").check()
    run_id = workshop.last_run()["run_id"]
    done = run_projrun(
        "rerun", run_id, "--dry-run", "--json", "--env-manager=local", cwd=workshop.folder
    ).check()
    notes = {one["what"]: one["note"] for one in json.loads(done.stdout)["differences"]}
    assert notes["environment"] == "local: it may differ from the recorded one"
