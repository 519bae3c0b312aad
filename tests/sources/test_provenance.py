from __future__ import annotations

from pathlib import Path

from projrun.sources.checkout import Checkout
from projrun.sources.provenance import source_tags


def test_a_plain_folder_has_a_name_only() -> None:
    assert source_tags(Checkout("/a", Path("/a"), Path("/a"))) == {"mlflow.source.name": "/a"}


def test_all_that_is_known_is_recorded() -> None:
    checkout = Checkout(
        "https://host/r#sub",
        Path("/a"),
        Path("/a/sub"),
        "sub",
        commit="c0ffee",
        branch="main",
        repository="https://host/r",
    )
    assert source_tags(checkout) == {
        "mlflow.source.name": "https://host/r#sub",
        "mlflow.source.git.commit": "c0ffee",
        "mlflow.source.git.repoURL": "https://host/r",
        "mlflow.source.git.branch": "main",
        "mlflow.gitBranchName": "main",
    }
