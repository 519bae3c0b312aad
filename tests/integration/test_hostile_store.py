"""Every command over a store, a cache and a project of an attacker's names: none speaks to a terminal.

The commands are discovered: a new one is tested without being named here.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from projrun.cache.entries import ContentCache
from projrun.cli.application import application
from projrun.directories import Directories
from projrun.sources.places import TREE, checkouts
from projrun.tracking.entities import Metric, Param, Tag
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.sql.store import SqlStore
from tests.support.commands import run_projrun
from tests.support.projects import write_project
from tests.support.terminals import on_a_terminal

EVIL = "a\x1b]0;title\x07\x1b[2K\x9b31m\u202egnp\u2066\u200f\u2028\x7f\r\nprojrun: error: forged"
pytestmark = pytest.mark.together("one hostile store")

EVIL_MODEL = EVIL.replace(":", "")
PATHS = ["envs path", "cache path"]
"""Their output off a terminal is a path for `$(…)`: it is not changed."""

SERVING = [("ui",)]
"""They go on until a signal ends them: test_program.py is about these."""

MLPROJECT = f"""
name: {json.dumps(EVIL)}
entry_points:
  main:
    parameters:
      evil: {{type: string, default: {json.dumps(EVIL.replace(chr(13), ""))}}}
      key: {{type: {json.dumps(EVIL)}, default: x}}
    command: "true {{evil}}"
  {json.dumps(EVIL)}: {{command: "true", {json.dumps(EVIL)}: 1, parameters: {{{json.dumps(EVIL)}: {json.dumps(EVIL)}}}}}
{json.dumps(EVIL)}: 1
"""


class Bench(NamedTuple):
    """Where everything is, and what is given for an argument of a command."""

    home: Path
    values: dict[str, str]


def commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command of the command line, with the words that call it."""

    def walk(
        command: click.Command, words: tuple[str, ...]
    ) -> Iterator[tuple[tuple[str, ...], click.Command]]:
        if not isinstance(command, click.Group):
            yield words, command
            return
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from walk(inner, (*words, name))

    yield from walk(application, ())


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("hostile")
    home = folder / EVIL
    places = Directories.locate({"PROJRUN_HOME": str(home)})
    project = write_project(folder / "project\u202egnp\u2066", MLPROJECT)  # control characters are refused
    os.mkdir(os.fsencode(project) + b"/\xff\x9b")  # noqa: PTH102 - no text
    done = run_projrun(
        *("run", project, "-P", f"more={EVIL}", "--run-name", EVIL, "--experiment-name", EVIL),
        *("--env-manager=local", "--json"),
        environ={"PROJRUN_HOME": str(home)},
    ).check()
    other = hostile_run(places.database)
    values = {
        "uri": str(project),
        "path": str(project),
        "run_id": json.loads(done.stdout)["run_id"],
        "left": json.loads(done.stdout)["run_id"],
        "right": other,
        "run_ids": other,
        "repeated": other,
        "runs": other,
        "shell": "bash",
        **dict.fromkeys(("experiments name", "experiments names"), f"other{EVIL}"),
        **dict.fromkeys(("name", "new_name", "aliases", "user", "stage", "keys", "text"), EVIL),
        "model": f"{EVIL_MODEL}/1",
        "source": f"runs:/{other}/{EVIL}",
        **dict.fromkeys(("tags", "assignments"), f"k={EVIL}"),
        "experiment": f"other{EVIL}",
        "key": "m",
        "paths": EVIL,
        "permission": "READ",
    }
    return Bench(home, {**values, **entries(places)})


def hostile_run(database: Path) -> str:
    store = SqlStore.open(database)
    experiment = store.create_experiment(f"other{EVIL}", tags=[Tag("evil", EVIL)])
    run = store.create_run(experiment, run_name=EVIL, user_id=EVIL, start_time=0)
    names = ("mlflow.source.name", "mlflow.project.entryPoint", "projrun.reason", "mlflow.source.git.repoURL")
    tags = [Tag(name, EVIL) for name in names]
    store.log_batch(run.run_id, metrics=[Metric("m", 1.0, 0, 0)], params=[Param("p", EVIL)], tags=tags)
    artifacts = store.artifacts(run.artifact_uri).folder
    assert artifacts is not None
    (artifacts / EVIL).mkdir(parents=True)
    (artifacts / "\u202egnp\u2028").mkdir()
    (artifacts / "\u202egnp\u2028" / "\x9b").write_text("")
    (artifacts / os.fsdecode(b"\xff\x9b")).write_text("")
    registry = part_of(store, ModelRegistry)
    registry.create_registered_model(EVIL_MODEL, description=EVIL, tags=[Tag("evil", EVIL)])
    registry.create_model_version(
        EVIL_MODEL, source=f"s3://bucket/{EVIL}", description=EVIL, tags=[Tag("e", EVIL)]
    )
    store.close()
    return run.run_id


