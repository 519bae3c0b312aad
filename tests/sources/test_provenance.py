from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from projrun.sources.changes.folder_hash import folder_hash
from projrun.sources.checkout import Checkout
from projrun.sources.provenance import source_tags


def test_a_plain_folder_has_a_name_and_a_content(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("1")
    assert source_tags(Checkout("/a", tmp_path, tmp_path)) == {
        "mlflow.source.name": "/a",
        "projrun.source.content": folder_hash(tmp_path),
        "projrun.source.files": f'{{"file":"f{sha256(b"1").hexdigest()[:12]}"}}',
    }


def test_only_the_projects_folder_is_its_content(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "file").write_text("1")
    tags = source_tags(Checkout("/a#sub", tmp_path, tmp_path / "sub", "sub"))
    assert tags["projrun.source.content"] == folder_hash(tmp_path / "sub")


def test_all_that_is_known_is_recorded() -> None:
    checkout = Checkout(
        "https://host/r#sub",
        Path("/a"),
        Path("/a/sub"),
        "sub",
        commit="c0ffee",
        branch="main",
        repository="https://host/r",
        version="v1",
        dirty=True,
    )
    assert source_tags(checkout) == {
        "mlflow.source.name": "https://host/r#sub",
        "mlflow.source.git.commit": "c0ffee",
        "mlflow.source.git.repoURL": "https://host/r",
        "mlflow.source.git.branch": "main",
        "mlflow.gitBranchName": "main",
        "projrun.source.subdirectory": "sub",
        "projrun.source.version": "v1",
        "projrun.source.dirty": "true",
    }


def test_an_archive_is_known_by_its_hash(tmp_path: Path) -> None:
    checkout = Checkout("https://host/x.zip", tmp_path, tmp_path, cached=tmp_path, digest="c0ffee")
    assert source_tags(checkout) == {
        "mlflow.source.name": "https://host/x.zip",
        "projrun.source.archive": "sha256:c0ffee",
    }
