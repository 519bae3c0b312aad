"""Plug-ins of other packages: found by their entry points, and their faults reported as their own."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from projrun.environments.registry import get_manager
from projrun.errors import PluginError, ProjrunError, RequestError
from projrun.execution.registry import get_backend
from projrun.execution.supervision.signals import Interrupted
from tests.support.commands import Completed, run_projrun
from tests.support.packages import install_package

Install = Callable[..., str]

BACKEND = """\
from projrun.errors import RequestError
from projrun.execution.protocol import Capabilities, Outcome
from projrun.execution.supervision.process import attach_process, submit_process

class Backend:
    name = "x"
    capabilities = Capabilities(accepts_config=True)
    def check(self, config): ...
    def submit(self, spec, config):
        return submit_process(spec.process, spec)
    def attach(self, ref):
        return attach_process(ref)

class Job:
    def poll(self):
        return self.wait()
    def wait(self):
        return Outcome("FINISHED", 0)
    def signal(self, signum): ...
    def logs(self, offset):
        return b""

def boom(*arguments):
    raise ValueError("boom\\nand more")
"""

MANAGER = """\
from projrun.environments.protocol import Capabilities, ChildProcess, PreparedEnvironment, ResolvedEnvironment
from projrun.execution.protocol import Outcome

class Manager:
    name = "x"
    capabilities = Capabilities(kinds=frozenset({"none"}))
    def available(self, environ):
        return True
    def resolve(self, request):
        return ResolvedEnvironment("x", "x")
    def prepare(self, request, resolved, *, rebuild, progress):
        return PreparedEnvironment({})

def boom(*arguments, **keywords):
    raise ValueError("boom")

def ends_with(function):
    def wrap(self, launch):
        child = ("sh", "-c", "touch started")
        return ChildProcess(child, launch.environ, end_function=function, end_details={"word": "told"})
    return lambda self, *given, **named: PreparedEnvironment({}, wrap=lambda launch: wrap(self, launch))

def relabel(outcome, details, environ):
    return Outcome("FAILED", 42, f"{dict(details)}: {outcome.status}")
"""

_numbers = itertools.count()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a package and gives its module's name, which no other test uses: modules stay imported."""

    def installed(module: str | None, group: str = "backends", target: str = "Backend") -> str:
        name = f"plugged_{next(_numbers)}"
        folder = install_package(
            tmp_path / "site", name, module, {f"projrun.{group}": {"x": f"{name}:{target}"}}
        )
        monkeypatch.syspath_prepend(folder)
        return name

    return installed


def fault(name: str, what: str, *, kind: str = "backend", target: str = "Backend") -> str:
    return f"{kind} 'x' ({name}:{target}, package {name}): {what}"


def refusal(load: Callable[[str], object]) -> PluginError:
    with pytest.raises(PluginError) as raised:
        load("x")
    assert raised.value.exit_code == 2
    assert raised.value.message.isprintable()
    return raised.value


def test_one_without_faults_works_as_its_own_class_does(install: Install) -> None:
    install(BACKEND)
    backend = get_backend("x")
    assert (backend.name, type(backend).__name__) == ("x", "Backend")
    backend.check({"anything": 1})
    install(MANAGER, "environments", "Manager")
    assert get_manager("x").available({}) is True


def test_the_module_is_missing(install: Install) -> None:
    name = install(None)
    assert refusal(get_backend).message == fault(name, f"ModuleNotFoundError: No module named '{name}'")


def test_the_class_is_missing(install: Install) -> None:
    name = install(BACKEND, target="Frontend")
    error = refusal(get_backend)
    assert error.message.startswith(fault(name, "AttributeError: module", target="Frontend"))
    assert name in error.hint


