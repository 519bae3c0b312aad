"""What a run's record says about its source, in MLflow's tags (tried with `mlflow run` 3.17) and ours."""

from __future__ import annotations

from projrun.sources.checkout import Checkout


def source_tags(checkout: Checkout) -> dict[str, str]:
    """The tags to record. The branch is recorded without `--version` too (docs/mlproject.md, "What a run records")."""
    values = {
        "mlflow.source.name": checkout.uri,
        "mlflow.source.git.commit": checkout.commit,
        "mlflow.source.git.repoURL": checkout.repository,
        "mlflow.source.git.branch": checkout.branch,
        "mlflow.gitBranchName": checkout.branch,
        "projrun.source.subdirectory": checkout.subdirectory,
        "projrun.source.version": checkout.version,
        "projrun.source.dirty": "true" if checkout.dirty else None,
        "projrun.source.archive": f"sha256:{checkout.digest}" if checkout.digest else None,
        "projrun.source.content": _content(checkout),
    }
    return {key: value for key, value in values.items() if value}


def _content(checkout: Checkout) -> str | None:
    """If neither a commit nor an archive identifies what ran."""
    if checkout.commit or checkout.cached is not None:
        return None
    from projrun.sources.changes.folder_hash import folder_hash

    return folder_hash(checkout.directory)
