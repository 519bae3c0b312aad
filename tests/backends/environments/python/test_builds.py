"""Environments built for real by virtualenv and uv, from a folder of tiny wheels."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from projrun.environments.protocol import (
    EnvironmentManager,
    EnvironmentRequest,
    PreparedEnvironment,
    ResolvedEnvironment,
)
from projrun.environments.registry import get_manager
from projrun.errors import EnvironmentBuildError
from tests.backends.environments.python.packages import (
    make_request,
    make_source_tree,
    make_wheel,
    offline,
    write_files,
)
from tests.support.commands import missing

pytestmark = pytest.mark.integration  # builds real environments


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    make_wheel(folder, "sprocket", "1.0")
    make_wheel(folder, "sprocket", "2.0")
    make_wheel(folder, "widget", "1.0", requires=("sprocket<2",))
    return folder


@pytest.fixture(params=["virtualenv", "uv"])
def manager(request: pytest.FixtureRequest) -> EnvironmentManager:
    found = get_manager(str(request.param))
    if not found.available(os.environ):
        missing(f"{found.name} is not installed")
    return found


@pytest.fixture
def quick() -> EnvironmentManager:
    """One manager, for what both share; virtualenv and pip take seconds for each environment."""
    found = get_manager("uv")
    return found if found.available(os.environ) else get_manager("virtualenv")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "project"
    folder.mkdir()
    yield folder


def build(
    manager: EnvironmentManager, request: EnvironmentRequest, *, rebuild: bool = False
) -> PreparedEnvironment:
    return manager.prepare(request, manager.resolve(request), rebuild=rebuild, progress=lambda line: None)


def run_in(prepared: PreparedEnvironment, script: str) -> str:
    path = os.pathsep.join([*map(str, prepared.path_prefix), os.environ["PATH"]])
    environ = {name: value for name, value in os.environ.items() if name not in prepared.unset}
    environ |= {**prepared.environ, "PATH": path}
    done = subprocess.run(
        ["bash", "-c", 'python -c "$1"', "bash", script],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def entries(request: EnvironmentRequest, resolved: ResolvedEnvironment) -> list[str]:
    assert resolved.key is not None
    folder = request.cache_directory / resolved.key
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_python_env_is_built_once_and_found_again(
    manager: EnvironmentManager, project: Path, wheels: Path
) -> None:
    write_files(
        project,
        {
            "python_env.yaml": "build_dependencies:\n  - sprocket\ndependencies:\n  - -r requirements.txt\n",
            "requirements.txt": "widget  # with what it needs\n",
        },
    )
    environ = {**offline(wheels), "PYTHONDONTWRITEBYTECODE": "1"}
    request = make_request(project, "python_env", "python_env.yaml", environ=environ)
    resolved = manager.resolve(request)
    assert not resolved.exists
    assert resolved.summary.endswith("2 requirements from python_env.yaml")
    assert resolved.recorded_kind == manager.name
    lines: list[str] = []
    prepared = manager.prepare(request, resolved, rebuild=False, progress=lines.append)
    assert prepared.built
    assert lines[0].startswith("building the environment")
    assert run_in(prepared, "import sprocket, widget; print(sprocket.VERSION, widget.VERSION)") == "1.0 1.0"
    assert run_in(prepared, "import sys; print(sys.prefix)") == prepared.environ["VIRTUAL_ENV"]
    assert prepared.lock is not None
    installed = prepared.lock.splitlines()
    assert {"sprocket==1.0", "widget==1.0"} <= set(installed)
    assert [line for line in installed if line.startswith("pip==")]
    assert ("setuptools" in prepared.lock) == (sys.version_info < (3, 12))
    compiled = Path(prepared.environ["VIRTUAL_ENV"]).glob("lib/*/site-packages/__pycache__/sprocket.*.pyc")
    assert list(compiled), "slow at every start, whatever the caller's shell says"
    again = manager.resolve(request)
    assert (again.exists, again.key, str(again.path)) == (True, resolved.key, prepared.environ["VIRTUAL_ENV"])
    assert build(manager, request) == prepared._replace(built=False)


def test_no_file_gives_a_bare_environment_of_the_running_version(
    quick: EnvironmentManager, project: Path, wheels: Path
) -> None:
    prepared = build(quick, make_request(project, "none", environ=offline(wheels)))
    version = "{}.{}.{}".format(*sys.version_info[:3])
    assert run_in(prepared, "import platform; print(platform.python_version())") == version
    assert run_in(prepared, "import pip; print(pip.__file__)").startswith(prepared.environ["VIRTUAL_ENV"])


def test_a_conda_file_that_needs_only_pip(quick: EnvironmentManager, project: Path, wheels: Path) -> None:
    version = "{}.{}".format(*sys.version_info)
    write_files(
        project,
        {
            "conda.yaml": f"channels: [conda-forge]\ndependencies:\n  - python={version}\n"
            "  - pip:\n    - sprocket==1.0\nvariables:\n  GREETING: hello\n"
        },
    )
    prepared = build(quick, make_request(project, "conda_env", "conda.yaml", environ=offline(wheels)))
    script = "import os, sprocket; print(os.environ['GREETING'], sprocket.VERSION)"
    assert run_in(prepared, script) == "hello 1.0"


def test_constraints_and_local_paths(manager: EnvironmentManager, project: Path, wheels: Path) -> None:
    make_source_tree(project / "gear box", "gearbox")
    write_files(
        project,
        {
            "requirements.txt": "-r reqs/base.txt\n./gear box\n",
            "reqs/base.txt": "-c limits.txt\nsprocket\n",
            "reqs/limits.txt": "sprocket<2\n",
        },
    )
    request = make_request(project, "requirements", "requirements.txt", environ=offline(wheels))
    prepared = build(manager, request)
    assert run_in(prepared, "import gearbox, sprocket; print(sprocket.VERSION)") == "1.0"
    (project / "gear box/gearbox.py").write_text("VERSION = 'changed'\n")
    assert run_in(build(manager, request), "import gearbox; print(gearbox.VERSION)") == "changed"


def test_an_editable_dependency_sees_changes_without_a_rebuild(
    quick: EnvironmentManager, project: Path, wheels: Path
) -> None:
    make_source_tree(project / "gearbox", "gearbox")
    write_files(project, {"requirements.txt": "-e ./gearbox\n"})
    request = make_request(project, "requirements", "requirements.txt", environ=offline(wheels))
    build(quick, request)
    (project / "gearbox/gearbox.py").write_text("VERSION = 'changed'\n")
    prepared = build(quick, request)
    assert not prepared.built
    assert run_in(prepared, "import gearbox; print(gearbox.VERSION)") == "changed"


def test_an_editable_dependency_is_a_copy_of_the_commit_in_a_temporary_checkout(
    manager: EnvironmentManager, project: Path, wheels: Path
) -> None:
    make_source_tree(project / "gearbox", "gearbox")
    write_files(project, {"requirements.txt": "sprocket\n-e ./gearbox\n"})
    request = make_request(
        project, "requirements", "requirements.txt", environ=offline(wheels), temporary_checkout=True
    )
    first = request._replace(commit="a" * 40)
    (warning,) = manager.resolve(first).warnings
    assert warning.startswith("requirements.txt:2: installed as a copy of commit aaaaaaa, not editable: ")
    prepared = build(manager, first)
    (project / "gearbox/gearbox.py").write_text("VERSION = 'changed'\n")
    assert run_in(prepared, "import gearbox; print(gearbox.VERSION)") == "1.0"
    assert "./gearbox" in str(prepared.lock).splitlines()
    assert manager.resolve(first).key != manager.resolve(first._replace(commit="b" * 40)).key


def test_a_build_that_fails_says_what_the_tool_said_and_leaves_nothing(
    manager: EnvironmentManager, project: Path, wheels: Path
) -> None:
    check_failure(manager, project, wheels, "sprocket==9.9", "9.9")


@pytest.mark.parametrize("requirement", ["sprocket; 3 <> nonsense", "nonsense-package"])
def test_what_only_the_installer_can_know_to_be_wrong(
    quick: EnvironmentManager, project: Path, wheels: Path, requirement: str
) -> None:
    check_failure(quick, project, wheels, requirement, "nonsense")


def check_failure(
    manager: EnvironmentManager, project: Path, wheels: Path, requirement: str, said: str
) -> None:
    write_files(project, {"requirements.txt": f"{requirement}\n"})
    request = make_request(project, "requirements", "requirements.txt", environ=offline(wheels))
    resolved = manager.resolve(request)
    with pytest.raises(
        EnvironmentBuildError, match=r"environment of requirements\.txt could not be built"
    ) as raised:
        build(manager, request)
    assert said in raised.value.detail
    assert len(raised.value.detail.splitlines()) <= 20
    assert not manager.resolve(request).exists
    assert entries(request, resolved) == ["failed-build.log"]
    assert said in (request.cache_directory / str(resolved.key) / "failed-build.log").read_text()


def test_credentials_stay_out_of_logs_locks_and_messages(
    manager: EnvironmentManager, project: Path, wheels: Path
) -> None:
    token = "s3cr3t-token"
    environ = {
        **offline(wheels),
        "TOKEN": token,
        "PIP_EXTRA_INDEX_URL": f"http://user:{token}@127.0.0.1:9/simple",
    }
    environ.pop("PIP_NO_INDEX")
    environ["PIP_INDEX_URL"] = f"http://{token}@127.0.0.1:9/simple"
    environ |= {"PIP_RETRIES": "0", "UV_HTTP_RETRIES": "0"}
    write_files(
        project, {"requirements.txt": "--index-url http://${TOKEN}@127.0.0.1:9/other\nnosuchpackage\n"}
    )
    request = make_request(project, "requirements", "requirements.txt", environ=environ)
    with pytest.raises(EnvironmentBuildError) as raised:
        build(manager, request)
    error = raised.value
    assert token not in error.message + error.hint + error.detail
    written = [path for path in request.cache_directory.rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if token in path.read_text(errors="replace")]


def test_a_rebuild_makes_it_anew(quick: EnvironmentManager, project: Path, wheels: Path) -> None:
    request = make_request(project, "none", environ=offline(wheels))
    first = build(quick, request)
    second = build(quick, request, rebuild=True)
    assert second.built
    assert first.environ["VIRTUAL_ENV"] != second.environ["VIRTUAL_ENV"]
    assert not build(quick, request).built


def test_a_missing_interpreter_names_what_there_is(
    quick: EnvironmentManager, project: Path, wheels: Path
) -> None:
    write_files(project, {"python_env.yaml": 'python: "3.99"\n'})
    request = make_request(project, "python_env", "python_env.yaml", environ=offline(wheels))
    with pytest.raises(
        EnvironmentBuildError, match=r"python_env\.yaml:1:9: Python 3\.99 not found"
    ) as raised:
        quick.resolve(request)
    assert "uv python install 3.99" in raised.value.hint
    assert "{}.{}.{}".format(*sys.version_info) in raised.value.detail


def test_an_older_python(manager: EnvironmentManager, project: Path, wheels: Path) -> None:
    write_files(project, {"python_env.yaml": 'python: "3.8"\ndependencies:\n  - sprocket\n'})
    request = make_request(project, "python_env", "python_env.yaml", environ=offline(wheels))
    try:
        manager.resolve(request)
    except EnvironmentBuildError:
        pytest.skip("Python 3.8 is not installed")
    prepared = build(manager, request)
    assert run_in(prepared, "import sys, sprocket; print(sys.version_info[:2])") == "(3, 8)"


def test_callers_variables_do_not_lead_the_build_astray(
    manager: EnvironmentManager, project: Path, wheels: Path, tmp_path: Path
) -> None:
    write_files(project, {"requirements.txt": "sprocket\n"})
    elsewhere = str(tmp_path / "elsewhere")
    astray = {
        "PIP_TARGET": elsewhere,
        "PIP_PREFIX": elsewhere,
        "PIP_USER": "1",
        "VIRTUAL_ENV": elsewhere,
        "PYTHONHOME": elsewhere,
        "UV_PROJECT_ENVIRONMENT": elsewhere,
        "UV_SYSTEM_PYTHON": "1",
    }
    environ = {**offline(wheels), **astray}
    prepared = build(manager, make_request(project, "requirements", "requirements.txt", environ=environ))
    assert run_in(prepared, "import sprocket; print(sprocket.VERSION)") == "2.0"
    assert not Path(elsewhere).exists()


def is_running(pid: int) -> bool:
    """False for a zombie too: in a container nobody may reap it."""
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(done.stdout.strip()) and not done.stdout.startswith("Z")


BUILDER = """
import sys
from pathlib import Path
from projrun.environments.registry import get_manager
from tests.backends.environments.python.packages import make_request, offline

