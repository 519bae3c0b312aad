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
    }
    values |= _content(checkout)
    return {key: value for key, value in values.items() if value}


def is_plain(checkout: Checkout) -> bool:
    """Whether neither a commit nor an archive identifies what runs."""
    return not checkout.commit and checkout.cached is None


def _content(checkout: Checkout) -> dict[str, str | None]:
    if not is_plain(checkout):
        return {}
    from projrun.sources.changes.folder_hash import FILES_TAG, folder_content

    content = folder_content(checkout.directory)
    return {"projrun.source.content": content.text, FILES_TAG: content.tag}
