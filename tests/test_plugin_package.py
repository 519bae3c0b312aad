"""The package of docs/plugins.md works: taken from the page, installed by pip, run by the real command."""

from __future__ import annotations

import json
import os
import re
import sys
import sysconfig
from contextlib import closing
from pathlib import Path

import pytest

from projrun.execution.supervision.group import process_state
from projrun.tracking.entities import Run
from projrun.tracking.sql.store import SqlStore
from tests.support.commands import Completed, require_tool, run_command
from tests.support.guard import REPOSITORY
from tests.support.virtualenvs import environment_python

pytestmark = [
    pytest.mark.integration,  # pip gets the build backend from PyPI
    pytest.mark.together("plug-in package"),
]

_BLOCK = re.compile(r"^```\w+ file=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package's folder, with the files of the page."""
    folder = tmp_path_factory.mktemp("package")
    page = (REPOSITORY / "docs" / "plugins.md").read_text(encoding="utf-8")
    for name, text in _BLOCK.findall(page):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


_FAULTY = """\
import os, signal, subprocess, time
from pathlib import Path

from projrun.execution.protocol import Capabilities, Outcome
from projrun.execution.supervision.process import attach_process, submit_process


def boom(*arguments):
    raise ValueError("boom")


class Works:
    name = "works"
    capabilities = Capabilities()
    def check(self, config): ...
    def submit(self, spec, config):
        return submit_process(spec.process, spec)
    def attach(self, ref):
        return attach_process(ref)


class Memberless:
    name = "memberless"
    def submit(self, spec, config): ...


class CannotBeMade(Works):
    __init__ = boom


class CheckRaises(Works):
    check = boom


class SubmitRaises(Works):
    submit = boom


class SubmitStartsAndRaises(Works):
    def submit(self, spec, config):
        submit_process(spec.process, spec)
        wait_for_the_command(spec)
        boom()


class SubmitReturnsNoText(Works):
    def submit(self, spec, config):
        super().submit(spec, config)
        wait_for_the_command(spec)
        return 7


class AttachRaises(Works):
    def submit(self, spec, config):
        ref = super().submit(spec, config)
        wait_for_the_command(spec)
        return ref
    attach = boom


class AttachReturnsNoJob(AttachRaises):
    def attach(self, ref): ...


class EndIsMissing(Works):
    def submit(self, spec, config):
        return super().submit(spec._replace(end_function=f"{__name__}:no_such"), config)


class EndRaises(Works):
    function = "boom"
    def submit(self, spec, config):
        spec = spec._replace(command="true", end_function=f"{__name__}:{self.function}")
        return super().submit(spec, config)


class EndReturnsNothing(EndRaises):
    function = "nothing"


class EndReturnsANonsense(EndRaises):
    function = "nonsense"


def nothing(*arguments): ...


def nonsense(*arguments):
    return Outcome("FAILED", 0)


class OwnJob:
    "Of a process that projrun knows nothing of."
    def __init__(self, process, folder):
        self.process, self.folder = process, folder
    def poll(self):
        code = self.process.poll()
        return None if code is None else Outcome("KILLED", 143, "ended")
    def signal(self, signum):
        os.killpg(self.process.pid, signum)
    def logs(self, offset):
        return b""
    def wait(self):
        wait_for(self.folder)
        return self.answer()


class WaitRaises(Works):
    answer = boom
    def submit(self, spec, config):
        self.process = subprocess.Popen(spec.process, cwd=spec.directory, env=spec.environ, start_new_session=True)
        self.folder = spec.directory
        return str(self.process.pid)
    def attach(self, ref):
        job = OwnJob(self.process, self.folder)
        job.answer = self.answer
        return job


class WaitReturnsNothing(WaitRaises):
    def answer(self): ...


class WaitReturnsAStatusOfItsOwn(WaitRaises):
    def answer(self):
        return Outcome("DONE", 0)


class WaitWarnsOfNoText(WaitRaises):
    def answer(self):
        return Outcome("FINISHED", 0, warnings=(7,))


class NothingWorks(WaitRaises):
    def attach(self, ref):
        job = super().attach(ref)
        job.poll = boom
        return job


def wait_for_the_command(spec):
    wait_for(spec.directory)


def wait_for(folder):
    while not (folder / "pid").exists():
        time.sleep(0.01)
"""
_STUBBORN = "trap '' TERM; echo $$ > new; mv new pid; while true; do sleep 0.1; done"
"""A command that only KILL ends, which says when it runs."""

_FAULTS = {
    "SubmitRaises": "ValueError: boom",
    "SubmitStartsAndRaises": "ValueError: boom",
    "SubmitReturnsNoText": "what `submit` returned is of the type int, not str",
    "AttachRaises": "ValueError: boom",
    "AttachReturnsNoJob": "what `attach` returned lacks poll, wait, signal, logs",
    "EndIsMissing": "AttributeError: module 'projrun_faulty' has no attribute 'no_such'",
    "EndRaises": "ValueError: boom",
    "EndReturnsNothing": "TypeError: what `projrun_faulty:nothing` returned is of the type NoneType, not Outcome",
    "EndReturnsANonsense": (
        "ValueError: what `projrun_faulty:nonsense` returned has the status FAILED and the exit code 0"
    ),
    "WaitRaises": "ValueError: boom",
    "WaitReturnsNothing": "what `wait` returned is of the type NoneType, not Outcome",
    "WaitReturnsAStatusOfItsOwn": "what `wait` returned has the status 'DONE', not FINISHED, FAILED, KILLED",
    "WaitWarnsOfNoText": "a warning of what `wait` returned is not a string",
    "NothingWorks": "ValueError: boom",
}
"""What is said of each class, once a run exists."""
_FAULTS_OF_PLANS = {
    "Memberless": "it lacks capabilities, check, attach",
    "CannotBeMade": "ValueError: boom",
    "CheckRaises": "ValueError: boom",
    "NoSuchClass": "AttributeError: module 'projrun_faulty' has no attribute 'NoSuchClass'",
    "absent:Backend": "ModuleNotFoundError: No module named 'absent'",
}


def _target(name: str) -> str:
    return name if ":" in name else f"projrun_faulty:{name}"


def _entry(name: str) -> str:
    return name.replace(":", "-").lower()


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package with a backend for each mistake."""
    folder = tmp_path_factory.mktemp("faulty")
    (folder / "projrun_faulty.py").write_text(_FAULTY, encoding="utf-8")
    names = [f'{_entry(name)} = "{_target(name)}"' for name in (*_FAULTS, *_FAULTS_OF_PLANS)]
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling>=1.25"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "projrun-faulty"\nversion = "1.0"\n'
        '[project.entry-points."projrun.backends"]\n' + "\n".join(names),
        encoding="utf-8",
    )
    return folder


@pytest.fixture(scope="module")
def python(package: Path, faulty: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new virtual environment into which pip installed the packages.

    projrun and pytest are those of the environment that the tests run in, which comes later on its path.
    """
    folder = tmp_path_factory.mktemp("venv")
    run_command([sys.executable, "-m", "venv", folder], timeout=300).check()
    interpreter = environment_python(folder)
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = Path(run_command([interpreter, "-c", asked]).check().stdout.strip())
    line = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
    (own / "projrun_and_pytest.pth").write_text(line, encoding="utf-8")
    run_command([interpreter, "-m", "pip", "install", "--quiet", package, faulty], timeout=300).check()
    assert (own / "projrun_extras" / "nice.py").exists()
    return interpreter


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "MLproject").write_text(
        "entry_points:\n"
        "  main: {command: 'nice'}\n"
        "  python: {command: 'python -c \"import sys; print(sys.prefix)\"'}\n",
        encoding="utf-8",
    )
    return folder