def entries(places: Directories) -> dict[str, str]:
    """An entry of each cache; the keys by the words of the command that take them."""
    environment, checkout = "a" * 32, "b" * 32
    facts = dict.fromkeys(("manager", "python", "summary", "project", "interpreter"), EVIL)
    ContentCache(places.environments, probe=".").get_or_build(
        environment, make_lock, facts={**facts, "files": (EVIL,), "requirements": (EVIL,)}
    )
    ContentCache(checkouts(places.cache), probe=TREE).get_or_build(
        checkout, lambda entry: (entry / TREE).mkdir(), facts={"source": EVIL, "commit": EVIL}
    )
    return {"envs key": environment, "cache key": checkout}


def make_lock(entry: Path) -> None:
    (entry / "requirements.lock.txt").write_text(EVIL)


def line_of(words: tuple[str, ...], command: click.Command, bench: Bench) -> list[str]:
    line = list(words)
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            name = str(parameter.name)
            value = bench.values.get(f"{words[0]} {name}") or bench.values.get(name)
            assert value is not None, f"say in `bench` what {' '.join(words)} is given as {name}"
            line.append(value)
        elif "--password-stdin" in parameter.opts:
            line.append("--password-stdin")
    return line


def controls(text: str) -> list[str]:
    """What is neither text nor a plain line: C0, C1, format characters, separators, surrogates."""
    allowed = "\n\t"
    return [
        ascii(character)
        for character in text
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in allowed
    ]


@pytest.mark.parametrize(
    ("words", "command"),
    [pytest.param(*one, id=" ".join(one[0])) for one in commands() if one[0] not in SERVING],
)
def test_no_control_character_reaches_the_terminal(
    words: tuple[str, ...], command: click.Command, bench: Bench
) -> None:
    line = line_of(words, command, bench)
    options = {option for parameter in command.params for option in parameter.opts}
    environ = {"PROJRUN_HOME": str(bench.home), "PROJRUN_ENV_MANAGER": "local"}
    lines = [line]
    if "--json" in options:
        lines.append([*line, "--json"])
    if "--all" in options:
        lines.append([*line, "--all"])
    for given in lines:
        done = run_projrun(*given, environ=environ)
        assert done.returncode != 70, done.stderr
        if "--json" in given:
            json.loads(done.stdout)
        elif " ".join(words) in PATHS:
            done = done._replace(stdout="")
        assert_harmless(done.stdout + done.stderr)
    shown = on_a_terminal(*line, home=bench.home)
    assert_harmless(re.sub(r"\x1b\[[0-9;?]*[mhlKA]", "", shown.replace("\r\n", "\n")))  # rich's own


def assert_harmless(text: str) -> None:
    assert controls(text) == [], text
    assert not re.search("(?m)^projrun: error: forged", text), text


@pytest.mark.parametrize(
    "words",
    [
        ("runs", "show", "0" * 8),
        ("run", f"/{EVIL}"),
        ("check", EVIL),
        (EVIL,),
        ("runs", "list", f"--{EVIL}"),
        ("runs", "list", "--filter", EVIL),
        ("run", f"https://user:password@host/{EVIL}.git"),
    ],
)
def test_errors_neither(words: tuple[str, ...], bench: Bench) -> None:
    for extra in ((), ("--json",)):
        done = run_projrun(
            *words, *extra, environ={"PROJRUN_HOME": str(bench.home), "PROJRUN_ALLOWED_PROTOCOLS": "ssh"}
        )
        assert done.returncode in (2, 3, 5), done.stderr
        assert_harmless(done.stdout + done.stderr)


def test_nor_does_a_ci_system_take_names_for_commands(bench: Bench, tmp_path: Path) -> None:
    project = write_project(
        tmp_path / "p", f"entry_points: {{main: {{command: 'exit 3', {json.dumps(EVIL)}: 1}}}}\n"
    )
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    name = f"{EVIL}\n::error::forged\n::add-mask::x"
    done = run_projrun(
        *("run", project, "--env-manager=local", "--run-name", name),
        environ={**environ, "PROJRUN_HOME": str(bench.home)},
    )
    assert done.returncode == 3
    assert_harmless(done.stderr)
    assert not re.search("(?m)^::(?:error::forged|add-mask)", done.stderr)
    assert controls((tmp_path / "summary").read_text()) == []


def test_json_keeps_every_value(bench: Bench) -> None:
    asked = run_projrun(
        *("runs", "show", bench.values["repeated"], "--json"), environ={"PROJRUN_HOME": str(bench.home)}
    )
    document = json.loads(asked.check().stdout)
    assert document["run_name"] == EVIL
    assert document["params"]["p"] == EVIL
    assert "\u202egnp\u2028/\x9b" in [artifact["path"] for artifact in document["artifacts"]]
