"""Tables: fitted to a terminal; off one separated by tabs, whole and complete; CSV.

A terminal gets what people read: the least important columns are hidden where it is narrow, texts are shortened with
`…`, numbers never. Programs get every column, and of each cell the whole value.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO

from projrun.cli.quantities import count_text
from projrun.cli.rendering import (
    duration_text,
    in_colour,
    on_terminal,
    one_line,
    print_styled,
    print_text,
    styled,
)
from projrun.errors import RequestError
from projrun.suggestions import did_you_mean
from projrun.tuples import NamedTuple

_USUAL = 80
_GAP = "  "
_NARROWEST = 16
"""What a column that may be shortened keeps, where its texts are that long."""
_ALL = "all"
_STYLES = {
    "FINISHED": "green", "READY": "green", "ready": "green", "passed": "green",
    "FAILED": "red", "broken": "red", "FAILED_REGISTRATION": "red",
    "KILLED": "yellow", "unfinished": "yellow", "superseded": "yellow", "abandoned": "yellow",
    "RUNNING": "cyan", "SCHEDULED": "cyan", "in use": "cyan",
}  # fmt: skip
_STYLED = ("STATUS", "STATE")
"""The columns whose words have colours."""


class Cell(NamedTuple):
    """A value in two forms."""

    shown: str
    """On a terminal."""
    raw: str
    """For programs: a whole id, a time with its zone, a number with all its digits."""


Content = str | Cell | Mapping[str, str | Cell] | Sequence[str]
"""One value, values by name, or several; a terminal gets as many of those as there is room for."""


class Table(NamedTuple):
    """What a table is made of."""

    things: str
    """What its rows are, in the plural."""
    columns: tuple[str, ...]
    hiding: tuple[str, ...] = ()
    """Hidden on a narrow terminal, the first ones first."""
    cutting: tuple[str, ...] = ()
    """Shortened on a narrow terminal."""
    keyed: Mapping[str, str] = {}
    """Columns of values by name, by the word before the dot of `--columns metrics.rmse`."""
    extra: tuple[str, ...] = ()
    """More columns at the end of each row, shown only where they are asked for."""


class Layout(NamedTuple):
    """How people want a table."""

    columns: str | None = None
    """Names with commas between them; None for those of the table."""
    csv: bool = False
    limit: int | None = None


class _Column(NamedTuple):
    head: str
    cells: list[Content]
    cut: bool = False
    right: bool = False


def print_table(table: Table, rows: Sequence[Sequence[Content]], layout: Layout | None = None) -> None:
    """A table on stdout. RequestError for a column that it does not have."""
    layout = layout or Layout()
    chosen = _chosen(table, rows[: layout.limit], layout)
    if layout.csv:
        _print_csv(chosen)
    elif not rows:
        print_text(f"no {table.things}", err=True)
    elif on_terminal():
        _print_fitted(chosen, () if layout.columns else table.hiding)
    else:
        _print_separated(chosen)
    if layout.limit is not None and len(rows) > layout.limit:
        print_text(f"the first {layout.limit} of {len(rows)}; more with --limit", err=True)


def markdown_table(table: Table, rows: Iterable[Sequence[Content]]) -> str:
    """The table for pages that show Markdown: whoever wrote a value, it is text there."""
    lines = [table.columns, ["---"] * len(table.columns), *(map(_shown, row) for row in rows)]
    return "\n".join(f"| {' | '.join(map(_markdown, line))} |" for line in lines)


def _markdown(text: str) -> str:
    return "".join(
        character if character.isalnum() or character in " _-.,=%/" else f"&#{ord(character)};"
        for character in _line(text)
    )


def has_room(table: Table, rows: Sequence[Sequence[Content]], narrowest: int) -> bool:
    """Whether a table fits on the terminal with no more shortened than to that width; True off a terminal."""
    if not on_terminal():
        return True
    columns = _chosen(table, rows, Layout())
    return _total([_narrowest(column, narrowest) for column in columns]) <= terminal_width()


def _chosen(table: Table, rows: Sequence[Sequence[Content]], layout: Layout) -> list[_Column]:
    """The columns to print. In CSV, values by name have a column for each name."""
    heads = (*table.columns, *table.extra)
    whole = {
        head: _Column(head, [row[place] for row in rows], head in table.cutting)
        for place, head in enumerate(heads)
        if place < len(table.columns) or layout.columns
    }
    if layout.columns is None or layout.columns.strip().lower() == _ALL:
        found = [whole[head] for head in table.columns]
    else:
        found = [_named(name.strip(), table, whole) for name in layout.columns.split(",") if name.strip()]
        if not found:
            raise RequestError("--columns is empty", hint=f"columns: {_names(table)}")
    return [one for column in found for one in _spread(column, table)] if layout.csv else found


def _named(name: str, table: Table, whole: Mapping[str, _Column]) -> _Column:
    prefix, dot, key = name.partition(".")
    if dot and prefix.lower() in table.keyed:
        column = whole[table.keyed[prefix.lower()]]
        return _value_column(f"{prefix.lower()}.{key}", key, column)
    known = {_plain(head): head for head in whole}
    if _plain(name) not in known:
        raise RequestError(
            f"--columns: no column {name!r}{did_you_mean(name.lower(), known)}",
            hint=f"columns: {_names(table)}",
        )
    return whole[known[_plain(name)]]


def _names(table: Table) -> str:
    keyed = (f"{prefix}.NAME" for prefix in table.keyed)
    return ", ".join((*(_plain(head) for head in (*table.columns, *table.extra)), *keyed))


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(" ", "-")


def _value_column(head: str, key: str, column: _Column) -> _Column:
    cells: list[Content] = [cell.get(key, "") if isinstance(cell, Mapping) else "" for cell in column.cells]
    numeric = all(_is_number(_shown(cell)) for cell in cells if cell)
    return _Column(head, cells, cut=not numeric, right=numeric)


def _spread(column: _Column, table: Table) -> list[_Column]:
    prefix = next((prefix for prefix, head in table.keyed.items() if head == column.head), None)
    if prefix is None:
        return [column]
    keys = dict.fromkeys(key for cell in column.cells if isinstance(cell, Mapping) for key in cell)
    return [_value_column(f"{prefix}.{key}", key, column) for key in sorted(keys)]


def _print_csv(columns: Sequence[_Column]) -> None:
    import csv

    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        column.head if "." in column.head else _plain(column.head).replace("-", "_") for column in columns
    )
    writer.writerows(_cells_of_rows(columns))
    print_text(text.getvalue().removesuffix("\n"))


def _print_separated(columns: Sequence[_Column]) -> None:
    heads = "\t".join(_line(column.head) for column in columns)
    rows = ("\t".join(_line(cell) for cell in row) for row in _cells_of_rows(columns))
    if not in_colour():
        print_text("\n".join((heads, *rows)))
        return
    styles = [column.head in _STYLED for column in columns]
    print_styled("\n".join((heads, *(_styled_row(row.split("\t"), styles, "\t") for row in rows))))


def _cells_of_rows(columns: Sequence[_Column]) -> Iterable[tuple[str, ...]]:
    return zip(*([_raw(cell) for cell in column.cells] for column in columns), strict=True)


def _print_fitted(columns: Sequence[_Column], hiding: Sequence[str]) -> None:
    width = terminal_width()
    left, hidden = _hidden(columns, hiding, width)
    widths = _fitted_widths(left, width)
    fitted = [
        [_filled(_fit(cell, size), size, right=column.right) for cell in (column.head, *column.cells)]
        for column, size in zip(left, widths, strict=True)
    ]
    styles = [column.head in _STYLED for column in left]
    heads, *rows = zip(*fitted, strict=True)
    lines = [styled(_GAP.join(heads).rstrip(), "bold"), *(_styled_row(row, styles, _GAP) for row in rows)]
    print_styled("\n".join(lines))
    if hidden:
        print_text(f"{count_text(len(hidden), 'column')} hidden: --columns, --json", err=True)


def _styled_row(cells: Sequence[str], styles: Sequence[bool], gap: str) -> str:
    line = gap.join(
        styled(cell, _STYLES.get(cell.rstrip(), "")) if has_style else cell
        for cell, has_style in zip(cells, styles, strict=True)
    )
    return line if gap == "\t" else line.rstrip()


def _hidden(
    columns: Sequence[_Column], hiding: Sequence[str], width: int
) -> tuple[list[_Column], list[_Column]]:
    """The columns that fit, and those hidden for that."""
    left, hidden = list(columns), []
    for head in hiding:
        if _total([_narrowest(column, _NARROWEST) for column in left]) <= width:
            break
        hidden += [column for column in left if column.head == head]
        left = [column for column in left if column.head != head]
    return left, hidden


def _fitted_widths(columns: Sequence[_Column], width: int) -> list[int]:
    """The widths of columns: what is left over goes to the shortest of those that want it."""
    wanted = [_natural(column) for column in columns]
    widths = [_narrowest(column, _NARROWEST) for column in columns]
    if (
        _total(widths) > width
    ):  # a very narrow terminal: less than people want to read, and still no broken number
        widths = [_narrowest(column, 4) for column in columns]
    free = width - _total(widths)
    while free > 0 and widths != wanted:
        growing = [place for place, size in enumerate(widths) if size < wanted[place]]
        place = min(growing, key=widths.__getitem__)
        widths[place] += 1
        free -= 1
    return widths


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _natural(column: _Column) -> int:
    return max(_width(_line(_shown(cell))) for cell in (column.head, *column.cells))


def _narrowest(column: _Column, narrowest: int) -> int:
    """The smallest width of a column: numbers are whole."""
    natural = _natural(column)
    if not column.cut:
        return natural
    whole = [_width(_shown(cell)) for cell in column.cells if _is_number(_shown(cell))]
    return max([min(natural, narrowest), *whole])


def _fit(cell: Content, width: int) -> str:
    """The cell in no more than that width."""
    text = _line(_shown(cell))
    if _width(text) <= width:
        return text
    items = [] if isinstance(cell, (str, Cell)) else _items(cell)
    for count in range(len(items) - 1, 0, -1):
        text = _line(" ".join([*items[:count], "…"]))
        if _width(text) <= width:
            return text
    if items and _is_number(items[0].rpartition("=")[2]):
        return "…"
    return _shortened(_line(items[0] if items else _shown(cell)), width)


def _shortened(text: str, width: int) -> str:
    while text and _width(text) >= width:
        text = text[:-1]
    return f"{text}…"


def _filled(text: str, width: int, *, right: bool) -> str:
    blank = " " * (width - _width(text))
    return blank + text if right else text + blank


def _width(text: str) -> int:
    """In characters of a terminal: some are two wide, some none."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _line(text: str) -> str:
    """On one line of a table: a tab would be read as the end of the cell."""
    return one_line(text).replace("\t", "\\t")


