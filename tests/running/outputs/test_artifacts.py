from __future__ import annotations

import os
from pathlib import Path

import pytest

from projrun.project.model import OutputArtifact
from projrun.running.outputs import artifacts
from projrun.running.outputs.artifacts import ArtifactFiles


def files_of(project: Path, *globs: str) -> ArtifactFiles:
    return ArtifactFiles(project, [OutputArtifact(glob, glob) for glob in globs])


def write(project: Path, *names: str) -> None:
    for name in names:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(name)


def test_files_folders_and_globs_that_the_command_has_written(tmp_path: Path) -> None:
    write(tmp_path, "source.png", "model/old")
    files = files_of(tmp_path, "model", "*.png", "**/*.csv", "missing")
    write(tmp_path, "model/a/w", "plot.png", "x.csv", "out/y.csv", ".git/z.csv", "model/.git/v")
    assert [name for _, name in files.written()] == ["model/a/w", "plot.png", "out/y.csv", "x.csv"]
    assert files.problems == ["the command has written no file that is named 'missing'"]


def test_everything(tmp_path: Path) -> None:
    files = files_of(tmp_path, "out/**")
    write(tmp_path, "out/a", "out/b/c", "d")
    assert sorted(name for _, name in files.written()) == ["out/a", "out/b/c"]


def test_links_out_and_in_a_circle(tmp_path: Path) -> None:
    project = tmp_path / "project"
    write(tmp_path, "away/secret", "file")
    write(project, "out/a")
    files = files_of(project, "out/**", "out/away/*", "out/away")
    write(project, "out/b")
    (project / "out/file").symlink_to(tmp_path / "file")
    (project / "out/away").symlink_to(tmp_path / "away")
    (project / "out/circle").symlink_to(project / "out")
    (project / "out/inside").symlink_to("b")
    (project / "out/gone").symlink_to("nothing")
    os.mkfifo(project / "out/pipe")
    assert [name for _, name in files.written()] == ["out/b", "out/inside"]
    assert "'out/file' is a link that leaves the project" in files.problems


def test_names_that_are_no_text_and_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = files_of(tmp_path, "out")
    (tmp_path / "out").mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path / "out") + b"/\xff")).write_text("x")
    assert [*files.written()] == []
    assert "is not UTF-8" in files.problems[0]
    monkeypatch.setattr(artifacts, "MOST_FILES", 2)
    write(tmp_path, "out/a", "out/b", "out/c")
    files.problems.clear()
    assert [name for _, name in files.written()] == ["out/a", "out/b"]
    assert files.problems[0] == "only the first 2 files are recorded"
