"""What is wrong with a fetched project is told of its address: its folder in the cache means nothing to people."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sources.git_servers import GitServer, Repository
from tests.support.commands import run_projrun

pytestmark = pytest.mark.processes


@pytest.mark.parametrize(
    ("folder", "told"),
    [
        ("empty", "no entry point 'main': the project has no MLproject file ({uri} at main)"),
        ("away", "MLproject is a link that leaves the project ({uri} at main)"),
        ("folder", "MLproject is a folder ({uri} at main)"),
        ("wrong", "MLproject:1:1:"),
    ],
)
@pytest.mark.parametrize("command", ["run", "plan"])
def test_what_is_wrong(
    server: GitServer, repository: Repository, tmp_path: Path, folder: str, told: str, command: str
) -> None:
    for name in ("empty", "away", "folder/MLproject", "wrong"):
        (repository.path / name).mkdir(parents=True)
        (repository.path / name / "file").touch()
    (repository.path / "away" / "MLproject").symlink_to("/etc/passwd")
    (repository.path / "wrong" / "MLproject").write_text("- x")
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "-m", "wrong")
    repository.git("push", "--quiet", str(server.root / "repository.git"), "main")
    home = tmp_path / "home"
    uri = f"{server.url('repository.git')}#{folder}"
    done = run_projrun(command, uri, "--version=main", cwd=tmp_path, environ={"PROJRUN_HOME": str(home)})
    assert done.returncode == 2
    assert told.format(uri=uri) in done.stderr
    assert uri in done.stderr
    assert str(home) not in done.stderr


@pytest.mark.parametrize(
    ("named", "code", "told"),
    [
        ("../env.yaml", 0, ""),
        ("link.yaml", 0, ""),
        ("../../../../../../etc/hostname", 2, "leaves the fetched project"),
        ("/etc/hostname", 2, "leaves the fetched project"),
        ("away.yaml", 2, "leaves the fetched project"),
    ],
)
def test_an_environment_file_above_the_project(
    repository: Repository, tmp_path: Path, named: str, code: int, told: str
) -> None:
    """In the folder itself any file that can be read, in a checkout any file of the repository."""
    folder = repository.path / "sub"
    folder.mkdir()
    (repository.path / "env.yaml").write_text("python: '3'\n")
    (folder / "link.yaml").symlink_to("../env.yaml")
    (folder / "away.yaml").symlink_to("/etc/hostname")
    (folder / "MLproject").write_text(f"python_env: {named}\nentry_points: {{main: {{command: 'true'}}}}\n")
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "-m", "above")
    environ, uri = {"PROJRUN_HOME": str(tmp_path / "home")}, f"{repository.path}#sub"
    fetched = run_projrun("run", uri, "-v", "main", "--env-manager=local", cwd=tmp_path, environ=environ)
    assert (fetched.returncode, told in fetched.stderr) == (code, True), fetched.stderr
    if (
        Path(named).name != "hostname" or Path(named).is_absolute()
    ):  # the relative one leads elsewhere from here
        run_projrun("run", uri, "--env-manager=local", cwd=tmp_path, environ=environ).check()
