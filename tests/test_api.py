"""The Python API: runs in this process and in processes of their own, parents, errors."""

from __future__ import annotations

import inspect
import os
import sys
import time
import types
from pathlib import Path

import pytest

import projrun
from projrun.api import RunFailedError
from projrun.cache.lease import read_mark
from projrun.cache.locks import is_locked
from projrun.directories import Directories
from projrun.errors import RequestError, SourceError
from projrun.running.keywords import options_from
from projrun.running.plan import tracking_target
from projrun.settings import Settings
from projrun.tracking.entities import Run
from projrun.tracking.open import open_store
from tests.support.projects import python_project


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PROJRUN_ENV_MANAGER", "local")


def recorded(run_id: str) -> Run:
    directories = Directories.locate(os.environ)
    target = tracking_target(Settings({}, os.environ, directories.config), directories, Path.cwd())
    store = open_store(target.uri, os.environ, warn=print)
    try:
        return store.get_run(run_id)
    finally:
        store.close()


def test_the_signature_begins_with_mlflows() -> None:
    assert list(inspect.signature(projrun.run).parameters)[:16] == [
        "uri",
        "entry_point",
        "version",
        "parameters",
        "docker_args",
        "experiment_name",
        "experiment_id",
        "backend",
        "backend_config",
        "storage_dir",
        "synchronous",
        "run_id",
        "run_name",
        "env_manager",
        "build_image",
        "docker_auth",
    ]


def test_a_synchronous_run(tmp_path: Path) -> None:
    project = python_project(tmp_path / "project", "", "{alpha: float, flag: bool}")
    submitted = projrun.run(str(project), parameters={"alpha": 0.5, "flag": True}, run_name="from the API")
    assert (submitted.get_status(), submitted.wait()) == ("FINISHED", True)
    assert repr(submitted) == f"<FinishedRun {submitted.run_id} FINISHED>"  # a notebook shows it
    run = recorded(submitted.run_id)
    assert (run.run_name, run.status) == ("from the API", "FINISHED")
    assert {param.key: param.value for param in run.params} == {"alpha": "0.5", "flag": "True"}


def test_a_synchronous_run_that_fails_raises_with_its_exit_code(tmp_path: Path) -> None:
    project = python_project(tmp_path / "project", "raise SystemExit(3)")
    with pytest.raises(RunFailedError, match="exit code 3") as caught:
        projrun.run(str(project))
    assert caught.value.exit_code == 3
    assert caught.value.run_id is not None
    assert recorded(caught.value.run_id).status == "FAILED"


def test_a_mistake_raises_before_a_run_is_created(tmp_path: Path) -> None:
    project = python_project(tmp_path / "project", "", "{alpha: float}")
    with pytest.raises(RequestError, match="'alpha'"):
        projrun.run(str(project))
    assert not (tmp_path / "home" / "projrun.db").exists()


@pytest.mark.processes
def test_an_asynchronous_run_is_waited_for(tmp_path: Path) -> None:
    project = python_project(
        tmp_path / "project",
        "import os, time\nwhile not os.path.exists('go'): time.sleep(0.02)",
        "{key: {type: string, secret: true}}",
    )
    submitted = projrun.run(str(project), parameters={"key": "hidden"}, synchronous=False)
    assert submitted.get_status() == "RUNNING"
    assert repr(submitted) == f"<RunningRun {submitted.run_id}>"
    (project / "go").touch()
    assert submitted.wait() is True
    assert submitted.get_status() == "FINISHED"
    assert [param.value for param in recorded(submitted.run_id).params] == ["***"]
    assert list((tmp_path / "home" / "active").iterdir()) == []


@pytest.mark.processes
def test_an_asynchronous_run_that_fails(tmp_path: Path) -> None:
    project = python_project(tmp_path / "project", "raise SystemExit(3)")
    submitted = projrun.run(str(project), synchronous=False)
    assert submitted.wait() is False
    assert submitted.get_status() == "FAILED"


