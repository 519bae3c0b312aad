"""What each command that prints a table shows: on terminals of three widths, dumb, without colours, and to a pipe.

The files are in `tests/cli/screens`; with UPDATE_SCREENS=1 they are written, to be read before they are committed.
"""

from __future__ import annotations

import io
import os
import pty
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, redirect_stderr, redirect_stdout
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from typing import NamedTuple

import pytest

from projrun.cache.contents import Footprint, Item
from projrun.cache.entries import Entry
from projrun.cache.lease import Lease, Mark, new_origin_id
from projrun.cli.execution import execute
from projrun.cli.tables import Layout
from projrun.cli.views import cache as cache_view
from projrun.cli.views import envs as envs_view
from projrun.directories import Directories
from projrun.tracking.entities import Metric, Param, Tag
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.sql.store import SqlStore
from projrun.tracking.statuses import RunStatus
from projrun.tracking.users import Users

FOLDER = Path(__file__).with_name("screens")
NOON = 1_767_268_800_000
RUNS = [f"{number}{'abc1' * 8}"[:32] for number in range(3)]


class Mode(NamedTuple):
    """What the output goes to."""

    name: str
    columns: int | None
    environ: Mapping[str, str] = MappingProxyType({})


MODES = (
    Mode("60 columns", 60),
    Mode("80 columns", 80),
    Mode("120 columns", 120),
    Mode("80 columns, TERM=dumb", 80, {"TERM": "dumb"}),
    Mode("80 columns, NO_COLOR=1", 80, {"NO_COLOR": "1"}),
    Mode("a pipe", None),
    Mode("a pipe, CLICOLOR_FORCE=1", None, {"CLICOLOR_FORCE": "1"}),
)
COMMANDS = {
    "runs-list": ["runs", "list"],
    "runs-list-active": ["runs", "list", "--active"],
    "runs-list-columns": ["runs", "list", "--columns", "name,metrics.rmse,params.alpha,tags.team"],
    "runs-list-csv": ["runs", "list", "--csv"],
    "runs-list-limit": ["runs", "list", "--limit", "1"],
    "runs-list-mistake": ["runs", "list", "--columns", "nme"],
    "runs-diff": ["runs", "diff", RUNS[0], RUNS[1]],
    "runs-compare": ["runs", "compare", *RUNS],
    "runs-best": ["runs", "best", "wine quality", "--metric", "rmse", "--min"],
    "runs-metrics": ["runs", "metrics", RUNS[0], "loss"],
    "runs-metrics-latest": ["runs", "metrics", RUNS[0]],
    "experiments-list": ["experiments", "list"],
    "models-list": ["models", "list"],
    "models-versions": ["models", "versions"],
    "models-show": ["models", "show", "wine"],
    "server-users-list": ["server", "users", "list"],
    "server-tokens-list": ["server", "tokens", "list", "ann"],
}


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A store with something for every table, and a run that is active."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("PROJRUN_HOME", str(home))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    time.tzset()
    uri = f"sqlite:///{home / 'projrun.db'}"
    monkeypatch.setenv("MLFLOW_BACKEND_STORE_URI", uri)
    with closing(SqlStore.open(home / "projrun.db")) as store:
        fill_runs(store)
        fill_models(part_of(store, ModelRegistry))
        users = part_of(store, Users)
        users.create_user("ann", "secret", is_admin=True)
        users.create_user("bob", "secret")
        users.create_token("ann", "laptop", "0" * 64)
    with closing(sqlite3.connect(home / "projrun.db")) as connection, connection:
        connection.execute(
            "UPDATE experiments SET artifact_location = 'file:///nowhere/0' WHERE experiment_id = 0"
        )
    active = Directories.locate(os.environ).active
    active.mkdir(mode=0o700, parents=True)
    since = round(time.time() * 1000) - 12_600_000
    here = os.uname().nodename
    mark = Mark(RUNS[2], uri, origin_id=new_origin_id(), run_name="calm-lake-3", since=since, host=here)
    lease = Lease(active / mark.origin_id, mark)
    yield home
    lease.release()
    monkeypatch.undo()
    time.tzset()


def fill_runs(store: SqlStore) -> None:
    experiment = store.create_experiment("wine quality", "file:///nowhere/wine")
    ends: tuple[RunStatus | None, ...] = ("FINISHED", "FAILED", None)
    for number, (run_id, status) in enumerate(zip(RUNS, ends, strict=True)):
        tags = (Tag("mlflow.project.entryPoint", "main"), Tag("team", "red"))
        run = store.create_run(
            experiment,
            run_name=f"calm-lake-{number + 1}",
            start_time=NOON + number,
            tags=tags,
            origin_id=run_id,
        )
        params = (
            Param("alpha", f"0.{number + 1}25"),
            Param("data", "s3://bucket/some/long/path/of/wine.csv"),
        )
        metrics = {"rmse": 0.78612345678 + number, "r2": 1 / 3, "mae": 0.5}
        points = [Metric(key, value, NOON) for key, value in metrics.items()]
        store.log_batch(run.run_id, params=params, metrics=points)
        if number == 0:
            values = [1 / (step + 1) + step % 5 / 50 for step in range(40)]
            curve = [Metric("loss", value, NOON, step) for step, value in enumerate(values)]
            store.log_batch(run.run_id, metrics=curve, tags=[Tag("mlflow.parentRunId", RUNS[1])])
        if status is not None:
            store.update_run(run.run_id, status=status, end_time=NOON + 200_812)