def _run(python: Path, *arguments: str | Path) -> Completed:
    return run_command([python, "-m", "projrun", "run", *arguments])


def test_the_backend_runs_a_project(python: Path, project: Path, tmp_path: Path) -> None:
    require_tool("nice")
    config = tmp_path / "nice.json"
    config.write_text(json.dumps({"niceness": 7}))
    done = _run(python, project, "--env-manager=local", "--backend=nice", "--backend-config", config)
    assert done.check().stdout.splitlines()[0] == str(os.nice(0) + 7)
    words = ("--env-manager=local", "--backend=nice", "--backend-config", config)
    plan = run_command([python, "-m", "projrun", "plan", project, *words]).check()
    assert 'backend      nice (--backend)\n             {"niceness": "***"}\n' in plan.stdout


@pytest.mark.parametrize(("config", "message"), [({"niceness": 99}, "99"), ({"nicenes": 1}, "nicenes")])
def test_the_backend_refuses_a_wrong_configuration(
    python: Path, project: Path, tmp_path: Path, config: dict[str, int], message: str
) -> None:
    file = tmp_path / "nice.json"
    file.write_text(json.dumps(config))
    done = _run(python, project, "--env-manager=local", "--backend=nice", "--backend-config", file)
    assert done.returncode == 2
    assert message in done.stderr


