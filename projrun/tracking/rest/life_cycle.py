"""`RestLifeCycle`: deleting, restoring and renaming on a tracking server."""

from __future__ import annotations

from projrun.tracking.rest import wire
from projrun.tracking.rest.transport import API, Transport


class RestLifeCycle:
    """The `LifeCycle` of a tracking server, with the errors that it answers."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def delete_run(self, run_id: str) -> None:
        """NotFoundError where there is no such run."""
        self._post("runs/delete", run_id=run_id)

    def restore_run(self, run_id: str) -> None:
        """NotFoundError where there is no such run."""
        self._post("runs/restore", run_id=run_id)

    def delete_experiment(self, experiment_id: str) -> None:
        """NotFoundError where there is no active one."""
        self._post("experiments/delete", idempotent=False, experiment_id=experiment_id)

    def restore_experiment(self, experiment_id: str) -> None:
        """NotFoundError where there is no deleted one."""
        self._post("experiments/restore", idempotent=False, experiment_id=experiment_id)

    def rename_experiment(self, experiment_id: str, name: str) -> None:
        """NotFoundError; AlreadyExistsError or InvalidValueError for a name that is taken, as the server has it."""
        self._post("experiments/update", experiment_id=experiment_id, new_name=name)

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        """NotFoundError where the experiment has no such tag."""
        self._post(
            "experiments/delete-experiment-tag", idempotent=False, experiment_id=experiment_id, key=key
        )

    def _post(self, route: str, *, idempotent: bool = True, **body: str) -> None:
        self._transport.post(f"{API}{route}", {**body}, wire.nothing, idempotent=idempotent)
