"""Where artifacts are, as an endpoint's client sees it: a folder for a command on this machine, else behind the server.

Scripts write below `mlflow.get_artifact_uri()` as a path, which MLflow's own default store allows. The store keeps
`mlflow-artifacts:` URIs all the same, so that every other client finds the files.
"""

from __future__ import annotations

from pathlib import Path

from projrun.errors import ProjrunError
from projrun.tracking.artifacts.paths import checked_path
from projrun.tracking.artifacts.uris import local_path, uri_scheme
from projrun.tracking.runs import RunStore
from projrun.tuples import NamedTuple

SERVED = "mlflow-artifacts:/"
"""The URI of all the artifacts that a store serves."""


class ArtifactUri:
    """A URI of artifacts in a message, which `Places` reads and writes; as the store has it."""

    __slots__ = ("text",)

    def __init__(self, text: str = "") -> None:
        self.text = text


class Places(NamedTuple):
    """The rule for one client."""

    folder: Path | None
    """Where the store keeps what it serves, for a client that reads and writes there; None for all others."""

    def write(self, value: object) -> object:
        """For msgspec's `enc_hook`: the URI for the client."""
        if not isinstance(value, ArtifactUri):
            raise NotImplementedError
        rest = value.text.removeprefix(SERVED)
        if self.folder is None or rest == value.text or rest.startswith("/"):
            return value.text
        return str(self.folder / rest)

    def read(self, kind: type, value: object) -> ArtifactUri:
        """For msgspec's `dec_hook`: the client's URI for the store."""
        if kind is not ArtifactUri:
            raise NotImplementedError
        if not isinstance(value, str):
            raise TypeError(f"Expected `str`, got `{type(value).__name__}`")
        return ArtifactUri(value if self.folder is None else _served(value, self.folder))


def served_folder(store: RunStore) -> Path | None:
    """Where the store keeps what it serves; None where that is not a folder of this machine."""
    try:
        return store.artifacts(SERVED).folder
    except ProjrunError:  # it serves none: the client keeps them itself
        return None


def _served(uri: str, folder: Path) -> str:
    if uri_scheme(uri) not in ("", "file"):
        return uri
    try:
        return SERVED + checked_path(str(local_path(uri).relative_to(folder)))
    except (ValueError, ProjrunError):  # another folder
        return uri
