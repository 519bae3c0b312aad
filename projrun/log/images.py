"""Images, and tables that may hold some, in the files that MLflow's page and `load_table` read."""

from __future__ import annotations

import os

from . import state
from .artifacts import log_file, write_text
from .environment import module, never_raises, now
from .questions import get_run, read_artifact
from .runs import current_run
from .values import pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .entities import Run
    from .values import Json

_PREVIEW = 256
"""Pixels of its longer side."""
_tables: dict[str, dict[str, dict[str, list[Any]]]] = {}
"""Cells of tables, by run, file and column."""


@never_raises
def log_image(
    image: Any,
    artifact_file: str | None = None,
    key: str | None = None,
    step: int | None = None,
    timestamp: int | None = None,
    synchronous: bool | None = None,
) -> None:
    """An image: of Pillow, or an array of (height, width[, channels]). With `key` and `step`, one of a series."""
    run, picture = current_run(), _picture(image)
    if run.is_silent:
        return
    if (artifact_file is None) == (key is None):
        raise TypeError("takes either artifact_file or key")
    if artifact_file is not None:
        log_file(run, artifact_file, picture.save)
        return
    # MLflow's page finds the images of a series by these names.
    words = [str(key).replace("/", "~"), "step", step or 0, "timestamp", timestamp or now(), _unique()]
    name = "images/" + "+".join(map(str, words))
    log_file(run, f"{name}.png", picture.save)
    log_file(run, f"{name}+compressed.webp", _preview(picture).save)
    state.put(run, "runs/log-batch", {"tags": pairs({"mlflow.loggedImages": True})})  # for MLflow's page


@never_raises
def log_table(data: Any, artifact_file: str, run_id: str | None = None) -> None:
    """Rows of a table, of columns by name or a DataFrame, as the JSON that MLflow's `load_table` reads.

    They are put below those that the file has already.
    """
    if not artifact_file.endswith(".json"):
        raise ValueError("the name of a table's file must end in .json")
    run, json = current_run(run_id), module("json")
    if run.is_silent:
        return
    rows = _columns(data)
    for name, cells in rows.items():
        if cells and all(map(_is_picture, cells)):
            rows[name] = [_picture_cell(run, artifact_file, cell) for cell in cells]
    tables = _tables_of(run)
    table, size = dict(tables.get(artifact_file, {})), max(map(len, rows.values()), default=0)
    before = max(map(len, table.values()), default=0)
    for name in dict.fromkeys([*table, *rows]):
        table[name] = [*table.get(name, [None] * before), *rows.get(name, [None] * size)]
    document = {"columns": list(table), "data": [_row(row) for row in zip(*table.values())]}
    text = json.dumps(document, default=_plain, separators=(",", ":"))
    log_file(run, artifact_file, lambda place: write_text(place, text))
    tables[artifact_file] = table
    said = json.dumps([{"path": path, "type": "table"} for path in tables])
    state.put(run, "runs/log-batch", {"tags": pairs({"mlflow.loggedArtifacts": said})})  # for MLflow's page


def _tables_of(run: Run) -> dict[str, dict[str, list[Any]]]:
    """Its tables by file. Raises LogError for a run that was continued, and cannot be asked for."""
    if run.origin not in _tables:
        found: dict[str, dict[str, list[Any]]] = {}
        if not run.is_new:
            json = module("json")
            text = get_run(run.run_id).data.tags.get("mlflow.loggedArtifacts", "[]")
            for path in (each["path"] for each in json.loads(text)):
                table = json.loads(read_artifact(run, path) or b"{}")
                columns = zip(table.get("columns", ()), zip(*table.get("data", ())))
                found[path] = {name: list(cells) for name, cells in columns}
        _tables[run.origin] = found
    return _tables[run.origin]


def _unique() -> str:
    """As `str(uuid.uuid4())`, whose module takes a while to import."""
    text = os.urandom(16).hex()
    variant = "89ab"[int(text[16], 16) % 4]
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"


def _picture(image: Any) -> Any:
    """The image as one of Pillow's. Raises ValueError, TypeError."""
    if hasattr(image, "to_pil"):
        return image.to_pil()
    if hasattr(image, "save"):
        return image
    array = image
    if array.dtype.kind not in "biuf" or array.ndim not in (2, 3):
        raise TypeError(f"no image: an array of {array.dtype} with the shape {array.shape}")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    low, high = array.min(), array.max()
    if array.dtype.kind in "iu":
        if low < 0 or high > 255:
            raise ValueError(f"whole numbers of an image are 0 to 255, not {low} to {high}")
    else:
        if low < 0 or high > 1:
            array = (array - low) / (high - low)
        array = array * 255
    return module("PIL.Image").fromarray(array.astype("uint8"))


def _preview(picture: Any) -> Any:
    """A small one of the same shape."""
    width, height = picture.size
    if width > height:
        return picture.resize((_PREVIEW, int(height * (_PREVIEW / width))))
    return picture.resize((int(width * (_PREVIEW / height)), _PREVIEW))


def _is_picture(cell: Any) -> bool:
    return hasattr(cell, "save") and hasattr(cell, "resize") and hasattr(cell, "size")


def _picture_cell(run: Run, artifact_file: str, picture: Any) -> Json:
    """What the cell of a table has in the place of an image, which is logged."""
    file = f"table_images/{artifact_file[: -len('.json')]}/{_unique()}"
    log_file(run, f"{file}.png", picture.save)
    log_file(run, f"{file}.webp", _preview(picture).save)
    return {"type": "image", "filepath": f"{file}.png", "compressed_filepath": f"{file}.webp"}


def _columns(data: Any) -> dict[str, list[Any]]:
    """A DataFrame, or what pandas would make a DataFrame of; values without a length are one row."""
    if hasattr(data, "to_dict") and hasattr(data, "columns"):
        return {str(name): list(cells) for name, cells in data.to_dict("list").items()}
    lists = {name: _cells(value) for name, value in data.items()}
    sizes = {len(cells) for cells in lists.values() if cells is not None}
    if len(sizes) != 1:
        return {str(name): [value] for name, value in data.items()}
    (size,) = sizes
    return {str(name): cells if cells is not None else [data[name]] * size for name, cells in lists.items()}


def _cells(value: Any) -> list[Any] | None:
    """The cells of a column; None for a single value."""
    if isinstance(value, (str, bytes, dict)) or not hasattr(value, "__iter__") or _is_picture(value):
        return None
    return list(value)


def _row(cells: Any) -> list[Any]:
    """JSON has no words for what is no finite number."""
    return [None if isinstance(cell, float) and cell - cell != 0 else cell for cell in cells]


def _plain(value: Any) -> Any:
    """A value of another library as JSON has it."""
    if hasattr(value, "isoformat"):
        when = {"timespec": "milliseconds"} if hasattr(value, "hour") else {}
        return value.isoformat(**when) if value == value else None
    return value.item() if hasattr(value, "item") else str(value)
