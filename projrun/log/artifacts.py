"""Artifacts: files and folders, and texts, values and figures that are written into one."""

from __future__ import annotations

import os
from threading import TIMEOUT_MAX

from . import state
from .environment import module, never_raises
from .runs import current_run
from .sender import flush

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from .entities import Run


@never_raises
def log_artifact(
    local_path: str | os.PathLike[str], artifact_path: str | None = None, run_id: str | None = None
) -> None:
    """A file or a folder, below `artifact_path` of the run's artifacts. Returns when it is there."""
    path = os.path.abspath(os.fspath(local_path))
    name = os.path.basename(path)
    below = f"{artifact_path}/{name}" if artifact_path else name
    send(current_run(run_id), _files(path, below) if os.path.isdir(path) else [(path, below)])


@never_raises
def log_artifacts(
    local_dir: str | os.PathLike[str], artifact_path: str | None = None, run_id: str | None = None
) -> None:
    """What a folder holds, below `artifact_path` of the run's artifacts. Returns when it is there."""
    send(current_run(run_id), _files(os.fspath(local_dir), artifact_path or ""))


@never_raises
def log_text(text: str, artifact_file: str, run_id: str | None = None) -> None:
    """A text as an artifact."""
    log_file(current_run(run_id), artifact_file, lambda place: write_text(place, text))


@never_raises
def log_dict(dictionary: Any, artifact_file: str, run_id: str | None = None) -> None:
    """A value as JSON; as YAML under a name that ends in .yaml or .yml, where PyYAML is."""

    def write(place: str) -> None:
        if artifact_file.endswith((".yaml", ".yml")):
            text = module("yaml").dump(dictionary, indent=2, default_flow_style=False)
        else:
            text = module("json").dumps(dictionary, indent=2, default=str)
        write_text(place, text)

    log_file(current_run(run_id), artifact_file, write)


@never_raises
def log_figure(figure: Any, artifact_file: str, *, save_kwargs: Mapping[str, Any] | None = None) -> None:
    """A figure of Matplotlib or Plotly."""
    wanted = save_kwargs or {}

    def write(place: str) -> None:
        if hasattr(figure, "savefig"):
            figure.savefig(place, **wanted)
        elif artifact_file.endswith(".html"):
            figure.write_html(place, **{"include_plotlyjs": "cdn", "auto_open": False, **wanted})
        else:
            figure.write_image(place, **wanted)

    log_file(current_run(), artifact_file, write)


def log_file(run: Run, artifact_file: str, write: Callable[[str], object]) -> None:
    """A file that `write` makes."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="projrun-log-") as scratch:
        file = os.path.join(scratch, os.path.basename(artifact_file))
        write(file)
        send(run, [(file, artifact_file)])


def send(run: Run, files: Iterable[tuple[str, str]]) -> None:
    """Returns when they are where they belong, or copied to where they wait. Raises ValueError, OSError."""
    if run.is_silent:
        return
    for file, path in files:
        os.stat(file)  # here, not in the thread, it can be said of which call it is
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if path.startswith("/") or ".." in parts or not parts:
            raise ValueError(f"{path!r} is not below the artifacts of the run")
        state.put(run, "artifact", {"file": os.path.abspath(file), "path": "/".join(parts)})
    flush(TIMEOUT_MAX)  # then the caller may remove the files


def write_text(place: str, text: str) -> None:
    """In UTF-8."""
    with open(place, "w", encoding="utf-8") as file:
        file.write(text)


def _files(path: str, below: str) -> list[tuple[str, str]]:
    """The files of a folder with their places among the artifacts. Raises OSError."""

    def refuse(error: OSError) -> None:
        raise error

    found = []
    for folder, _, names in os.walk(path, onerror=refuse):
        inner = os.path.relpath(folder, path).replace(os.sep, "/")
        found += [
            (os.path.join(folder, name), f"{below}/{inner}/{name}".lstrip("/")) for name in sorted(names)
        ]
    return found
