"""`LifeCycle`: experiments and runs are deleted, restored and renamed. A deleted one is kept, and hidden from searches.

Errors as for `RunStore`. Nothing may be written to a deleted run, nor to a deleted experiment.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class LifeCycle(Protocol):
    """What a store offers beside recording."""

    def delete_run(self, run_id: str) -> None:
        """Mark a run as deleted; one that is deleted already stays so."""
        ...

    def restore_run(self, run_id: str) -> None:
        """Make a deleted run active again; an active one stays so."""
        ...

    def delete_experiment(self, experiment_id: str) -> None:
        """Mark an active experiment and all its runs as deleted. Its name stays taken."""
        ...

    def restore_experiment(self, experiment_id: str) -> None:
        """Make a deleted experiment and all its runs active again."""
        ...

    def rename_experiment(self, experiment_id: str, name: str) -> None:
        """Give an active experiment another name."""
        ...

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        """Remove a tag that an active experiment has."""
        ...