def fill_models(registry: ModelRegistry) -> None:
    registry.create_registered_model(
        "a-model-whose-name-is-rather-long", description="Wine of the north. " * 5
    )
    registry.create_registered_model("wine")
    for _ in range(2):
        registry.create_model_version("wine", source=f"s3://bucket/{'long/' * 12}", run_id=RUNS[0])
    for alias in ("champion", "challenger"):
        registry.set_registered_model_alias("wine", alias, "1")


def entry_of(facts: dict[str, object]) -> Item:
    entry = Entry("3f9a" * 8, Path("/cache/3f9a"), "ready", NOON - 7200)
    return Item(entry, Footprint(1_432_000_000, {}), facts, NOON - 864_000, in_use=False)


def captured(words: list[str], mode: Mode, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a command writes, with its errors below."""
    with monkeypatch.context() as patch:
        for name, value in mode.environ.items():
            patch.setenv(name, value)
        patch.setenv("COLUMNS", str(mode.columns or 80))
        shown, said = _written(words, on_terminal=mode.columns is not None)
    return f"## {mode.name}\n\n{shown}{''.join(f'! {line}' for line in said.splitlines(keepends=True))}\n"


def _written(words: list[str], *, on_terminal: bool) -> tuple[str, str]:
    ours, theirs = pty.openpty() if on_terminal else os.pipe()
    chunks: list[bytes] = []
    reader = Thread(target=_read_all, args=(ours, chunks))
    reader.start()
    error = io.StringIO()
    with os.fdopen(theirs, "w", encoding="utf-8") as stream, redirect_stdout(stream), redirect_stderr(error):
        _perform(words)
    reader.join()
    return b"".join(chunks).decode().replace("\r\n", "\n"), error.getvalue()


def _perform(words: list[str]) -> None:
    if words == ["envs", "list"]:
        what = {"summary": "3 requirements from requirements.txt", "project": "/home/ann/wine"}
        item = entry_of({"manager": "uv", "python": "3.12.1", **what})
        envs_view.print_list([item], NOON, Layout(), as_json=False)
    elif words == ["cache", "list"]:
        source = "https://host.example/team/a-repository.git"
        item = entry_of({"kind": "checkout", "source": source, "commit": "9" * 40})
        cache_view.print_list([item], NOON, Layout(), as_json=False)
    else:
        execute(words)


def _read_all(descriptor: int, chunks: list[bytes]) -> None:
    while True:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:  # Linux: EIO when the other end is closed
            break
        if not chunk:
            break
        chunks.append(chunk)
    os.close(descriptor)


def steady(text: str) -> str:
    """Without the times of today, and with colours that can be read."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "2026-01-02 03:04:05", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}", "2026-01-02T03:04:05.678", text)
    text = re.sub(r"\t126\d\d(\.\d+)?\b", "\t12600", text)
    return re.sub(r"\x1b\[(\d+)m", lambda found: f"<{COLOURS[found[1]]}>", text)


COLOURS = {"0": "/", "1": "bold", "31": "red", "32": "green", "33": "yellow", "36": "cyan"}


def test_screens_are_as_recorded(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    different = []
    commands = {**COMMANDS, "envs-list": ["envs", "list"], "cache-list": ["cache", "list"]}
    for name, words in commands.items():
        text = steady("\n".join(captured(words, mode, monkeypatch) for mode in MODES))
        file = FOLDER / f"{name}.txt"
        if os.environ.get("UPDATE_SCREENS"):
            file.write_text(text, encoding="utf-8")
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            different.append((name, text))
    assert different == []


@pytest.mark.parametrize("name", sorted(file.stem for file in FOLDER.glob("*.txt")))
def test_lines_fit_their_terminal(name: str) -> None:
    """Of what is recorded: nothing is folded by the terminal, but for columns that were asked for and CSV."""
    text = re.sub(r"<(?:/|\w+)>", "", (FOLDER / f"{name}.txt").read_text(encoding="utf-8"))
    if name.endswith(("csv", "mistake")):
        return
    for part in text.split("## ")[1:]:
        title, *lines = part.splitlines()
        width = re.match(r"\d+", title)
        if width and name != "models-show":
            lines = [line for line in lines if not line.startswith("equal: ")]  # a sentence, at the end
            assert [line for line in lines if len(line) > int(width[0])] == []
