"""The first rows of a table that is an artifact: CSV and TSV, and Parquet where pyarrow is installed."""

from __future__ import annotations

import csv
import io
from importlib import import_module
from typing import Any, NamedTuple

from projrun.errors import InvalidValueError
from projrun.tracking.artifacts.transfers import OpenArtifact
from projrun.tracking.parts import NotKeptError

MOST_ROWS = 1_000
_MOST_COLUMNS = 1_000
_LONGEST = 1_000
"""Characters of a cell."""
_BEGINNING = 4 * 1024 * 1024
"""Bytes of a text that are read."""
_LARGEST = 512 * 1024 * 1024
"""Bytes of a Parquet file that is looked into."""
_DELIMITERS = ",;\t|"


class Preview(NamedTuple):
    """The beginning of a table."""

    columns: list[str]
    rows: list[list[str]]
    total: int | None
    """How many rows there are, where that is known."""
    more: bool


def preview(file: OpenArtifact, name: str, rows: int) -> Preview:
    """The first rows. Raises InvalidValueError for a file that is not a table, NotKeptError without pyarrow."""
    if not 1 <= rows <= MOST_ROWS:
        raise InvalidValueError(f"a preview has 1 to {MOST_ROWS} rows, not {rows}")
    ending = name.lower().rpartition(".")[2]
    if ending in ("csv", "tsv"):
        return _of_text(file, rows, tabs=ending == "tsv")
    if ending in ("parquet", "pq"):
        return _of_parquet(file, rows)
    raise InvalidValueError("a preview is made of .csv, .tsv and .parquet")


def _of_text(file: OpenArtifact, rows: int, *, tabs: bool) -> Preview:
    content = file.read(0, _BEGINNING)
    cut = len(content) < file.size
    text = content.decode("utf-8-sig", "replace")
    first = text.partition("\n")[0]
    delimiter = "\t" if tabs else max(_DELIMITERS, key=lambda sign: (first.count(sign), sign == ","))
    found: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if len(found) > rows + 1:
                break
            if row:
                found.append([cell[:_LONGEST] for cell in row[:_MOST_COLUMNS]])
    except csv.Error as error:
        raise InvalidValueError(f"not a table: {error}") from None
    if cut and len(found) <= rows + 1:
        found = found[:-1]  # half a row
    more = cut or len(found) > rows + 1
    return Preview(
        found[0] if found else [], found[1 : rows + 1], None if more else max(len(found) - 1, 0), more
    )


class _File(io.RawIOBase):
    """An open artifact as a file that can be sought in."""

    def __init__(self, file: OpenArtifact) -> None:
        self._file = file
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + (0, self._at, self._file.size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        piece = self._file.read(self._at, len(buffer))
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def _of_parquet(file: OpenArtifact, rows: int) -> Preview:
    try:
        pyarrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise NotKeptError("Parquet is shown where pyarrow is installed beside the server") from None
    if file.size > _LARGEST:
        raise InvalidValueError(f"a Parquet file of more than {_LARGEST} bytes is not shown: download it")
    try:
        table = parquet.ParquetFile(_File(file))
        names = table.schema_arrow.names[:_MOST_COLUMNS]
        batch = next(table.iter_batches(batch_size=rows, columns=names), None)
        columns = [] if batch is None else [column.to_pylist() for column in batch.columns]
        total = table.metadata.num_rows
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise InvalidValueError(f"not a Parquet file that can be read: {error}") from None
    found = [
        ["" if cell is None else str(cell)[:_LONGEST] for cell in row] for row in zip(*columns, strict=True)
    ]
    return Preview(names, found[:rows], total, total > rows)
