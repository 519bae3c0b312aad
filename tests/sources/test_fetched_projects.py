"""What is wrong with a fetched project is told of its address: its folder in the cache means nothing to people."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sources.git_servers import GitServer, Repository
from tests.support.commands import run_projrun


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