@pytest.mark.processes
@pytest.mark.parametrize("begun", [False, True])
def test_an_asynchronous_run_is_cancelled(tmp_path: Path, begun: bool) -> None:
    script = "import pathlib, time; pathlib.Path('begun').touch(); time.sleep(60)"
    project = python_project(tmp_path / "project", script)
    submitted = projrun.run(str(project), synchronous=False, grace_period=1)
    while begun and not (project / "begun").exists():
        time.sleep(0.02)
    submitted.cancel()
    assert submitted.get_status() == "KILLED"
    submitted.cancel()
    assert submitted.wait() is False


def test_a_parent_is_the_run_that_this_process_belongs_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROJRUN_PARENT_RUN_ID", "p" * 32)
    project = python_project(tmp_path / "project", "")
    assert recorded(projrun.run(str(project)).run_id).tag("mlflow.parentRunId") == "p" * 32


@pytest.mark.processes
def test_an_active_run_of_an_imported_mlflow_is_the_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Directories.locate(os.environ).database
    imported_mlflow(monkeypatch, f"sqlite:///{database}")
    monkeypatch.setenv("PROJRUN_PARENT_RUN_ID", "p" * 32)
    project = python_project(tmp_path / "project", "")
    for synchronous in (True, False):
        submitted = projrun.run(str(project), synchronous=synchronous)
        assert submitted.wait()
        assert recorded(submitted.run_id).tag("mlflow.parentRunId") == "a" * 32


@pytest.mark.processes
def test_an_active_run_of_another_store_is_no_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    imported_mlflow(monkeypatch, "sqlite:////elsewhere/mlflow.db")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "7")
    project = python_project(tmp_path / "project", "")
    for synchronous in (True, False):
        with pytest.warns(
            UserWarning, match=f"run {'a' * 32} is in sqlite:////elsewhere/mlflow.db, this run in"
        ):
            submitted = projrun.run(str(project), synchronous=synchronous)
        assert submitted.wait()
        run = recorded(submitted.run_id)
        assert (run.tag("mlflow.parentRunId"), run.experiment_id) == (None, "0")


def imported_mlflow(monkeypatch: pytest.MonkeyPatch, tracking_uri: str) -> None:
    """What is read of mlflow, with an active run and an experiment; the integration tests ask the real package."""
    info = types.SimpleNamespace(info=types.SimpleNamespace(run_id="a" * 32))
    module, fluent = types.ModuleType("mlflow"), types.ModuleType("mlflow.tracking.fluent")
    monkeypatch.setattr(module, "active_run", lambda: info, raising=False)
    monkeypatch.setattr(module, "is_tracking_uri_set", lambda: False, raising=False)
    monkeypatch.setattr(module, "get_tracking_uri", lambda: tracking_uri, raising=False)
    monkeypatch.setattr(fluent, "_active_experiment_id", "7", raising=False)
    monkeypatch.setitem(sys.modules, "mlflow", module)
    monkeypatch.setitem(sys.modules, "mlflow.tracking.fluent", fluent)


def test_the_callers_environment_and_folder_are_left_alone(tmp_path: Path) -> None:
    before, folder = dict(os.environ), Path.cwd()
    projrun.run(str(python_project(tmp_path / "project", "")))
    assert (dict(os.environ), Path.cwd()) == (before, folder)


def test_docker_arguments_are_for_docker_projects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = python_project(tmp_path / "project", "")
    assert projrun.run(str(project), docker_args={"gpus": "all"}).get_status() == "FINISHED"
    assert "have no effect" in capsys.readouterr().err


