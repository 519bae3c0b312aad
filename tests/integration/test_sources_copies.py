"""Runs never share a checkout that they write to."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from tests.sources.git_servers import GitServer, git, serving
from tests.support.commands import run_projrun
from tests.support.projects import write_project
from tests.support.source_bench import Person, files_of, tree_of

pytestmark = pytest.mark.integration

# Each adds a line to a file of its checkout, waits until the other has done so, and counts the lines.
MLPROJECT = """
entry_points:
  main: {command: "bash meet.sh"}
"""
MEET = """
echo "$1" >> data.txt
touch "$MEETING/$$"
for _ in $(seq 600); do
    [ "$(ls "$MEETING" | wc -l)" -ge 2 ] && break
    sleep 0.05
done
echo "lines: $(wc -l < data.txt)"
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose project writes to a file that is under version control."""
    folder = write_project(tmp_path / "served" / "writes", MLPROJECT, meet_sh=MEET, data_txt="first\n")
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "-m", "first"]):
        git(folder, *words, environ=os.environ)
    return folder


def test_two_runs_at_once_do_not_see_each_other(repository: Path, person: Person, tmp_path: Path) -> None:
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    server = GitServer(repository.parent, dict(os.environ))
    with serving(server):
        url = server.url("writes/.git")
        runs = [person.start(url, MEETING=str(meeting)) for _ in range(2)]
        for run in runs:
            output, said = run.communicate(timeout=60)
            assert run.returncode == 0, said
            assert "lines: 2\n" in output
        assert len(list(meeting.iterdir())) == 2
        assert "lines: 2\n" in person.run(url, MEETING=str(meeting)).check().stdout
    (tree,) = person.complete_checkouts()
    assert files_of(tree, os.environ) == tree_of(repository, "HEAD", os.environ)


def test_the_copy_of_a_run_that_is_killed(repository: Path, person: Person, tmp_path: Path) -> None:
    """It is in use for as long as the run lives, then it is somebody's work; pruned where that is asked for."""
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    run = person.start(repository.as_uri(), "--version", "HEAD", MEETING=str(meeting))
    deadline = time.monotonic() + 120
    while not list(meeting.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    _prune(person, "--older-than=0d")
    assert _copies(person) == ["in use"]
    run.kill()
    run.communicate(timeout=60)
    _prune(person)
    assert _copies(person) == ["abandoned"]
    _prune(person, "--older-than=0d")
    assert _copies(person) == []
    assert person.remaining_copies() == []


def test_what_is_kept(person: Person, tmp_path: Path) -> None:
    """A copy stays where the run failed or left something, or on request; and projrun says where."""
    makes = (
        "entry_points: {main: {command: 'touch made'}, fails: {command: 'exit 7'}, works: {command: ':'}}\n"
    )
    folder = write_project(tmp_path / "repository", makes)
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "-m", "first"]):
        git(folder, *words, environ=os.environ)
    for arguments, code, kept in (
        (["-e", "works"], 0, False),
        (["-e", "works", "--keep-workdir"], 0, True),
        (["-e", "main"], 0, True),
        (["-e", "fails"], 7, True),
    ):
        before = set(person.remaining_copies())
        done = person.run(folder, "--version=HEAD", *arguments)
        assert done.returncode == code
        new = set(person.remaining_copies()) - before
        assert len(new) == kept, done.stderr
        assert all(str(copy) in done.stderr for copy in new)
    assert sorted(path.name for path in folder.iterdir()) == [".git", "MLproject"]


def _prune(person: Person, *arguments: str) -> None:
    run_projrun("cache", "prune", *arguments, environ=person.environ).check()


def _copies(person: Person) -> list[str]:
    listed = run_projrun("cache", "list", "--json", environ=person.environ).check()
    found = json.loads(listed.stdout)["sources"]
    return ["in use" if item["in_use"] else item["state"] for item in found if item["kind"] == "copy"]
