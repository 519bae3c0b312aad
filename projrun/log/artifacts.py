"""Artifacts: files and folders, and what is written into one."""

from __future__ import annotations

import os
from importlib import import_module
from threading import TIMEOUT_MAX

from . import state
from .environment import now, warn
from .runs import current_run
from .sender import flush
from .values import pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from .entities import Run

_tables: dict[tuple[str, str], dict[str, list[Any]]] = {}
"""What was logged of tables, by run and file."""


def log_artifact(
    local_path: str | os.PathLike[str], artifact_path: str | None = None, run_id: str | None = None
) -> None:
    """A file or a folder, below `artifact_path` of the run's artifacts. Returns when it is there."""
    path = os.path.abspath(os.fspath(local_path))
    if not os.path.exists(path):
        warn(path, "no such file: nothing was logged")
        return
    below = artifact_path or ""
    name = os.path.basename(path)
    _send(current_run(run_id), _files(path, f"{below}/{name}" if below else name))


def log_artifacts(
    local_dir: str | os.PathLike[str], artifact_path: str | None = None, run_id: str | None = None
) -> None:
    """What a folder holds, below `artifact_path` of the run's artifacts. Returns when it is there."""
    path = os.path.abspath(os.fspath(local_dir))
    if not os.path.isdir(path):
        warn(path, "no such folder: nothing was logged")
        return
    _send(current_run(run_id), _files(path, artifact_path or ""))


def log_text(text: str, artifact_file: str, run_id: str | None = None) -> None:
    """A text as an artifact."""
    _log_file(current_run(run_id), artifact_file, lambda place: _write_text(place, text))


def log_dict(dictionary: Any, artifact_file: str, run_id: str | None = None) -> None:
    """A value as JSON; as YAML under a name that ends in .yaml or .yml, where PyYAML is."""

    def write(place: str) -> None:
        if artifact_file.endswith((".yaml", ".yml")):
            import yaml

            _write_text(place, yaml.safe_dump(dictionary, allow_unicode=True, sort_keys=False))
        else:
            _write_text(place, import_module("json").dumps(dictionary, indent=2, default=str))

    _log_file(current_run(run_id), artifact_file, write)


def log_figure(figure: Any, artifact_file: str, *, save_kwargs: Mapping[str, Any] | None = None) -> None:
    """A figure of Matplotlib or Plotly."""

    def write(place: str) -> None:
        if hasattr(figure, "savefig"):
            figure.savefig(place, **(save_kwargs or {}))
        elif artifact_file.endswith(".html"):
            figure.write_html(place, **(save_kwargs or {}))
        else:
            figure.write_image(place, **(save_kwargs or {}))

    _log_file(current_run(), artifact_file, write)


def log_image(
    image: Any,
    artifact_file: str | None = None,
    key: str | None = None,
    step: int | None = None,
    timestamp: int | None = None,
    synchronous: bool | None = None,
) -> None:
    """An image: of Pillow, or an array of (height, width[, channels]). With `key` and `step`, one of a series."""
    if not artifact_file:
        # MLflow's page finds the images of a series by these names.
        when, unique = timestamp or now(), os.urandom(4).hex()
        artifact_file = (
            f"images/{(key or 'image').replace('/', '#')}%step%{step or 0}%timestamp%{when}%{unique}.png"
        )

    def write(place: str) -> None:
        picture = image
        if not hasattr(picture, "save"):
            images = import_module("PIL.Image")

            array = picture
            if getattr(array.dtype, "kind", "") == "f":
                array = (array * 255).round()
            array = array.squeeze(-1) if array.ndim == 3 and array.shape[-1] == 1 else array
            picture = images.fromarray(array.astype("uint8"))
        picture.save(place)

    run = current_run()
    _log_file(run, artifact_file, write)
    if key:
        state.put(run, "runs/log-batch", {"tags": pairs({"mlflow.loggedImages": True})})  # for MLflow's page


def log_table(data: Any, artifact_file: str, run_id: str | None = None) -> None:
    """Rows of a table, of columns by name or a DataFrame, as the JSON that MLflow's `load_table` reads.

    They are put below those that this process has logged to the same file.
    """
    run, json = current_run(run_id), import_module("json")

    def write(place: str) -> None:
        columns = data.to_dict("list") if hasattr(data, "columns") else data
        rows = {name: value if isinstance(value, list) else [value] for name, value in columns.items()}
        size = max(map(len, rows.values()), default=0)
        table = _tables.setdefault((run.origin, artifact_file), {})
        before = max(map(len, table.values()), default=0)
        for name in dict.fromkeys([*table, *rows]):
            table[name] = [*table.get(name, [None] * before), *rows.get(name, [None] * size)]
        document = {"columns": list(table), "data": [list(row) for row in zip(*table.values())]}
        _write_text(place, json.dumps(document, default=str))

    _log_file(run, artifact_file, write)
    paths = [path for origin, path in _tables if origin == run.origin]
    said = json.dumps([{"path": path, "type": "table"} for path in paths])
    state.put(run, "runs/log-batch", {"tags": pairs({"mlflow.loggedArtifacts": said})})  # for MLflow's page


def _files(path: str, below: str) -> list[tuple[str, str]]:
    """Files with their places among the artifacts."""
    if not os.path.isdir(path):
        return [(path, below)]
    found = []
    for folder, _, names in os.walk(path):
        inner = os.path.relpath(folder, path).replace(os.sep, "/")
        parts = [part for part in (below, "" if inner == "." else inner) if part]
        found += [(os.path.join(folder, name), "/".join([*parts, name])) for name in sorted(names)]
    return found


def _send(run: Run, files: Iterable[tuple[str, str]]) -> None:
    """Returns when they are where they belong, or copied to where they wait."""
    for file, path in files:
        state.put(run, "artifact", {"file": file, "path": path})
    flush(TIMEOUT_MAX)  # then the caller may remove the files


def _log_file(run: Run, artifact_file: str, write: Callable[[str], object]) -> None:
    """A file that `write` makes; the run goes on without it where that fails."""
    import tempfile

    try:
        with tempfile.TemporaryDirectory(prefix="projrun-log-") as scratch:
            file = os.path.join(scratch, os.path.basename(artifact_file))
            write(file)
            _send(run, [(file, artifact_file)])
    except Exception as error:
        warn(artifact_file, f"not logged: {type(error).__name__}: {error}")


def _write_text(place: str, text: str) -> None:
    """In UTF-8."""
    with open(place, "w", encoding="utf-8") as file:
        file.write(text)