@pytest.mark.parametrize(
    ("module", "what"),
    [
        ("def Backend(): ...", "plugged:Backend is not a class"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("class Backend(: ...", "SyntaxError: invalid syntax"),
        ("class Backend:\n  def __init__(self, needed): ...", "TypeError: "),
        ("class Backend:\n  def __init__(self): raise ValueError('boom')", "ValueError: boom"),
        ("class Backend:\n  def __init__(self): raise KeyError", "KeyError"),
        (
            "class Backend:\n  name = 'x'\n  def check(self, config): ...",
            "it lacks capabilities, submit, attach",
        ),
        (f"{BACKEND}\nBackend.capabilities = {{}}", "`capabilities` is of the type dict, not Capabilities"),
        (f"{BACKEND}\nBackend.capabilities = property(boom)", "ValueError: boom"),
        (f"{BACKEND}\nBackend.capabilities = property(lambda self: self.x)", "AttributeError: "),
        (f"{BACKEND}\nBackend.name = 7", "`name` is of the type int, not str"),
        (f"{BACKEND}\nBackend.check = 'no'", "`check` is of the type str, not a method"),
        (
            f"{BACKEND}\nBackend.capabilities = Capabilities(accepts_config='yes')",
            "`accepts_config` of `capabilities` is not of the type bool",
        ),
    ],
)
def test_what_is_wrong_when_it_is_loaded(install: Install, module: str, what: str) -> None:
    name = install(module)
    assert refusal(get_backend).message.startswith(fault(name, what.replace("plugged", name)))


def test_a_managers_faults_are_its_own_too(install: Install) -> None:
    name = install("class Manager: name = 'x'", "environments", "Manager")
    message = fault(
        name,
        "it lacks capabilities, available, resolve, prepare",
        kind="environment manager",
        target="Manager",
    )
    assert refusal(get_manager).message == message


def test_what_the_contract_allows_passes(install: Install) -> None:
    install(BACKEND + "\ndef refuse(self, config): raise RequestError('no')\nBackend.check = refuse")
    with pytest.raises(ProjrunError) as raised:
        get_backend("x").check({})
    assert (type(raised.value).__name__, raised.value.message) == ("RequestError", "no")


ODD = """
class Odd(BaseException): ...
class Mute(Exception):
    def __str__(self): raise ValueError
def odd(*arguments): raise Odd("odd")
def mute(*arguments): raise Mute
def leave(*arguments): raise GeneratorExit
"""


@pytest.mark.parametrize(
    ("function", "what"), [("odd", "Odd: odd"), ("mute", "Mute"), ("leave", "GeneratorExit")]
)
def test_whatever_is_raised_is_a_fault(install: Install, function: str, what: str) -> None:
    name = install(f"{BACKEND}{ODD}Backend.check = {function}")
    with pytest.raises(PluginError) as raised:
        get_backend("x").check({})
    assert raised.value.message == fault(name, what)


def test_whatever_is_raised_at_import_is_a_fault(install: Install) -> None:
    name = install(f"{ODD}odd()")
    assert refusal(get_backend).message == fault(name, "Odd: odd")


def test_which_of_two_packages_is_meant_is_not_guessed(install: Install) -> None:
    first, second = install(BACKEND), install(BACKEND)
    with pytest.raises(RequestError, match=f"several packages offer the backend 'x': {first}, {second}"):
        get_backend("x")


DAMAGED = {
    "entry_points.txt": [b"[projrun.backends]\n\xff = a:b\n", b"[projrun.backends]\ny = \n = z\n[unclosed\n"],
    "METADATA": [b"Name: \xff\xfe\n", b""],
}


@pytest.mark.parametrize(
    ("file", "content"), [(file, text) for file, texts in DAMAGED.items() for text in texts]
)
def test_a_damaged_package_stops_no_other(
    install: Install, tmp_path: Path, file: str, content: bytes
) -> None:
    install(BACKEND)
    other = install_package(
        tmp_path / "site", "damaged", None, {"projrun.backends": {"y": "damaged:Backend"}}
    )
    (other / "damaged-1.0.dist-info" / file).write_bytes(content)
    assert get_backend("x").name == "x"


@pytest.mark.parametrize("stop", ["Interrupted(15)", "KeyboardInterrupt"])
def test_a_signal_is_no_fault(install: Install, stop: str) -> None:
    module = f"{BACKEND}from projrun.execution.supervision.signals import Interrupted\n"
    install(f"{module}def end(*given): raise {stop}\nBackend.check = end")
    with pytest.raises((Interrupted, KeyboardInterrupt)):
        get_backend("x").check({})


def test_its_authors_are_told_where_it_happened(install: Install) -> None:
    name = install(f"{BACKEND}\nBackend.check = boom")
    with pytest.raises(PluginError) as raised:
        get_backend("x").check({})
    assert f"{name}.py, line" in raised.value.detail
    assert isinstance(raised.value.__cause__, ValueError)


def test_where_projrun_loads_plugins_is_no_help_to_their_authors(install: Install) -> None:
    install("class Backend:\n  def __init__(self, needed): ...")
    assert refusal(get_backend).detail == ""


def test_where_an_import_of_theirs_fails_is(install: Install) -> None:
    name = install("import nowhere_at_all")
    assert f"{name}.py, line 1" in refusal(get_backend).detail


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("Backend.attach = boom", "ValueError: boom"),
        ("Backend.attach = lambda self, ref: None", "what `attach` returned lacks poll, wait, signal, logs"),
        ("Job.poll = boom", "ValueError: boom"),
        ("Job.poll = lambda self: 0", "what `poll` returned is of the type int, not Outcome"),
        (
            "Job.poll = Job.wait = lambda self: None",
            "what `wait` returned is of the type NoneType, not Outcome",
        ),
        (
            "Job.poll = lambda self: None; Job.wait = lambda self: Outcome('DONE', 0)",
            "what `wait` returned has the status 'DONE', not FINISHED, FAILED, KILLED",
        ),
        (
            "Job.poll = lambda self: None; Job.wait = lambda self: Outcome('FAILED', 0)",
            "what `wait` returned has the status FAILED and the exit code 0",
        ),
        (
            "Job.poll = lambda self: None; Job.wait = lambda self: Outcome('FAILED', 256)",
            "what `wait` returned has the status FAILED and the exit code 256",
        ),
        (
            "Job.poll = lambda self: None; Job.wait = lambda self: Outcome('FAILED', '1')",
            "the exit code of what `wait` returned is of the type str, not int",
        ),
        (
            "Job.poll = lambda self: None; Job.wait = lambda self: Outcome('FAILED', 1, None)",
            "the reason of what `wait` returned is of the type NoneType, not str",
        ),
        ("Job.signal = boom", "ValueError: boom"),
        ("Job.logs = lambda self, offset: 'text'", "what `logs` returned is of the type str, not bytes"),
    ],
)
def test_a_jobs_faults(install: Install, change: str, what: str) -> None:
    name = install(f"{BACKEND}\nBackend.attach = lambda self, ref: Job()\n{change}")
    with pytest.raises(PluginError) as raised:
        job = get_backend("x").attach("x")
        if job.poll() is None:
            job.wait()
        job.signal(15)
        job.logs(0)
    assert raised.value.message == fault(name, what)


