"""MLproject files of the kinds that people publish: MLflow's command lines, or the values as they are typed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from projrun.errors import RequestError
from projrun.project.binding import GivenValue, bind
from projrun.project.entry_points import find_entry_point
from projrun.project.loader import load_project
from projrun.project.model import EntryPoint
from tests.support.commands import run_command
from tests.support.guard import REPOSITORY

pytestmark = pytest.mark.integration

CORPUS = REPOSITORY / "tests" / "corpus"

THEIRS = """
import json, os, sys
from mlflow.projects._project_spec import load_project

lines = []
for folder, entry_point, given in json.load(open(sys.argv[1])):
    os.chdir(folder)
    try:
        lines.append(load_project(folder).get_entry_point(entry_point).compute_command(given, None))
    except Exception as error:
        lines.append(f"{type(error).__name__}: {error}")
json.dump(lines, open(sys.argv[2], "w"))
"""

RECORDER = f"""#!{sys.executable} -ES
import json, os, sys
with open(os.environ["RECORD"], "a") as file:
    json.dump([os.path.basename(sys.argv[0]), *sys.argv[1:]], file)
    file.write("\\n")
"""

PLAIN = {"float": "0.25", "string": "plain", "path": "MLproject", "uri": "s3://bucket/key"}

QUOTED = (
    "the placeholder stands in quotes: MLflow's own quotes arrive with the value, or end the quotes around it"
)
INNER = "a shell line in a shell line: MLflow quotes the value for one of the two shells"
DOCUMENT = "a here-document takes quotes as text"
LINE_BREAK = "the block ends with a line break: MLflow's appended values are a command of their own"
IN_PROJECT = "a default that is a path: absolute here, so that the command may change its folder"
NO_ERROR = "MLflow ends with a KeyError or an AttributeError: `off:` as a name is a boolean, a name alone has no type"
EVALUATED = "appended values would be evaluated, under MLflow they are"
COMMENT = "MLflow appends values to the comment, where they are lost"

DIFFERENCES: Mapping[str, str] = {
    "defaults_of_yaml:main": NO_ERROR,
    "double_quotes:main": QUOTED,
    "eval_line:main": INNER,
    "files_and_folders:main": IN_PROJECT,
    "here_document:main": DOCUMENT,
    "inner_shell:main": INNER,
    "json_argument:main": QUOTED,
    "literal_block:main": LINE_BREAK,
    "shorthand_types:main": NO_ERROR,
    "single_quotes:main": QUOTED,
    "two_lines:main": LINE_BREAK,
}
"""Entry points whose line is not MLflow's for some values, and why. The programs get the values there."""

REFUSED: Mapping[str, str] = {"eval_line:main": EVALUATED, "trailing_comment:main": COMMENT}
"""Entry points that have no safe line for values that nothing declares, and why."""

AWKWARD = 'it\'s a "$(touch X)" `id` * \\ ~ #é %s'


class Try(NamedTuple):
    """One entry point with values."""

    folder: str
    entry_point: str
    values: Mapping[str, str]

    @property
    def name(self) -> str:
        """As in DIFFERENCES."""
        return f"{Path(self.folder).name}:{self.entry_point}"


def value_sets(entry_point: EntryPoint) -> Iterator[dict[str, str]]:
    """Four sets of values: what is required, awkward ones, empty ones, and values that nothing declares."""
    parameters = entry_point.parameters
    required = {
        name: PLAIN[parameter.type] for name, parameter in parameters.items() if parameter.default is None
    }
    strings = [name for name, parameter in parameters.items() if parameter.type == "string"]
    yield required
    yield {**required, **dict.fromkeys(strings, AWKWARD)}
    yield {**required, **dict.fromkeys(strings, "")}
    yield {**required, "extra": "x y", "more": "$HOME; 'q'"}


def tries() -> list[Try]:
    """Every entry point of the corpus with each set of values."""
    return [
        Try(str(folder), name, values)
        for folder in sorted(CORPUS.iterdir())
        for name, entry_point in load_project(folder).entry_points.items()
        for values in value_sets(entry_point)
    ]


def line_of_ours(tried: Try) -> str:
    """Our command line. Raises RequestError where there is no safe one."""
    project = load_project(Path(tried.folder))
    return bind(
        project,
        find_entry_point(project, tried.entry_point),
        {name: GivenValue(text, "command line") for name, text in tried.values.items()},
        caller_directory=project.directory,
        storage_directory=project.directory / "storage",
        strict=False,
    ).command


def received(line: str, folder: Path) -> list[list[str]]:
    """What the programs of a command line are started with."""
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / "record"
    record.write_text("")
    for program in ("run", "python", "ruff"):
        (folder / program).write_text(RECORDER)
        (folder / program).chmod(0o755)
    environ = {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "RECORD": str(record),
        "HOME": str(folder),
    }
    run_command(["bash", "-c", line], cwd=folder, environ=environ)
    return sorted(json.loads(one) for one in record.read_text().splitlines())


def expected(tried: Try, folder: Path) -> list[list[str]]:
    """What the programs get for words that no shell changes, with the values put in their place."""
    declared = load_project(Path(tried.folder)).entry_points[tried.entry_point].parameters
    free = [name for name in tried.values if name not in declared or declared[name].type == "string"]
    words = {name: f"w{number}w" for number, name in enumerate(free)}
    found = received(line_of_ours(tried._replace(values={**tried.values, **words})), folder)
    for name, word in words.items():
        found = [[part.replace(word, tried.values[name]) for part in command] for command in found]
    return sorted(found)


def their_lines(python: Path, tried: list[Try], folder: Path) -> list[str]:
    """MLflow's command lines, or what it raised."""
    (folder / "tries.json").write_text(json.dumps(tried))
    places = [str(folder / "tries.json"), str(folder / "lines.json")]
    run_command([str(python), "-c", THEIRS, *places]).check()
    lines: list[str] = json.loads((folder / "lines.json").read_text())
    return lines


@pytest.mark.parametrize("line", ["mlflow3_python", pytest.param("mlflow2_python", marks=pytest.mark.large)])
def test_command_lines_of_the_corpus(line: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    tried = tries()
    assert len({one.folder for one in tried}) >= 40
    assert len(tried) > 200
    different, refused = set(), set()
    theirs = their_lines(request.getfixturevalue(line), tried, tmp_path)
    for number, (one, their_line) in enumerate(zip(tried, theirs, strict=True)):
        try:
            our_line = line_of_ours(one)
        except RequestError:
            assert "extra" in one.values, one
            refused.add(one.name)
            continue
        if our_line != their_line:
            different.add(one.name)
            got = received(our_line, tmp_path / str(number))
            assert got == expected(one, tmp_path / f"{number} plain"), one
            assert got, one
            assert not (tmp_path / str(number) / "X").exists(), one
    assert different == set(DIFFERENCES)
    assert refused == set(REFUSED)
