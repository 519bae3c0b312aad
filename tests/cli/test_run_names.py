"""RUN as people type it: `-1` is no option."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from projrun.cli.application import application
from projrun.cli.execution import execute
from projrun.cli.records.run_names import RunCommand, run_argument
from projrun.tracking.sql.store import SqlStore
from tests.support.stores import new_store


@click.command(cls=RunCommand)
@run_argument("runs", "RUN...", nargs=-1)
@click.option("-n", "--number", type=int)
@click.option("--all", "everything", is_flag=True)
def command(runs: tuple[str, ...], number: int | None, everything: bool) -> None:
    """Print what it was given."""
    click.echo(json.dumps([runs, number, everything]))


@pytest.mark.parametrize(
    ("line", "given"),
    [
        ("-1", [["-1"], None, False]),
        ("-1 --all -20 abc", [["-1", "-20", "abc"], None, True]),
        ("-n -1 -2", [["-2"], -1, False]),
        ("--number -1 x", [["x"], -1, False]),
        ("-2 -- -1 -x", [["-2", "-1", "-x"], None, False]),
    ],
)
def test_places_beside_options(line: str, given: list[object]) -> None:
    done = CliRunner().invoke(command, line.split())
    assert json.loads(done.output) == given


@pytest.mark.parametrize("line", ["-0", "-x", "-1x"])
def test_what_is_no_place_stays_an_option(line: str) -> None:
    assert CliRunner().invoke(command, [line]).exit_code == 2


def _leaves(group: click.Group, context: click.Context) -> list[click.Command]:
    found = []
    for name in group.list_commands(context):
        child = group.get_command(context, name)
        if child is not None:
            found += _leaves(child, context) if isinstance(child, click.Group) else [child]
    return found


def test_every_command_that_takes_a_run_takes_places() -> None:
    names = {"RUN", "RUN...", "[RUN]...", "RUN_ID"}
    takers = [
        leaf
        for leaf in _leaves(application, click.Context(application))
        if any(one.metavar in names for one in leaf.params if isinstance(one, click.Argument))
    ]
    assert len(takers) >= 10
    others = [leaf.name for leaf in takers if not isinstance(leaf, RunCommand)]
    assert others == ["sync"], "its runs wait on this machine: no store knows which was the last"


def test_the_run_before_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path))
    tmp_path.chmod(0o700)
    with closing(SqlStore.open(new_store(tmp_path / "projrun.db"))) as store:
        runs = [store.create_run("0", run_name=f"run {start}", start_time=start) for start in (1, 2)]
    shown = []
    for text in ("-2", "run 1", "latest"):
        assert execute(["runs", "show", text, "--json"]) == 0
        shown.append(json.loads(capsys.readouterr().out)["run_id"])
    assert shown == [runs[0].run_id, runs[0].run_id, runs[1].run_id]
