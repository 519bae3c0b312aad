"""Choosing an environment manager, and saying why."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from projrun.environments.protocol import EnvironmentRequest
from projrun.environments.registry import get_manager, select_manager
from projrun.errors import EnvironmentBuildError, RequestError
from projrun.project.loader import load_project
from projrun.project.model import DockerEnv, EnvironmentReference
from projrun_backends.environments.python.uv import find_uv

if TYPE_CHECKING:
    from projrun.project.model import EnvironmentKind

KINDS: tuple[EnvironmentKind, ...] = (
    "python_env",
    "conda_env",
    "uv_env",
    "requirements",
    "docker_env",
    "none",
)


def reference(kind: EnvironmentKind) -> EnvironmentReference:
    return EnvironmentReference(
        kind, Path("/project/environment.file") if kind not in ("docker_env", "none") else None
    )


def asked(reference: EnvironmentReference, environ: Mapping[str, str]) -> EnvironmentRequest:
    return EnvironmentRequest(Path("/project"), reference, Path("/dev/null/cache"), environ)


@pytest.fixture
def with_uv(tmp_path: Path) -> dict[str, str]:
    program = tmp_path / "bin/uv"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return {"HOME": str(tmp_path), "PATH": str(program.parent)}


@pytest.fixture
def without_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin/python"))
    return {"HOME": str(tmp_path), "PATH": str(tmp_path / "nowhere")}


@pytest.mark.parametrize("name", ["local", "virtualenv", "uv", "docker"])
def test_built_in_managers_have_the_names_they_are_called_by(name: str) -> None:
    assert get_manager(name).name == name


def test_an_unknown_name_is_a_mistake_of_the_request() -> None:
    with pytest.raises(
        RequestError, match="unknown environment manager 'virtualenvs'; did you mean 'virtualenv'"
    ):
        get_manager("virtualenvs")


@pytest.mark.parametrize("kind", ["python_env", "uv_env", "requirements", "none"])
def test_uv_is_chosen_where_it_is_installed(kind: EnvironmentKind, with_uv: dict[str, str]) -> None:
    selection = select_manager(None, "", asked(reference(kind), with_uv))
    assert selection.manager.name == "uv"
    assert selection.reason == f"uv: found at {with_uv['PATH']}/uv"


@pytest.mark.parametrize("kind", ["python_env", "requirements", "none"])
def test_virtualenv_where_uv_is_not_installed(kind: EnvironmentKind, without_uv: dict[str, str]) -> None:
    selection = select_manager(None, "", asked(reference(kind), without_uv))
    assert (selection.manager.name, selection.reason) == ("virtualenv", "virtualenv: uv is not installed")


def conda_file(folder: Path, dependencies: str, channel: str = "channel") -> EnvironmentReference:
    """With one channel: the folder `channel`, which is there."""
    (folder / "channel").mkdir(exist_ok=True)
    file = folder / "conda.yaml"
    file.write_text(f"channels: [nodefaults, ./{channel}]\ndependencies: {dependencies}\n")
    return EnvironmentReference("conda_env", file)


@pytest.mark.parametrize(
    ("dependencies", "name"),
    [
        ("[python=3.11, pip, conda-forge::setuptools, {pip: [numpy]}]", "uv"),
        ("", "uv"),
        ("[python=3.11, numpy]", "conda"),
        ("['https://host/noarch/x-1-0.conda']", "conda"),
    ],
)
def test_conda_is_chosen_for_what_pip_cannot_install(
    tmp_path: Path, with_uv: dict[str, str], dependencies: str, name: str
) -> None:
    pytest.importorskip("rattler")
    selection = select_manager(None, "", asked(conda_file(tmp_path, dependencies), with_uv))
    assert (selection.manager.name, selection.instead) == (name, "")
    if name == "conda":
        assert selection.reason == "conda: conda.yaml needs more than pip can install"


def test_a_translation_is_chosen_where_a_channel_does_not_answer(
    tmp_path: Path, with_uv: dict[str, str]
) -> None:
    pytest.importorskip("rattler")
    request = asked(conda_file(tmp_path, "[numpy]", "gone"), with_uv)
    selection = select_manager(None, "", request)
    why = f"the conda channel {(tmp_path / 'gone').as_uri()} does not answer"
    assert (selection.manager.name, selection.reason, selection.instead) == ("uv", f"uv: {why}", why)
    assert select_manager("conda", "--env-manager", request).manager.name == "conda"


def test_what_cannot_be_translated_stays_condas(tmp_path: Path, with_uv: dict[str, str]) -> None:
    pytest.importorskip("rattler")
    request = asked(conda_file(tmp_path, "[numpy, openjdk]", "gone"), with_uv)
    assert select_manager(None, "", request).manager.name == "conda"


def test_a_translation_is_chosen_where_conda_is_not_installed(
    tmp_path: Path, with_uv: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rattler", None)
    selection = select_manager(None, "", asked(conda_file(tmp_path, "[numpy]"), with_uv))
    assert (selection.manager.name, selection.reason) == ("uv", "uv: conda is not installed")
    assert selection.instead == "conda is not installed"
    untranslatable = asked(conda_file(tmp_path, "[numpy, openjdk, r-base]"), with_uv)
    with pytest.raises(EnvironmentBuildError, match=r"only conda can install: openjdk, r-base$"):
        select_manager(None, "", untranslatable)


def test_a_translation_by_virtualenv_without_uv(
    tmp_path: Path, without_uv: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rattler", None)
    selection = select_manager(None, "", asked(conda_file(tmp_path, "[numpy]"), without_uv))
    assert (selection.manager.name, selection.reason) == ("virtualenv", "virtualenv: conda is not installed")


@pytest.mark.parametrize(
    ("channel", "lock", "name"),
    [
        ("channel", "python", "uv"),
        ("gone", "python", "uv"),
        ("channel", "conda", "conda"),
        ("gone", "conda", "conda"),
    ],
)
def test_a_lock_decides_whatever_answers(
    tmp_path: Path, with_uv: dict[str, str], channel: str, lock: str, name: str
) -> None:
    pytest.importorskip("rattler")
    request = asked(conda_file(tmp_path, "[numpy]", channel), with_uv)
    selection = select_manager(None, "", request, lock)
    assert (selection.manager.name, selection.instead) == (name, "")


def test_a_conda_file_that_is_wrong_is_found_when_choosing(tmp_path: Path, with_uv: dict[str, str]) -> None:
    (tmp_path / "conda.yaml").write_text("dependencies: [x: y]\n")
    with pytest.raises(RequestError, match=r"conda\.yaml:1:16: 'x' is not `pip`"):
        select_manager(None, "", asked(EnvironmentReference("conda_env", tmp_path / "conda.yaml"), with_uv))


def test_conda_serves_conda_files_alone(with_uv: dict[str, str]) -> None:
    with pytest.raises(EnvironmentBuildError, match=r"'conda' cannot build environment\.file") as raised:
        select_manager("conda", "--env-manager", asked(reference("python_env"), with_uv))
    assert raised.value.hint == "managers that can: local, virtualenv, uv"


def test_what_only_uv_installs_needs_uv(without_uv: dict[str, str]) -> None:
    with pytest.raises(
        EnvironmentBuildError, match=r"environment\.file needs uv, which is not installed"
    ) as raised:
        select_manager(None, "", asked(reference("uv_env"), without_uv))
    assert "pip install uv" in raised.value.hint
    with pytest.raises(EnvironmentBuildError, match="'virtualenv' cannot build environment") as raised:
        select_manager("virtualenv", "--env-manager", asked(reference("uv_env"), without_uv))
    assert raised.value.hint == "managers that can: local, uv"


DOCKER = EnvironmentReference("docker_env", docker=DockerEnv("image"))


@pytest.fixture
def with_docker(with_uv: dict[str, str]) -> dict[str, str]:
    program = Path(with_uv["PATH"]) / "docker"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return with_uv


def test_docker_projects_use_docker(with_docker: dict[str, str]) -> None:
    selection = select_manager(None, "", asked(DOCKER, with_docker))
    assert selection.manager.name == "docker"
    assert selection.reason == f"docker: found at {with_docker['PATH']}/docker"


def test_docker_projects_use_docker_whatever_a_driver_chose(with_docker: dict[str, str]) -> None:
    selection = select_manager("uv", "$PROJRUN_ENV_MANAGER", asked(DOCKER, with_docker))
    assert selection.manager.name == "docker"
    assert selection.reason == "docker: the project's docker_env, despite $PROJRUN_ENV_MANAGER"


def test_docker_projects_need_docker(with_uv: dict[str, str]) -> None:
    with pytest.raises(
        EnvironmentBuildError, match="needs the program docker, which is not on PATH"
    ) as raised:
        select_manager(None, "", asked(DOCKER, with_uv))
    assert "docs.docker.com" in raised.value.hint


def test_docker_serves_no_other_project(with_docker: dict[str, str]) -> None:
    with pytest.raises(EnvironmentBuildError, match="'docker' cannot build") as raised:
        select_manager("docker", "--env-manager", asked(reference("python_env"), with_docker))
    assert "uv" in raised.value.hint
    without = "'docker' cannot build a project without an environment file"
    with pytest.raises(EnvironmentBuildError, match=without):
        select_manager("docker", "--env-manager", asked(reference("none"), with_docker))


@pytest.mark.parametrize("kind", KINDS)
def test_local_works_with_every_project(kind: EnvironmentKind, without_uv: dict[str, str]) -> None:
    selection = select_manager("local", "$PROJRUN_ENV_MANAGER", asked(reference(kind), without_uv))
    assert selection.reason == "local: $PROJRUN_ENV_MANAGER"


FOREIGN = """
from projrun.environments.protocol import Capabilities, ResolvedEnvironment, PreparedEnvironment