def _items(cell: Mapping[str, str | Cell] | Sequence[str]) -> list[str]:
    if isinstance(cell, Mapping):
        return [f"{key}={_shown(value)}" for key, value in cell.items()]
    return list(cell)


def _shown(cell: Content) -> str:
    if isinstance(cell, Cell):
        return cell.shown
    return cell if isinstance(cell, str) else " ".join(_items(cell))


def _raw(cell: Content) -> str:
    if isinstance(cell, Cell):
        return cell.raw
    if isinstance(cell, Mapping):
        return " ".join(f"{key}={_raw(value)}" for key, value in cell.items())
    return cell if isinstance(cell, str) else " ".join(cell)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def terminal_width() -> int:
    """In characters. Some terminals, of containers and CI, have a width of 0, which Python 3.10 gives as it is."""
    return shutil.get_terminal_size().columns or _USUAL


def id_cell(text: str, width: int = 8) -> Cell:
    """An id or a key: a prefix is enough for people, for `show` too."""
    return Cell(text[:width], text)


def number_cell(value: float) -> Cell:
    """A measured value."""
    return Cell(f"{value:g}", repr(value))


def time_cell(milliseconds: int | None) -> Cell:
    """Local time to the second; with milliseconds and the zone for programs. Empty for None."""
    if milliseconds is None:
        return Cell("", "")
    from datetime import datetime

    try:
        when = datetime.fromtimestamp(milliseconds / 1000).astimezone()
    except (OSError, OverflowError, ValueError):  # as `time_text`
        return Cell(str(milliseconds), str(milliseconds))
    return Cell(when.strftime("%Y-%m-%d %H:%M:%S"), when.isoformat(timespec="milliseconds"))


def duration_cell(milliseconds: int | None) -> Cell:
    """A duration; seconds for programs. Empty for None."""
    return (
        Cell("", "")
        if milliseconds is None
        else Cell(duration_text(milliseconds), f"{milliseconds / 1000:g}")
    )
