"""Deleting, restoring and renaming of experiments and runs."""

from __future__ import annotations

from projrun.server import permissions, wire
from projrun.server.api import writing
from projrun.tracking.life_cycle import LifeCycle
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore


class _Experiment(wire.Message):
    experiment_id: str


class _Update(wire.Message):
    experiment_id: str
    new_name: str


class _DeleteTag(wire.Message):
    experiment_id: str
    key: str


def _delete_run(store: RunStore, message: wire.OfRun) -> None:
    part_of(store, LifeCycle).delete_run(message.run)


def _restore_run(store: RunStore, message: wire.OfRun) -> None:
    part_of(store, LifeCycle).restore_run(message.run)


def _delete(store: RunStore, message: _Experiment) -> None:
    part_of(store, LifeCycle).delete_experiment(message.experiment_id)


def _restore(store: RunStore, message: _Experiment) -> None:
    part_of(store, LifeCycle).restore_experiment(message.experiment_id)


def _update(store: RunStore, message: _Update) -> None:
    part_of(store, LifeCycle).rename_experiment(message.experiment_id, message.new_name)


def _delete_tag(store: RunStore, message: _DeleteTag) -> None:
    part_of(store, LifeCycle).delete_experiment_tag(message.experiment_id, message.key)


ROUTES = (
    writing("POST", "runs/delete", wire.OfRun, _delete_run, needs=permissions.MANAGE_RUN),
    writing("POST", "runs/restore", wire.OfRun, _restore_run, needs=permissions.MANAGE_RUN),
    writing("POST", "experiments/delete", _Experiment, _delete, needs=permissions.MANAGE_EXPERIMENT),
    writing("POST", "experiments/restore", _Experiment, _restore, needs=permissions.MANAGE_EXPERIMENT),
    writing("POST", "experiments/update", _Update, _update, needs=permissions.EDIT_EXPERIMENT),
    writing(
        "POST",
        "experiments/delete-experiment-tag",
        _DeleteTag,
        _delete_tag,
        needs=permissions.EDIT_EXPERIMENT,
    ),
)
