"""What a call of the API needs: the level of permission, and of what. Each route declares one of these.

Levels are MLflow's: READ to see, EDIT to change, MANAGE to delete and to give permissions. Who has which is the
business of the server's users; without users every call is allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

from projrun.tracking.artifacts.uris import served_path, uri_scheme
from projrun.tuples import NamedTuple

Level = Literal["PUBLIC", "SIGNED_IN", "READ", "EDIT", "MANAGE", "ADMIN"]
Kind = Literal[
    "experiment",
    "experiment_name",
    "run",
    "logged_model",
    "registered_model",
    "artifact",
    "place",
    "trace",
    "everything",
]


class Resource(NamedTuple):
    """What a permission is about; a run, a logged model and an artifact stand for the experiment that they are in.

    A place is a URI: that of an artifact where the server's storage is.
    """

    kind: Kind
    name: str


class Listed(NamedTuple):
    """A page of which callers see what they may read: the field of its list, and the resource of each entry."""

    field: str
    of: Callable[[Any], Resource]


class Needs(NamedTuple):
    """What a route needs of its caller."""

    level: Level
    find: Callable[[Any], Iterable[Resource]] = lambda message: ()
    """The resources that a message is about: the level is needed for each."""
    own: Callable[[Any, str], bool] = lambda message, user: False
    """Whether a message is about its caller alone, who then needs no permission."""
    creates: Callable[[Any, Any], Resource] | None = None
    """From a message and its answer: what the call made, which its caller may manage from then on."""
    lists: Listed | None = None
    narrows: str = ""
    """The field of a message that names experiments, of which those count that its caller may read."""
    after: Literal["", "forget", "rename"] = ""
    """Whether what users were granted on the message's resource goes with it, or goes to its new name."""
    named: tuple[str, ...] = ()
    """The fields of a message with names to which permissions are tied from now on, or until now."""
    also: Callable[[Any], Iterable[tuple[Level, Resource]]] = lambda message: ()
    """What else a message points at, and the level that is needed there; what does not exist needs none."""


def _experiment(message: Any) -> tuple[Resource]:
    return (Resource("experiment", message.experiment_id),)


def _experiment_name(message: Any) -> tuple[Resource]:
    return (Resource("experiment_name", message.experiment_name),)


def _experiments(message: Any) -> Iterable[Resource]:
    return [Resource("experiment", each) for each in message.experiment_ids]


def _run(message: Any) -> tuple[Resource]:
    return (Resource("run", message.run),)


def _runs(message: Any) -> Iterable[Resource]:
    return [Resource("run", each) for each in message.run_ids]


def _logged_model(message: Any) -> tuple[Resource]:
    return (Resource("logged_model", message.model_id),)


def _trace(message: Any) -> tuple[Resource]:
    return (Resource("trace", message.identifier),)


def _traces(message: Any) -> Iterable[Resource]:
    return [Resource("trace", each) for each in message.trace_ids]


def _registered_model(message: Any) -> tuple[Resource]:
    return (Resource("registered_model", message.name),)


def _artifact(message: Any) -> tuple[Resource]:
    return (Resource("artifact", message.path),)


def models_at(level: Level, model_ids: Iterable[str | None]) -> Iterable[tuple[Level, Resource]]:
    """For `also`: logged models, of those ids that are given."""
    return [(level, Resource("logged_model", each)) for each in dict.fromkeys(model_ids) if each]


def runs_at(level: Level, *run_ids: str) -> Iterable[tuple[Level, Resource]]:
    """For `also`: runs, of those ids that are given."""
    return [(level, Resource("run", each)) for each in run_ids if each]


def _location(message: Any) -> Iterable[tuple[Level, Resource]]:
    """Where an experiment's artifacts are to be: a folder of the server's machine is for administrators to choose."""
    location: str = message.artifact_location.text
    scheme = uri_scheme(location)
    if location and scheme in ("", "file"):
        return [("MANAGE", Resource("everything", location))]
    if scheme == "mlflow-artifacts":
        return [("EDIT", Resource("artifact", served_path(location)))]
    return ()


PUBLIC = Needs("PUBLIC")
"""For all clients, without signing in."""
SIGNED_IN = Needs("SIGNED_IN")
"""For every user."""
ADMIN = Needs("ADMIN")

CREATE_EXPERIMENT = Needs(
    "SIGNED_IN",
    creates=lambda message, answer: Resource("experiment", answer.experiment_id),
    also=_location,
)
READ_EXPERIMENT = Needs("READ", _experiment)
EDIT_EXPERIMENT = Needs("EDIT", _experiment)
MANAGE_EXPERIMENT = Needs("MANAGE", _experiment)
READ_EXPERIMENT_NAME = Needs("READ", _experiment_name)
READ_EXPERIMENTS = Needs("READ", _experiments)
"""All that `experiment_ids` names."""
SEARCH_EXPERIMENTS = Needs("SIGNED_IN", narrows="experiment_ids")
"""For every user, in those of `experiment_ids` that the user may read."""
LIST_EXPERIMENTS = Needs(
    "SIGNED_IN",
    lists=Listed("experiments", lambda item: Resource("experiment", item.experiment_id)),
)

READ_RUN = Needs("READ", _run)
EDIT_RUN = Needs("EDIT", _run)
MANAGE_RUN = Needs("MANAGE", _run)
READ_RUNS = Needs("READ", _runs)
"""Of all that `run_ids` names."""

READ_LOGGED_MODEL = Needs("READ", _logged_model)
EDIT_LOGGED_MODEL = Needs("EDIT", _logged_model)
MANAGE_LOGGED_MODEL = Needs("MANAGE", _logged_model)
LIST_LOGGED_MODELS = Needs(
    "SIGNED_IN", lists=Listed("models", lambda item: Resource("experiment", item.info.experiment_id))
)

CREATE_MODEL = Needs(
    "SIGNED_IN",
    creates=lambda message, answer: Resource("registered_model", answer.registered_model.name),
    named=("name",),
)
READ_MODEL = Needs("READ", _registered_model)
EDIT_MODEL = Needs("EDIT", _registered_model)
MANAGE_MODEL = Needs("MANAGE", _registered_model)
DELETE_MODEL = Needs("MANAGE", _registered_model, after="forget", named=("name",))
RENAME_MODEL = Needs("EDIT", _registered_model, after="rename", named=("name", "new_name"))
LIST_MODELS = Needs(
    "SIGNED_IN",
    lists=Listed("registered_models", lambda item: Resource("registered_model", item.name)),
)
LIST_MODEL_VERSIONS = Needs(
    "SIGNED_IN", lists=Listed("model_versions", lambda item: Resource("registered_model", item.name))
)

READ_TRACE = Needs("READ", _trace)
EDIT_TRACE = Needs("EDIT", _trace)
READ_TRACES = Needs("READ", _traces)
EDIT_TRACES = Needs("EDIT", _traces)
"""Of all that `trace_ids` names."""

READ_ARTIFACT = Needs("READ", _artifact)
EDIT_ARTIFACT = Needs("EDIT", _artifact)
MANAGE_ARTIFACT = Needs("MANAGE", _artifact)