manager = get_manager(sys.argv[1])
request = make_request(Path(sys.argv[2]), "requirements", "requirements.txt", environ=offline(Path(sys.argv[3])))
print("ready", flush=True)
try:
    manager.prepare(request, manager.resolve(request), rebuild=False, progress=lambda line: None)
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_an_interrupted_build_leaves_nothing(
    manager: EnvironmentManager, project: Path, wheels: Path
) -> None:
    check_interrupt(manager, project, wheels, signal.SIGINT, 130)


def test_a_killed_build_leaves_nothing_that_is_used(
    quick: EnvironmentManager, project: Path, wheels: Path
) -> None:
    check_interrupt(quick, project, wheels, signal.SIGKILL, -9)


def check_interrupt(
    manager: EnvironmentManager, project: Path, wheels: Path, signum: signal.Signals, code: int
) -> None:
    make_source_tree(project / "slow", "slow")
    backend = project / "slow/backend.py"
    quick = backend.read_text()
    pids = project / "pids"
    backend.write_text(
        f"import os, time\nopen({str(pids)!r}, 'a').write(f'{{os.getpid()}} ')\ntime.sleep(60)\n{quick}"
    )
    write_files(project, {"requirements.txt": "-e ./slow\n"})
    builder = subprocess.Popen([sys.executable, "-c", BUILDER, manager.name, str(project), str(wheels)])
    deadline = time.monotonic() + 60
    while not pids.exists() or not pids.read_text().endswith(" "):
        assert time.monotonic() < deadline, "the build did not begin"
        time.sleep(0.02)
    builder.send_signal(signum)
    assert builder.wait(120) == code
    request = make_request(project, "requirements", "requirements.txt", environ=offline(wheels))
    resolved = manager.resolve(request)
    assert not resolved.exists
    sleeper = int(pids.read_text().split()[-1])
    if signum == signal.SIGINT:
        assert entries(request, resolved) == []
        assert not is_running(sleeper), "the tool outlived the interrupt"
    else:
        os.kill(sleeper, signal.SIGKILL)
    backend.write_text(quick)
    prepared = build(manager, request)
    assert prepared.built
    assert run_in(prepared, "import slow; print(slow.VERSION)") == "1.0"
    assert len([name for name in entries(request, resolved) if name.endswith(".complete")]) == 1


def test_processes_at_once_build_it_once(quick: EnvironmentManager, project: Path, wheels: Path) -> None:
    write_files(project, {"requirements.txt": "widget\n"})
    builders = [
        subprocess.Popen([sys.executable, "-c", BUILDER, quick.name, str(project), str(wheels)])
        for _ in range(4)
    ]
    assert [builder.wait(120) for builder in builders] == [0] * 4
    request = make_request(project, "requirements", "requirements.txt", environ=offline(wheels))
    resolved = quick.resolve(request)
    assert resolved.exists
    assert [name for name in entries(request, resolved) if name.startswith("0002")] == []
