"""Where the source of a recorded run is looked for; nothing else that lies there is taken for it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from projrun.errors import RequestError, SourceError
from projrun.running.rerun.record import read_record
from projrun.running.rerun.source import RepeatedSource, repeated_source
from tests.running.rerun.records import COMMIT, recorded
from tests.sources.git_servers import Repository, make_repository

REMOTE = "https://host/team/repository"


@pytest.fixture
def environ() -> dict[str, str]:
    import os

    names = [f"GIT_{role}_{field}" for role in ("AUTHOR", "COMMITTER") for field in ("NAME", "EMAIL")]
    return {**os.environ, **dict.fromkeys(names, "tester@example.com")}


@pytest.fixture
def repository(tmp_path: Path, environ: dict[str, str]) -> Repository:
    return make_repository(tmp_path / "work" / "repository", environ)


def source_of(caller: Path, instead: str | None = None, **tags: str | None) -> RepeatedSource:
    import os

    return repeated_source(read_record(recorded(**tags)), instead, caller, os.environ)


def test_a_remote_repository_at_its_commit(tmp_path: Path) -> None:
    assert source_of(tmp_path) == RepeatedSource(f"{REMOTE}#train", COMMIT)
    without = source_of(tmp_path, mlflow__source__git__commit=None)
    assert without == RepeatedSource(f"{REMOTE}#train", None)


def test_an_archive_at_its_hash(tmp_path: Path) -> None:
    digest = "sha256:" + "ab" * 32
    name = "https://host/x.zip"
    tags = {"mlflow__source__name": name, "mlflow__source__git__commit": None}
    found = source_of(tmp_path, projrun__source__archive=digest, **tags)
    assert found == RepeatedSource(name, digest)


@pytest.mark.parametrize(
    ("instead", "archive"), [("https://host/x.zip", None), ("https://host/x.git", "sha256:" + "ab" * 32)]
)
def test_an_archive_and_a_repository_are_not_taken_for_each_other(
    tmp_path: Path, instead: str, archive: str | None
) -> None:
    commit = None if archive else COMMIT
    with pytest.raises(RequestError, match=f"ran .*{archive or COMMIT}") as raised:
        source_of(tmp_path, instead, mlflow__source__git__commit=commit, projrun__source__archive=archive)
    assert f"--source {instead} " in raised.value.message


def test_where_the_user_says(tmp_path: Path) -> None:
    assert source_of(tmp_path, "elsewhere") == RepeatedSource("elsewhere", COMMIT, "--source")


@pytest.mark.processes
@pytest.mark.parametrize(
    ("instead", "uri"),
    [
        ("{top}", "{top}#examples/train"),
        ("https://host/x", "https://host/x#examples/train"),
        ("{top}#", "{top}#"),
        ("{top}#other", "{top}#other"),
        ("{top}/examples/train", "{top}/examples/train"),
        ("https://github.com/o/r/tree/main/x", "https://github.com/o/r/tree/main/x"),
        ("{top}/nowhere", "{top}/nowhere"),
    ],
)
def test_a_repository_that_the_user_names_has_the_same_subfolder(
    tmp_path: Path, repository: Repository, instead: str, uri: str
) -> None:
    name = "https://host/r#examples/train"
    found = source_of(tmp_path, instead.format(top=repository.path), mlflow__source__name=name)
    assert found.uri == uri.format(top=repository.path)


@pytest.mark.parametrize("repository_url", ["file://{gone}", "{gone}", "file://{gone}/origin"])
def test_a_repository_on_this_machine_that_is_gone(tmp_path: Path, repository_url: str) -> None:
    gone = tmp_path / "gone.git"
    with pytest.raises(SourceError, match="is no longer a repository") as raised:
        source_of(
            tmp_path,
            mlflow__source__name=f"file://{gone}#train",
            mlflow__source__git__repoURL=repository_url.format(gone=gone),
        )
    assert "--source" in raised.value.hint


def test_a_repository_of_this_machine_that_has_the_commit(tmp_path: Path, repository: Repository) -> None:
    name = f"file://{repository.path}#examples/train"
    tags = {"mlflow__source__name": name, "mlflow__source__git__commit": repository.first}
    assert source_of(tmp_path, **tags) == RepeatedSource(name, repository.first)


@pytest.mark.processes
def test_a_bare_repository(tmp_path: Path, repository: Repository) -> None:
    bare = tmp_path / "bare.git"
    subprocess.run(["git", "clone", "-q", "--bare", repository.path, bare], check=True)
    tags = {"mlflow__source__name": f"file://{bare}", "mlflow__source__git__commit": repository.first}
    assert source_of(tmp_path, **tags) == RepeatedSource(f"file://{bare}", repository.first)


@pytest.mark.parametrize("there", ["nothing", "a folder", "another repository"])
def test_another_project_that_lies_there_is_not_run(
    tmp_path: Path, repository: Repository, there: str
) -> None:
    """Without the commit it is not the recorded one: what it was cloned from is asked."""
    place = repository.path if there == "another repository" else tmp_path / "plain"
    if there == "a folder":
        place.mkdir()
        (place / "MLproject").write_text("name: other\n")
    tags: dict[str, str | None] = {"mlflow__source__name": f"file://{place}#train"}
    found = source_of(tmp_path, mlflow__source__git__repoURL=REMOTE, **tags)
    assert (found.uri, found.version) == (f"{REMOTE}#train", COMMIT)
    assert str(place) in found.moved
    with pytest.raises(SourceError, match="is gone") as raised:
        source_of(tmp_path, **tags)
    assert "--source" in raised.value.hint


def test_a_folder_below_an_unknown_top_is_not_guessed(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is gone"):
        source_of(
            tmp_path,
            mlflow__source__name=f"{tmp_path}/gone/examples#train",
            mlflow__source__git__repoURL=REMOTE,
        )


def test_a_plain_folder_is_used_in_place_or_gone(tmp_path: Path) -> None:
    tags: dict[str, str | None] = {"mlflow__source__git__commit": None}
    (tmp_path / "here").mkdir()
    name = str(tmp_path / "here")
    assert source_of(tmp_path, mlflow__source__name=name, **tags) == RepeatedSource(name, None)
    with pytest.raises(SourceError, match="no longer exists"):
        source_of(tmp_path, mlflow__source__name=str(tmp_path / "gone"), **tags)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("project", "project/sub"),
        ("project", "another"),
        ("./project", "project"),
        ("project#sub", "project/sub"),
        ("host:path", "host:path"),
    ],
)
def test_a_relative_name_may_be_any_folder(tmp_path: Path, name: str, folder: str) -> None:
    (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(RequestError, match="may be any folder"):
        source_of(tmp_path, mlflow__source__name=name)


@pytest.mark.parametrize("name", ["ext::sh -c touch% x", "-x", "https://-oProxyCommand=x/y"])
def test_hostile_addresses_are_refused_as_everywhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError):
        source_of(tmp_path, mlflow__source__name=name)
