"""What uv alone does: locked projects, pip's configuration handed over, interpreters downloaded."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import platform
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from projrun.environments.protocol import EnvironmentRequest, PreparedEnvironment
from projrun.errors import EnvironmentBuildError
from projrun_backends.environments.options import UvOptions
from projrun_backends.environments.python.uv import UvEnvironment, find_uv
from tests.backends.environments.python.packages import (
    make_request,
    make_source_tree,
    make_wheel,
    offline,
    write_files,
)
from tests.support.commands import missing

pytestmark = pytest.mark.integration  # builds real environments

PROJECT = '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.8"\ndependencies = ["sprocket"]\n'


@pytest.fixture(scope="module", autouse=True)
def _uv() -> None:
    if find_uv(os.environ) is None:
        missing("uv is not installed")


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    make_wheel(tmp_path / "wheels", "sprocket", "1.0")
    return tmp_path / "wheels"


def build(request: EnvironmentRequest) -> PreparedEnvironment:
    manager = UvEnvironment()
    return manager.prepare(request, manager.resolve(request), rebuild=False, progress=lambda line: None)


def says(prepared: PreparedEnvironment, script: str) -> str:
    python = prepared.path_prefix[0] / "python"
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True, cwd="/")
    return done.stdout.strip()


def lock(project: Path, wheels: Path) -> None:
    argv = [
        str(find_uv(os.environ)),
        "lock",
        "--no-index",
        "--find-links",
        str(wheels),
        "--python",
        sys.executable,
    ]
    subprocess.run(argv, cwd=project, env=offline(wheels), check=True, capture_output=True)


def test_a_cache_that_uv_cannot_write_is_no_reason_to_fail(tmp_path: Path, wheels: Path) -> None:
    project = write_files(tmp_path / "project", {"requirements.txt": "sprocket<2\n"})
    environ = {**offline(wheels), "UV_CACHE_DIR": f"{os.devnull}/cache"}
    prepared = build(make_request(project, "requirements", "requirements.txt", environ=environ))
    assert says(prepared, "import sprocket; print(sprocket.VERSION)") == "1.0"


def test_without_uv_the_error_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    request = make_request(tmp_path, "none", environ={"HOME": str(tmp_path), "PATH": "/nowhere"})
    with pytest.raises(EnvironmentBuildError, match="uv is not installed") as raised:
        UvEnvironment().resolve(request)
    assert raised.value.hint == "pip install uv, or use --env-manager=virtualenv"


def test_a_locked_project_is_installed_as_locked(tmp_path: Path, wheels: Path) -> None:
    project = write_files(tmp_path / "project", {"pyproject.toml": PROJECT})
    lock(project, wheels)
    make_wheel(wheels, "sprocket", "2.0")
    before = (project / "uv.lock").read_text()
    request = make_request(project, "uv_env", "pyproject.toml", environ=offline(wheels))
    prepared = build(request)
    assert prepared.lock is not None
    assert prepared.lock.splitlines()[2:] == ["sprocket==1.0"]
    assert says(prepared, "import sprocket; print(sprocket.VERSION)") == "1.0"
    assert (project / "uv.lock").read_text() == before
    assert sorted(path.name for path in project.iterdir()) == ["pyproject.toml", "uv.lock"]
    assert not build(request).built
    lock(project, wheels)
    (project / "uv.lock").write_text(before.replace("sprocket", "sprocket") + "\n# locked again\n")
    assert not UvEnvironment().resolve(request).exists


def test_a_project_without_lock_leaves_none_behind(tmp_path: Path, wheels: Path) -> None:
    make_source_tree(tmp_path / "gear", "gear")
    sources = '[tool.uv.sources]\ngear = { path = "../gear" }\n'
    text = PROJECT.replace('"sprocket"', '"sprocket", "gear"') + sources
    project = write_files(tmp_path / "project", {"pyproject.toml": text})
    request = make_request(project, "uv_env", "pyproject.toml", environ=offline(wheels))
    assert says(build(request), "import gear, sprocket; print(gear.VERSION)") == "1.0"
    assert sorted(path.name for path in project.iterdir()) == ["pyproject.toml"]
    (tmp_path / "gear/gear.py").write_text("VERSION = 'changed'\n")
    assert says(build(request), "import gear; print(gear.VERSION)") == "changed"


@pytest.mark.parametrize("locked", [True, False])
def test_a_package_is_editable_but_a_copy_in_a_temporary_checkout(
    tmp_path: Path, wheels: Path, locked: bool
) -> None:
    project = make_source_tree(tmp_path / "project", "gearbox")
    if locked:
        lock(project, wheels)

    def ask(*, temporary: bool) -> EnvironmentRequest:
        return make_request(
            project, "uv_env", "pyproject.toml", environ=offline(wheels), temporary_checkout=temporary
        )

    version = "import gearbox; print(gearbox.VERSION)"
    own, copied = build(ask(temporary=False)), build(ask(temporary=True))
    (project / "gearbox.py").write_text("VERSION = 'changed'\n")
    assert (says(own, version), says(copied, version)) == ("changed", "1.0")
    assert not build(ask(temporary=False)).built
    assert says(build(ask(temporary=True)), version) == "changed"


class _Guarded(SimpleHTTPRequestHandler):
    """Serves a folder to whoever knows the password."""

    def do_GET(self) -> None:
        wanted = "Basic " + base64.b64encode(b"me:hush-hush").decode()
        if self.headers.get("Authorization") != wanted:
            self.send_error(401)
            return
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:  # the name is the standard library's
        """Nothing on stderr."""


@pytest.fixture
def company_index(tmp_path: Path) -> Iterator[str]:
    make_wheel(tmp_path / "index/simple/cog", "cog", "1.0")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Guarded, directory=str(tmp_path / "index")))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://me:hush-hush@127.0.0.1:{server.server_port}/simple"
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_index_of_pips_configuration_file_is_used(tmp_path: Path, company_index: str) -> None:
    project = write_files(
        tmp_path / "project",
        {
            "requirements.txt": "cog\n",
            "pip.conf": f"[global]\nindex-url = {company_index}\nextra-index-url = file:///no/such/simple\n",
        },
    )
    environ = {**offline(tmp_path), "PIP_CONFIG_FILE": str(project / "pip.conf")}
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS"):
        environ.pop(name)
    prepared = build(make_request(project, "requirements", "requirements.txt", environ=environ))
    assert says(prepared, "import cog; print(cog.VERSION)") == "1.0"
    assert prepared.build_log is not None
    assert "hush" not in prepared.build_log.read_text()


def test_an_interpreter_is_downloaded_only_where_that_is_allowed(tmp_path: Path, wheels: Path) -> None:
    project = write_files(tmp_path / "project", {"python_env.yaml": 'python: "3.99"\n'})
    request = make_request(project, "python_env", "python_env.yaml", environ=offline(wheels))
    with pytest.raises(EnvironmentBuildError, match=r"Python 3\.99 not found"):
        UvEnvironment().resolve(request)
    old = write_files(tmp_path / "old", {"python_env.yaml": "python: 3.5.99\n"})
    with pytest.raises(EnvironmentBuildError, match="not found") as raised:
        UvEnvironment().resolve(make_request(old, "python_env", "python_env.yaml", environ=offline(wheels)))
    assert raised.value.hint.startswith("install it with `pyenv install 3.5.99`"), "uv has none so old"
    allowed = request._replace(options=UvOptions(python_downloads="--python-downloads"))
    resolved = UvEnvironment().resolve(allowed)
    assert (resolved.exists, resolved.summary) == (False, "uv, Python 3.99, which uv downloads first")
    with pytest.raises(EnvironmentBuildError, match="and uv could not download it") as raised:
        build(allowed)
    assert "3.99" in raised.value.detail


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the archive is made for Linux")
def test_a_downloaded_interpreter_is_used(tmp_path: Path, wheels: Path) -> None:
    stored = tmp_path / "archive.tar.gz"
    version = "3.13.99"
    stub = tmp_path / "python/bin/python3.13"
    write_files(
        tmp_path,
        {
            "python/bin/python3.13": f'#!/bin/sh\nexec {sys.executable} "$@"\n',
            f"python/lib/python3.13/_sysconfigdata__linux_{platform.machine()}-linux-gnu.py": (
                "# system configuration generated and used by the sysconfig module\nbuild_time_vars = {}\n"
            ),
        },
    )
    stub.chmod(0o755)
    (stub.parent / "python3").symlink_to("python3.13")
    with tarfile.open(stored, "w:gz") as archive:
        archive.add(tmp_path / "python", "python")
    listed = {
        f"cpython-{version}-linux-{platform.machine()}-gnu": {
            "name": "cpython",
            "arch": {"family": platform.machine(), "variant": None},
            "os": "linux",
            "libc": "gnu",
            "major": 3,
            "minor": 13,
            "patch": 99,
            "prerelease": "",
            "url": stored.as_uri(),
            "sha256": hashlib.sha256(stored.read_bytes()).hexdigest(),
            "variant": None,
            "build": "20240101",
        }
    }
    (tmp_path / "downloads.json").write_text(json.dumps(listed))
    project = write_files(tmp_path / "project", {"python_env.yaml": f'python: "{version}"\n'})
    environ = {
        **offline(wheels),
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_PYTHON_DOWNLOADS_JSON_URL": str(tmp_path / "downloads.json"),
        "UV_PYTHON_INSTALL_DIR": str(tmp_path / "store"),
    }
    request = make_request(project, "python_env", "python_env.yaml", environ=environ)
    request = request._replace(options=UvOptions(python_downloads="--python-downloads"))
    prepared = build(request)
    assert prepared.built
    assert not (Path(environ["HOME"]) / ".local/bin").exists()
    assert f"cpython-{version}" in str(UvEnvironment().resolve(request).python)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if "__pycache__" not in path.parts)


def test_a_member_of_a_workspace_is_installed_as_the_workspace_is_locked(
    tmp_path: Path, wheels: Path
) -> None:
    sources = "[tool.uv.sources]\ngear = { workspace = true }\n"
    root = write_files(
        tmp_path / "root",
        {
            "pyproject.toml": '[tool.uv.workspace]\nmembers = ["train", "gear"]\n',
            "train/pyproject.toml": PROJECT.replace('"sprocket"', '"sprocket", "gear"') + sources,
        },
    )
    make_source_tree(root / "gear", "gear")
    lock(root, wheels)
    make_wheel(wheels, "sprocket", "2.0")
    before = files(root)
    request = make_request(
        root / "train", "uv_env", "pyproject.toml", environ=offline(wheels), cache=tmp_path / "cache"
    )
    prepared = build(request)
    assert says(prepared, "import gear, sprocket; print(gear.VERSION, sprocket.VERSION)") == "1.0 1.0"
    assert files(root) == before
    write_files(root, {"uv.lock": (root / "uv.lock").read_text() + "\n# locked again\n"})
    assert not UvEnvironment().resolve(request).exists


def test_a_folder_below_a_workspace_that_is_no_member_is_a_project_of_its_own(
    tmp_path: Path, wheels: Path
) -> None:
    root = write_files(
        tmp_path / "root",
        {
            "pyproject.toml": '[tool.uv.workspace]\nmembers = ["gear"]\nexclude = ["train"]\n',
            "train/pyproject.toml": PROJECT,
        },
    )
    make_source_tree(root / "gear", "gear")
    lock(root, wheels)
    make_wheel(wheels, "sprocket", "2.0")
    request = make_request(root / "train", "uv_env", "pyproject.toml", environ=offline(wheels))
    assert says(build(request), "import sprocket; print(sprocket.VERSION)") == "2.0"


def test_groups_for_development_are_installed_as_uv_does(tmp_path: Path, wheels: Path) -> None:
    make_wheel(wheels, "cog", "1.0")
    text = PROJECT + '[dependency-groups]\ndev = ["cog"]\n'
    project = write_files(tmp_path / "project", {"pyproject.toml": text})
    lock(project, wheels)
    request = make_request(project, "uv_env", "pyproject.toml", environ=offline(wheels))
    assert says(build(request), "import cog; print(cog.VERSION)") == "1.0"
    without = request._replace(environ={**request.environ, "UV_NO_DEV": "1"})
    assert not UvEnvironment().resolve(without).exists
    assert "cog" not in (build(without).lock or "")


def test_the_indexes_of_a_project_of_uvs_own(tmp_path: Path, wheels: Path) -> None:
    text = PROJECT + '[tool.uv]\nno-index = true\nfind-links = ["../wheels"]\n'
    project = write_files(tmp_path / "project", {"pyproject.toml": text})
    environ = offline(wheels)
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS"):
        del environ[name]
    request = make_request(project, "uv_env", "pyproject.toml", environ=environ)
    prepared = build(request)
    assert says(prepared, "import sprocket; print(sprocket.VERSION)") == "1.0"
    (tmp_path / "recorded.txt").write_text(prepared.lock or "")
    make_wheel(wheels, "sprocket", "2.0")
    locked = build(request._replace(lock_file=tmp_path / "recorded.txt"))
    assert locked.lock == prepared.lock


def test_a_recorded_lock_of_a_package_builds_it_from_any_checkout(tmp_path: Path, wheels: Path) -> None:
    project = make_source_tree(tmp_path / "project", "gearbox")
    lock(project, wheels)
    request = make_request(
        project, "uv_env", "pyproject.toml", environ=offline(wheels), temporary_checkout=True
    )
    recorded = build(request).lock or ""
    assert recorded.splitlines()[2:] == ["."]
    (tmp_path / "recorded.txt").write_text(recorded)
    elsewhere = make_source_tree(tmp_path / "elsewhere", "gearbox")
    lock(elsewhere, wheels)
    moved = make_request(
        elsewhere, "uv_env", "pyproject.toml", environ=offline(wheels), temporary_checkout=True
    )
    locked = build(moved._replace(lock_file=tmp_path / "recorded.txt"))
    assert locked.lock == recorded
    assert says(locked, "import gearbox; print(gearbox.VERSION)") == "1.0"


def test_what_every_step_installs_is_compiled(tmp_path: Path, wheels: Path) -> None:
    make_wheel(wheels, "cog", "1.0")
    text = "build_dependencies: [cog]\ndependencies: [sprocket]\n"
    project = write_files(tmp_path / "project", {"python_env.yaml": text})
    environ = {**offline(wheels), "PYTHONDONTWRITEBYTECODE": "1"}
    prepared = build(make_request(project, "python_env", "python_env.yaml", environ=environ))
    library = Path(prepared.environ["VIRTUAL_ENV"])
    compiled = {path.name.partition(".")[0] for path in library.glob("lib/*/site-packages/__pycache__/*")}
    assert {"cog", "sprocket"} <= compiled


def test_no_bytecode_of_a_replaced_version_is_used(tmp_path: Path, wheels: Path) -> None:
    # Equal in size and date, as modules of reproducible wheels often are: Python could not tell their bytecode apart.
    make_wheel(wheels, "sprocket", "2.0")
    for wheel in wheels.iterdir():
        os.utime(wheel, (1_600_000_000, 1_600_000_000))
    text = "build_dependencies: ['sprocket==1.0']\ndependencies: ['sprocket==2.0']\n"
    project = write_files(tmp_path / "project", {"python_env.yaml": text})
    environ = {**offline(wheels), "PYTHONDONTWRITEBYTECODE": "1"}
    prepared = build(make_request(project, "python_env", "python_env.yaml", environ=environ))
    module = next(Path(prepared.environ["VIRTUAL_ENV"]).glob("lib/*/site-packages/sprocket.py"))
    (compiled,) = (module.parent / "__pycache__").glob("sprocket.*.pyc")
    assert b"2.0" in compiled.read_bytes()
    assert b"1.0" not in compiled.read_bytes()
    assert says(prepared, "import sprocket; print(sprocket.VERSION)") == "2.0"