def test_the_environment_manager_runs_a_project(python: Path, project: Path) -> None:
    run_command([sys.executable, "-m", "venv", "--without-pip", project / ".venv"]).check()
    done = _run(python, project, "-e", "python", "--env-manager=prebuilt")
    assert done.check().stdout.splitlines()[0] == str(project / ".venv")


def test_the_environment_manager_takes_its_own_option(python: Path, project: Path) -> None:
    run_command([sys.executable, "-m", "venv", "--without-pip", project / "other"]).check()
    argv: list[str | Path] = [
        python,
        "-m",
        "projrun",
        "run",
        project,
        "-e",
        "python",
        "--env-manager=prebuilt",
    ]
    done = run_command(argv, environ={"PREBUILT_VENV": "other"})
    assert done.check().stdout.splitlines()[0] == str(project / "other")


def test_the_environment_manager_says_what_is_missing(python: Path, project: Path) -> None:
    done = _run(python, project, "-e", "python", "--env-manager=prebuilt")
    assert done.returncode == 4
    assert "is not a virtual environment" in done.stderr


@pytest.mark.parametrize("file", ["test_nice.py", "test_prebuilt.py"])
def test_it_passes_the_kit(python: Path, package: Path, tmp_path: Path, file: str) -> None:
    require_tool("nice")
    tests = package / file
    argv: list[str | Path] = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", tests]
    done = run_command(
        argv, cwd=tmp_path, timeout=300
    )  # not beside the sources: the installed package is tested
    assert re.search(r"^\d+ passed", done.check().stdout, re.MULTILINE)


@pytest.fixture
def stubborn(tmp_path: Path) -> Path:
    """A project whose command has to be killed."""
    folder = tmp_path / "stubborn"
    folder.mkdir()
    text = json.dumps({"entry_points": {"main": {"command": _STUBBORN}}})
    (folder / "MLproject").write_text(text, encoding="utf-8")
    return folder


def _run_faulty(python: Path, project: Path, name: str) -> tuple[Completed, list[Run]]:
    """The command, and the runs that it recorded."""
    database = project.parent / "runs.db"
    done = _run(
        python, project, "--env-manager=local", f"--tracking-uri=sqlite:///{database}",
        "--grace-period=0.5", f"--backend={_entry(name)}",
    )  # fmt: skip
    if not database.exists():
        return done, []
    with closing(SqlStore.open(database)) as store:
        return done, list(store.search_runs(["0"]).runs)


def _message(name: str, what: str) -> str:
    return f"backend {_entry(name)!r} ({_target(name)}, package projrun-faulty): {what}"


@pytest.mark.parametrize("name", _FAULTS_OF_PLANS)
def test_a_fault_that_the_plan_finds(python: Path, stubborn: Path, name: str) -> None:
    done, runs = _run_faulty(python, stubborn, name)
    assert done.returncode == 2
    assert _message(name, _FAULTS_OF_PLANS[name]) in done.stderr
    assert runs == []


@pytest.mark.parametrize("name", _FAULTS)
def test_a_fault_ends_the_run_and_leaves_no_process(python: Path, stubborn: Path, name: str) -> None:
    done, (run,) = _run_faulty(python, stubborn, name)
    assert done.returncode == 2, done.stderr
    message = _message(name, _FAULTS[name])
    assert message in done.stderr
    assert (run.status, run.tag("projrun.reason"), run.tag("projrun.exit_code")) == ("FAILED", message, "2")
    pid = stubborn / "pid"
    assert pid.exists() == (not name.startswith(("SubmitRaises", "End"))), "the command was started"
    if pid.exists():
        assert process_state(int(pid.read_text())).state in ("", "Z")