def run(folder: Path, *options: str, **environ: str) -> Completed:
    project = folder / "project"
    project.mkdir(exist_ok=True)
    (project / "MLproject").write_text("entry_points: {main: {command: 'echo ran'}}", encoding="utf-8")
    return run_projrun(
        "run", project, "--tracking-uri", f"sqlite:///{folder}/runs.db", *options,
        environ={"PYTHONPATH": str(folder / "site"), **environ},
    )  # fmt: skip


def status(folder: Path) -> tuple[str, str]:
    """The status of the only run, and the reason that it was recorded with."""
    environ = {"PROJRUN_TRACKING_URI": f"sqlite:///{folder}/runs.db"}
    listed = json.loads(run_projrun("runs", "list", "--json", environ=environ).check().stdout)
    (shown,) = listed["runs"]
    return shown["status"], shown["tags"]["projrun.reason"]


@pytest.mark.processes
def test_a_check_that_fails_is_seen_by_the_plan(install: Install, tmp_path: Path) -> None:
    name = install(f"{BACKEND}\nBackend.check = boom")
    done = run(tmp_path, "--env-manager=local", "--backend=x")
    assert done.returncode == 2
    assert fault(name, "ValueError: boom") in done.stderr
    assert not (tmp_path / "runs.db").exists(), "no run was created"


@pytest.mark.processes
def test_what_a_plug_in_prints_is_not_in_the_json(install: Install, tmp_path: Path) -> None:
    speaks = "def check(self, config): print('checking')\nBackend.check = check\nprint('imported')"
    install(f"{BACKEND}\n{speaks}")
    done = run(tmp_path, "--env-manager=local", "--backend=x", "--json").check()
    assert json.loads(done.stdout)["status"] == "FINISHED"
    assert "imported\nchecking\n" in done.stderr
    failed = run(tmp_path, "--env-manager=local", "--backend=x", "--json", "-e", "missing")
    assert json.loads(failed.stdout)["exit_code"] == failed.returncode == 2


@pytest.mark.processes
@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("Backend.submit = boom", "ValueError: boom"),
        ("Backend.submit = lambda *given: 7", "what `submit` returned is of the type int, not str"),
        (
            "Backend.submit = lambda *given: 'no job'",
            "`attach` refuses what `submit` returned: 'no job' is not a reference to a process",
        ),
        ("Backend.attach = lambda self, ref: Job(); Job.wait = boom", "ValueError: boom"),
    ],
)
def test_a_job_that_fails_ends_the_run(install: Install, tmp_path: Path, change: str, what: str) -> None:
    name = install(f"{BACKEND}\n{change}")
    done = run(tmp_path, "--env-manager=local", "--backend=x")
    assert done.returncode == 2
    assert fault(name, what) in done.stderr
    assert status(tmp_path) == ("FAILED", fault(name, what))


