"""The source's tags are those of `mlflow run`: asked of a real mlflow, in one process for all layouts."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from projrun.sources.fetch import discard, fetch
from projrun.sources.options import FetchOptions
from projrun.sources.provenance import source_tags
from tests.sources.git_servers import GitServer, git, make_repository, serving

ASK_MLFLOW = """
import json, sys
import mlflow
answers = []
for uri, version in json.loads(sys.argv[1]):
    run = mlflow.projects.run(uri, version=version, env_manager="local")
    tags = mlflow.get_run(run.run_id).data.tags
    answers.append({key: tags[key] for key in tags if key == "mlflow.source.name" or "git" in key.lower()})
print("answers:" + json.dumps(answers))
"""
BRANCH_TAGS = {"mlflow.source.git.branch", "mlflow.gitBranchName"}


def ask_mlflow(python: Path, requests: list[tuple[str, str | None]], folder: Path) -> list[dict[str, str]]:
    environ = {
        **os.environ,
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db",
        "PATH": f"{python.parent}:{os.environ['PATH']}",
    }
    argv = [str(python), "-c", ASK_MLFLOW, json.dumps(requests)]
    done = subprocess.run(
        argv, env=environ, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("answers:")]
    answers: list[dict[str, str]] = json.loads(line.partition(":")[2])
    return answers


@pytest.mark.integration
def test_the_tags_are_mlflows(mlflow3_python: Path, tmp_path: Path) -> None:
    person = dict.fromkeys(
        ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"), "t@t"
    )
    environ = {**os.environ, **person}
    repository = make_repository(tmp_path / "a repository", environ)
    git(tmp_path, "clone", "--quiet", "--bare", str(repository.path), "served/r.git", environ=environ)
    git(tmp_path, "clone", "--quiet", "served/r.git", "clone", environ=environ)
    git(tmp_path / "clone", "remote", "set-url", "origin", "https://me:secret@host/o/r.git", environ=environ)
    (tmp_path / "plain" / "sub").mkdir(parents=True)
    for folder in (tmp_path / "plain", tmp_path / "plain" / "sub"):
        (folder / "MLproject").write_text('entry_points:\n  main:\n    command: "true"\n')
    server = GitServer(tmp_path / "served", environ)
    url = server.url("r.git")
    requests: list[tuple[str, str | None]] = [
        (str(tmp_path / "plain"), None),
        (str(tmp_path / "plain") + "#sub", None),
        (str(repository.path), None),
        (str(repository.path / "examples" / "v1.2"), None),
        (str(repository.path) + "#examples/train", None),
        (str(tmp_path / "clone"), None),
        (url, None),
        (url + "#examples/train", None),
        (url, "feature"),
        (url, "v1"),
        (url, repository.second),
    ]
    with serving(server):
        theirs = ask_mlflow(mlflow3_python, requests, tmp_path)
        for (uri, version), expected in zip(requests, theirs, strict=True):
            checkout = fetch(uri, version, FetchOptions(tmp_path / "cache", environ, tmp_path))
            discard(checkout)
            tags = source_tags(checkout)
            ours = {key: value for key, value in tags.items() if not key.startswith("projrun.")}
            # On purpose (docs/mlproject.md): the branch is recorded without --version too.
            assert {
                key: value for key, value in ours.items() if key not in BRANCH_TAGS or key in expected
            } == expected
            assert ours.get("mlflow.source.git.branch") == checkout.branch
