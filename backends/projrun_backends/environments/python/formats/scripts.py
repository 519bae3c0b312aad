"""Scripts that say in an inline block what they need (PEP 723), and the lock that uv keeps beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from projrun.errors import RequestError
from projrun.project.files import is_file
from projrun.project.text import read_text
from projrun.tuples import NamedTuple
from projrun.typed import TYPE_CHECKING
from projrun_backends.environments.python.formats.toml_values import lines_of, one_line
from projrun_backends.environments.python.requirements import Line, display_name, read_requirement_lines
from projrun_backends.environments.python.spec import EnvironmentSpec
from projrun_backends.environments.python.toml_files import read_large, read_toml, table_of
from projrun_backends.environments.python.uv_files import locked_sources, path_sources
from projrun_backends.environments.python.versions import PythonRequest

if TYPE_CHECKING:
    from typing import Any

_START = r"# /// ([A-Za-z0-9-]+)"
_END = "# ///"


class _Block(NamedTuple):
    line: int
    text: str


def read_script(file: Path, project: Path, environ: Mapping[str, str]) -> EnvironmentSpec:
    """The spec of a script's block; RequestError for a block that is wrong, and for a second one, as PEP 723 asks."""
    name = display_name(file, project)
    blocks = list(_blocks(read_text(file, name), name))
    if len(blocks) > 1:
        raise RequestError(
            f"{name}:{blocks[1].line}: a second `script` block; the first is in line {blocks[0].line}",
            hint="a script has one block (PEP 723)",
        )
    block = blocks[0] if blocks else _Block(1, "")
    origin = f"{name}:{block.line}"
    table = read_toml(block.text, f"{origin}: the script block")
    tool = table_of(table_of(table, "tool"), "uv")
    lock = file.with_name(f"{file.name}.lock")
    locked = read_large(lock, lock.name) if is_file(lock) else ""
    requirements = read_requirement_lines(_lines(table, origin), file.parent, project, environ)
    uv_sources = locked_sources(locked, lock, project) if locked else path_sources(file.parent, table, origin)
    return EnvironmentSpec(
        source=lock.name if locked else name,
        python=_python(table, f"{origin}: requires-python"),
        python_origin=f"{origin}: requires-python",
        python_required=True,
        requirements=requirements._replace(local=(*requirements.local, *uv_sources)),
        files=(file, lock) if locked else (file,),
        script=file,
        needs_uv=f"{lock.name} is a lock of uv" if locked else "its block has [tool.uv]" if tool else "",
        seeded=not (locked or tool),
        texts=(block.text, locked),
    )


def _blocks(text: str, name: str) -> Iterator[_Block]:
    """The blocks of type `script`: comment lines from `# /// script` to the last `# ///` before another line."""
    lines = re.split("\r\n|\r|\n", text)
    number = 0
    while number < len(lines):
        start = re.fullmatch(_START, lines[number])
        number += 1
        if start is None:
            continue
        end = number
        while end < len(lines) and (lines[end] == "#" or lines[end].startswith("# ")):
            end += 1
        closing = next((place for place in range(end - 1, number - 1, -1) if lines[place] == _END), None)
        if closing is not None:
            if start[1] == "script":
                yield _Block(number, "\n".join(line[2:] for line in lines[number:closing]))
            number = closing + 1
        elif start[1] == "script":
            raise RequestError(
                f"{name}:{number}: the `script` block has no end",
                hint="end it with the line `# ///`; each line in it begins with `#`",
            )
        else:
            number = end  # nothing that begins in these lines has an end


def _lines(table: Mapping[str, Any], origin: str) -> Iterator[Line]:
    for text in lines_of(table.get("dependencies", []), f"{origin}: dependencies"):
        if text.lstrip().startswith("-"):
            raise RequestError(
                f"{origin}: {text!r} is not a requirement", hint="options belong to a requirements.txt"
            )
        yield Line(text, origin)


def _python(table: Mapping[str, Any], origin: str) -> PythonRequest | None:
    text = one_line(table.get("requires-python", ""), origin)
    request = PythonRequest.parse(text) if text else None
    if text and request is None:
        raise RequestError(f"{origin}: {text!r} is not a Python version", hint='for example ">=3.10"')
    return request