@pytest.mark.processes
@pytest.mark.parametrize(
    ("change", "what", "recorded"),
    [
        ("Manager.resolve = boom", "ValueError: boom", False),
        (
            "Manager.resolve = lambda self, request: None",
            "what `resolve` returned is of the type NoneType, not ResolvedEnvironment",
            False,
        ),
        (
            "Manager.resolve = lambda self, request: ResolvedEnvironment('x', None)",
            "`summary` of what `resolve` returned is not of the type str",
            False,
        ),
        (
            "Manager.resolve = lambda self, request: ResolvedEnvironment('x', 'x', python='python')",
            "`python` of what `resolve` returned is not of the type Path | None",
            False,
        ),
        ("Manager.read_options = boom", "ValueError: boom", False),
        (
            "Manager.read_options = lambda self, given: {'word': 'told'}",
            "what `read_options` returned is of the type dict, not tuple",
            False,
        ),
        (
            "class Record(tuple): exported = {'TOLD': 7}\nManager.read_options = lambda self, given: Record()",
            "a value in `exported` or `unrecorded` is of the type int, not str",
            False,
        ),
        (
            "class Record(tuple): exported = property(boom)\nManager.read_options = lambda *given: Record()",
            "ValueError: boom",
            False,
        ),
        ("Manager.prepare = boom", "ValueError: boom", True),
        (
            "Manager.prepare = lambda self, *given, **named: PreparedEnvironment({'TOKEN': 7})",
            "`environ` of what `prepare` returned is not of the type Mapping[str, str]",
            True,
        ),
        (
            "Manager.prepare = lambda self, *given, **named: PreparedEnvironment({}, path_prefix=('/bin',))",
            "`path_prefix` of what `prepare` returned is not of the type tuple[Path, ...]",
            True,
        ),
        (
            "Manager.prepare = lambda self, *given, **named: PreparedEnvironment({}, wrap=boom)",
            "ValueError: boom",
            True,
        ),
    ],
)
def test_a_manager_that_fails(
    install: Install, tmp_path: Path, change: str, what: str, recorded: bool
) -> None:
    name = install(f"{MANAGER}\n{change}", "environments", "Manager")
    done = run(tmp_path, "--env-manager=x")
    message = fault(name, what, kind="environment manager", target="Manager")
    assert done.returncode == 2
    assert message in done.stderr
    assert (tmp_path / "runs.db").exists() == recorded
    if recorded:
        assert status(tmp_path) == ("FAILED", message)


TAKES_OPTIONS = """
from collections import namedtuple

class Record(namedtuple("Record", "docker_args word", defaults=((), ""))):
    exported = {"TOLD": "nested"}

def read_options(self, given):
    return Record(given.requested.get("docker-args", ()), given.environ.get("WORD", ""))

def resolve(self, request):
    return ResolvedEnvironment("x", f"{request.options.docker_args} {request.options.word} {request.environ['TOLD']}")

Manager.read_options, Manager.resolve = read_options, resolve
"""


@pytest.mark.processes
def test_a_manager_reads_its_own_options(install: Install, tmp_path: Path) -> None:
    install(MANAGER + TAKES_OPTIONS, "environments", "Manager")
    done = run(tmp_path, "--env-manager=x", "-A", "t", "--dry-run", WORD="told")
    assert "('t',) told nested" in done.check().stdout
    assert "no effect" not in done.stdout + done.stderr
    done = run(tmp_path, "--env-manager=x", "--build-image", "--dry-run")
    assert "image building and credentials have no effect" in done.check().stdout + done.stderr


@pytest.mark.processes
@pytest.mark.parametrize(
    ("function", "what", "started"),
    [
        ("no_such", "AttributeError: module", False),
        ("boom", "ValueError: boom", True),
        ("str", "TypeError: ", True),
        ("nothing", "what `{name}:nothing` returned is of the type NoneType, not Outcome", True),
    ],
)
def test_a_managers_end_function_that_fails(
    install: Install, tmp_path: Path, function: str, what: str, started: bool
) -> None:
    change = f"Manager.prepare = ends_with(f'{{__name__}}:{function}')"
    name = install(
        f"{MANAGER}\nfrom builtins import str\ndef nothing(*given): ...\n{change}", "environments", "Manager"
    )
    done = run(tmp_path, "--env-manager=x")
    message = fault(name, what.format(name=name), kind="environment manager", target="Manager")
    assert done.returncode == 2
    assert message in done.stderr
    assert status(tmp_path)[1].startswith(message)
    assert (tmp_path / "project" / "started").exists() == started


@pytest.mark.processes
def test_a_managers_end_function_gets_its_own_details(install: Install, tmp_path: Path) -> None:
    change = "Manager.prepare = ends_with(f'{__name__}:relabel')"
    install(f"{MANAGER}\n{change}", "environments", "Manager")
    assert run(tmp_path, "--env-manager=x").returncode == 42
    assert status(tmp_path) == ("FAILED", "{'word': 'told'}: FINISHED")