class Pixi:
    name = "pixi"
    capabilities = Capabilities(kinds=frozenset({"pixi_env"}))
    def available(self, environ): return "WITHOUT_PIXI" not in environ
    def resolve(self, request): return ResolvedEnvironment("pixi", "pixi", recorded_kind="pixi")
    def prepare(self, request, resolved, *, rebuild, progress): return PreparedEnvironment({})
"""


@pytest.fixture
def pixi_project(tmp_path: Path) -> EnvironmentReference:
    project = tmp_path / "project"
    project.mkdir()
    (project / "MLproject").write_text("pixi_env: pixi.toml\nentry_points: {main: {command: 'true'}}\n")
    (project / "pixi.toml").touch()
    return load_project(project).environment


@pytest.fixture
def pixi_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    metadata = site / "foreign_pixi-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / "foreign_pixi.py").write_text(FOREIGN)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-pixi\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[projrun.environments]\npixi = foreign_pixi:Pixi\n")
    monkeypatch.syspath_prepend(site)


@pytest.mark.usefixtures("pixi_installed")
def test_another_packages_manager_is_chosen_for_its_kind(
    pixi_project: EnvironmentReference, with_uv: dict[str, str]
) -> None:
    selection = select_manager(None, "", asked(pixi_project, with_uv))
    assert (selection.manager.name, selection.reason) == ("pixi", "pixi: default")
    assert select_manager(None, "", asked(reference("python_env"), with_uv)).manager.name == "uv"
    with pytest.raises(EnvironmentBuildError, match=r"'uv' cannot build pixi\.toml") as raised:
        select_manager("uv", "--env-manager", asked(pixi_project, with_uv))
    assert raised.value.hint == "managers that can: local, pixi"
    with pytest.raises(
        EnvironmentBuildError, match=r"pixi\.toml needs pixi, which is not installed"
    ) as raised:
        select_manager(None, "", asked(pixi_project, {**with_uv, "WITHOUT_PIXI": "1"}))
    assert raised.value.hint == "use --env-manager=local"


def test_a_kind_that_nothing_builds_is_refused(
    pixi_project: EnvironmentReference, with_uv: dict[str, str]
) -> None:
    with pytest.raises(EnvironmentBuildError, match=r"no environment manager builds pixi\.toml") as raised:
        select_manager(None, "", asked(pixi_project, with_uv))
    assert "provides one for pixi_env" in raised.value.hint
    assert select_manager("local", "--env-manager", asked(pixi_project, with_uv)).manager.name == "local"


def test_uv_is_looked_for_past_shims(tmp_path: Path, without_uv: dict[str, str]) -> None:
    def put(folder: str) -> Path:
        program = tmp_path / folder / "uv"
        program.parent.mkdir(parents=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        return program

    put(".pyenv/shims")
    without_uv["PATH"] = f"{tmp_path}/.pyenv/shims:{tmp_path}/path"
    assert find_uv(without_uv) is None
    for folder in (
        ".pyenv/versions/3.11.7/bin",
        ".pyenv/versions/3.12.1/bin",
        ".cargo/bin",
        ".local/bin",
        "bin",
        "path",
    ):
        expected = put(folder)
        assert find_uv(without_uv) == expected, "each place goes before the ones made earlier"


def test_the_local_manager_costs_next_to_nothing() -> None:
    script = (
        "import sys\n"
        "from projrun.environments.registry import select_manager\n"
        "from projrun.project.model import EnvironmentReference\n"
        "from pathlib import Path\n"
        "from projrun.environments.protocol import EnvironmentRequest\n"
        "request = EnvironmentRequest(Path(), EnvironmentReference('none'), Path(), {})\n"
        "select_manager('local', '--env-manager', request)\n"
        "costly = {'yaml', 'hashlib', 'subprocess', 'filelock', 'shutil', 'tempfile', 'logging', 'json'}\n"
        "print(sorted(name for name in sys.modules if name in costly or name.startswith('projrun.environments.')))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['projrun.environments.protocol', 'projrun.environments.registry']"


@pytest.mark.processes
def test_a_project_without_a_conda_file_imports_nothing_of_condas(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("six\n")
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from projrun.environments.protocol import EnvironmentRequest\n"
        "from projrun.environments.registry import select_manager\n"
        "from projrun.project.model import EnvironmentReference\n"
        "folder = Path(sys.argv[1])\n"
        "reference = EnvironmentReference('requirements', folder / 'requirements.txt')\n"
        "request = EnvironmentRequest(folder, reference, folder / 'cache', dict(os.environ))\n"
        "select_manager(None, '', request).manager.resolve(request)\n"
        "words = ('conda', 'translation', 'requests', 'rattler')\n"
        "print([name for name in sys.modules if any(word in name.split('.') for word in words)])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
