"""`mlflow run` and `projrun run` of one project, and what may differ in their records, with the reason."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest

from tests.integration.records import Recorded, read_run, run_ids
from tests.support.commands import projrun_argv, run_command

# Tags that MLflow does not set, and why we do.
OUR_TAGS = {
    "mlflow.source.git.branch": "the branch is recorded also without --version",
    "mlflow.gitBranchName": "the branch is recorded also without --version",
    "mlflow.project.env": "recorded for local too",
}
MLFLOW2_TAGS = {
    "mlflow.gitRepoURL": "the old name of mlflow.source.git.repoURL; MLflow 3 no longer sets it, and so do we",
}
OUR_TAG_PREFIX = "projrun."
OUR_ARTIFACT_FOLDERS = ("logs/", "environment/", "source/")
DIFFERENT_FOR_EVERY_RUN = frozenset({"mlflow.runName", "mlflow.log-model.history"})
"""Random names, and for MLflow 2 a list of models with ids and times."""


class Case(NamedTuple):
    """A project and its parameters, as both are given them."""

    project: str
    parameters: tuple[str, ...]
    line: str = "3"
    """The line of the mlflow client and server."""
    quoted: frozenset[str] = frozenset()
    """Params whose recorded text MLflow shell-quotes, a known bug that is not copied."""


class Pair(NamedTuple):
    """What both left of the same command line."""

    theirs: Recorded
    ours: Recorded
    codes: tuple[int, int]
    said: str
    """What projrun printed on stderr."""


class Runners:
    """`mlflow run` and `projrun run` with the same arguments, recorded on one server."""

    def __init__(self, line: str, folder: Path, request: pytest.FixtureRequest) -> None:
        self.python: Path = request.getfixturevalue(f"mlflow{line}_python")
        self.server: str = request.getfixturevalue(f"mlflow{line}_server")
        self.folder = folder
        self.experiment = f"comparison-{uuid4().hex}"
        self.environ = {
            "MLFLOW_TRACKING_URI": self.server,
            "PATH": f"{self.python.parent}{os.pathsep}{os.environ['PATH']}",
        }

    def both(self, *arguments: str, env_manager: str = "local") -> Pair:
        """The environment manager is projrun's; MLflow's is `local`."""
        theirs, their_code, _ = self._record([self.python.parent / "mlflow", "run", *arguments], "local")
        own, our_code, said = self._record([*projrun_argv(), "run", *arguments], env_manager)
        return Pair(theirs, own, (their_code, our_code), said)

    def _record(self, command: list[str | Path], env_manager: str) -> tuple[Recorded, int, str]:
        before = set(run_ids(self.python, self.server, self.experiment))
        command += ["--env-manager", env_manager, "--experiment-name", self.experiment]
        done = run_command(command, cwd=self.folder, environ=self.environ, timeout=300)
        new = set(run_ids(self.python, self.server, self.experiment)) - before
        assert len(new) == 1, done.stderr
        return read_run(self.python, self.server, new.pop()), done.returncode, done.stderr


def assert_same_record(pair: Pair, case: Case) -> None:
    ours, theirs = pair.ours, pair.theirs
    assert ours.status == theirs.status
    assert ours.user == theirs.user
    assert ours.metrics == theirs.metrics
    assert ours.outputs == theirs.outputs
    assert _params(ours, case) == _params(theirs, case)
    assert _tags(ours) == _tags(theirs)
    assert _artifacts(ours) == theirs.artifacts


def _params(recorded: Recorded, case: Case) -> dict[str, str]:
    return {
        name: value.strip("'") if name in case.quoted else value for name, value in recorded.params.items()
    }


def _tags(recorded: Recorded) -> dict[str, str]:
    left_out = {*OUR_TAGS, *MLFLOW2_TAGS, *DIFFERENT_FOR_EVERY_RUN}
    return {
        name: value
        for name, value in recorded.tags.items()
        if name not in left_out and not name.startswith(OUR_TAG_PREFIX)
    }


def _artifacts(recorded: Recorded) -> list[str]:
    return [path for path in recorded.artifacts if not path.startswith(OUR_ARTIFACT_FOLDERS)]