def test_a_runner_that_cannot_be_started_leaves_no_run_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = python_project(tmp_path / "project", "")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises(FileNotFoundError):
        projrun.run(str(project), synchronous=False)
    directories = Directories.locate(os.environ)
    target = tracking_target(Settings({}, os.environ, directories.config), directories, Path.cwd())
    store = open_store(target.uri, os.environ, warn=print)
    (run,) = store.search_runs(["0"]).runs
    store.close()
    assert run.status == "FAILED"
    assert "could not be started" in (run.tag("projrun.reason") or "")
    assert list(directories.active.iterdir()) == []


def test_an_asynchronous_run_is_leased_from_before_it_is_there_until_its_end(tmp_path: Path) -> None:
    """Killed before it does anything: what it left is ended by whoever waits for it."""
    project = python_project(tmp_path / "project", "import time; time.sleep(60)")
    submitted = projrun.run(str(project), synchronous=False)
    active = Directories.locate(os.environ).active
    (folder,) = [path for path in active.iterdir() if path.is_dir()]
    assert folder.name == submitted.run_id
    assert is_locked(folder / "run.json")
    mark = read_mark(folder / "run.json")
    assert mark is not None
    assert mark.pid != os.getpid()  # what `projrun cancel` would end
    process = submitted.command_proc
    assert process is not None
    process.kill()
    assert submitted.wait() is False
    assert submitted.get_status() == "FAILED"
    assert list(active.iterdir()) == []


def test_warnings_that_are_errors_do_not_end_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = python_project(tmp_path / "project", "", "{text: string}")
    run = projrun.run(str(project), parameters={"text": "x" * 7000})
    assert recorded(run.run_id).status == "FINISHED"
    assert "warning: parameter text has 7000 characters" in capsys.readouterr().err


def test_a_run_is_repeated(tmp_path: Path) -> None:
    project = python_project(tmp_path / "project", "", "{alpha: float, beta: {default: 1}}")
    first = projrun.run(str(project), parameters={"alpha": 1}, experiment_name="trial")
    again = projrun.rerun(
        first.run_id[:8], {"alpha": 2}, run_name="anew", grace_period=5, offline=True, strict=False
    )
    run = recorded(again.run_id)
    assert {param.key: param.value for param in run.params} == {"alpha": "2", "beta": "1"}
    assert (run.run_name, run.tag("projrun.rerun_of")) == ("anew", first.run_id)
    assert run.experiment_id == recorded(first.run_id).experiment_id


def test_a_repeated_run_that_fails(tmp_path: Path) -> None:
    project = python_project(tmp_path / "project", "import sys; sys.exit(int(sys.argv[-1]))")
    first = projrun.run(str(project), parameters={"code": 0})
    with pytest.raises(RunFailedError) as raised:
        projrun.rerun(first.run_id, {"code": 7})
    assert raised.value.exit_code == 7


def test_a_changed_folder_is_a_warning(tmp_path: Path) -> None:
    project = python_project(tmp_path / "project", "")
    first = projrun.run(str(project))
    (project / "script.py").write_text("pass")
    with pytest.raises(SourceError, match="differ from those of run"):
        projrun.rerun(first.run_id)
    with pytest.warns(UserWarning, match="differs: content: sha256:"):
        projrun.rerun(first.run_id, changed_source=True)


def test_an_option_that_does_not_exist() -> None:
    with pytest.raises(TypeError, match="env_manger"):
        projrun.rerun("1", env_manger="uv")


def test_docker_arguments_become_those_of_the_command_line() -> None:
    given = {"gpus": "all", "t": True, "i": False, "volume": ["/a:/a", "/b:/b"], "cpus": 1.5}
    options = options_from("run", {"docker_args": given, "build_image": True, "pass_credentials": False})
    assert options == {
        "docker-args": ("gpus=all", "t", "volume=/a:/a", "volume=/b:/b", "cpus=1.5"),
        "build-image": "1",
    }
    assert options_from("run", {"docker_args": {}}) == {}
    for login in ({"password": 1}, ["password"], "password"):
        with pytest.raises(RequestError, match="values must be strings"):
            projrun.run(".", docker_auth=login)  # type: ignore[arg-type]
