"""What a run's record says of its source, in MLflow's tags (tried with `mlflow run` 3.17)."""

from __future__ import annotations

from projrun.sources.checkout import Checkout


def source_tags(checkout: Checkout) -> dict[str, str]:
    """The tags to record. The branch is there without `--version` too (MLPROJECT.md, "What the run's record holds")."""
    values = {
        "mlflow.source.name": checkout.uri,
        "mlflow.source.git.commit": checkout.commit,
        "mlflow.source.git.repoURL": checkout.repository,
        "mlflow.source.git.branch": checkout.branch,
        "mlflow.gitBranchName": checkout.branch,
    }
    return {key: value for key, value in values.items() if value}
