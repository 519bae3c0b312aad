"""`projrun models`, in the embedded store and on a server."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click
import pytest

from projrun.cli.completing.models import complete_model
from projrun.cli.execution import execute
from projrun.server.endpoint import Endpoint
from projrun.tracking.entities import ModelOutput, Run, Tag
from projrun.tracking.inputs import Inputs
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.sql.store import SqlStore
from tests.support.commands import require_tool, run_command
from tests.support.registered import ModelsCommand
from tests.support.terminals import on_a_terminal


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with closing(SqlStore.open(tmp_path / "store.db")) as store:
        yield store


@pytest.fixture
def run(store: SqlStore, tmp_path: Path) -> Run:
    """A run with a folder `model`."""
    run = store.create_run("0", start_time=1)
    file = tmp_path / "MLmodel"
    file.write_text("flavors: {}")
    store.artifacts(run.artifact_uri).upload(file, "model/MLmodel")
    return run


@pytest.fixture(params=["sql", "rest"])
def uri(request: pytest.FixtureRequest, store: SqlStore, tmp_path: Path) -> Iterator[str]:
    if request.param == "sql":
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
    with Endpoint.open(lambda: SqlStore.open(tmp_path / "store.db")) as endpoint:
        yield endpoint.uri


@pytest.fixture
def models(
    uri: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ModelsCommand:
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MLFLOW_REGISTRY_URI", raising=False)
    return ModelsCommand(uri, capsys)


def test_model_from_registration_to_deletion(models: ModelsCommand, run: Run) -> None:
    prefix = run.run_id[:8]
    assert models("register", f"runs:/{prefix}/model", "wine", "--alias", "candidate") == (
        "registered wine/1 as @candidate"
    )
    made = models.document("register", "runs:/latest/model", "wine", "--tag", "k=v=w", "--description", "d")
    assert (made["version"], made["run_id"], made["tags"], made["description"]) == (
        "2", run.run_id, {"k": "v=w"}, "d",
    )  # fmt: skip
    assert models("alias", "wine@candidate", "champion", "fallback") == "wine/1 as @champion, @fallback"
    assert models("unalias", "wine@fallback") == "removed wine@fallback"
    assert models("stage", "wine/latest", "production") == "wine/2 is in Production"
    assert models.document("show", "models:/wine/Production")["version"] == "2"
    assert models("tag", "wine", "team=red") == "tagged wine"
    models("tag", "wine/1", "a=1", "b=2")
    models("untag", "wine@champion", "a")
    assert models("describe", "wine", "of grapes") == "described wine"
    models("describe", "wine/1", "the first")
    document = models.document("show", "wine")
    assert document["aliases"] == {"candidate": "1", "champion": "1"}
    assert (document["tags"], document["description"]) == ({"team": "red"}, "of grapes")
    assert [(each["version"], each["stage"], each["tags"]) for each in document["versions"]] == [
        ("2", "Production", {"k": "v=w"}),
        ("1", "None", {"b": "2"}),
    ]
    assert models.document("show", "wine/1")["description"] == "the first"
    assert models("rename", "wine", "water") == "renamed wine to water"
    assert models("delete", "water/2") == "deleted water/2"
    assert "has versions" in models("delete", "water", code=2)
    assert models("delete", "water", "--with-versions") == "deleted water"
    assert models.document("list") == {"models": [], "next_page_token": None}


def test_lists(models: ModelsCommand, store: SqlStore) -> None:
    registry = part_of(store, ModelRegistry)
    for name in ("a", "b", "c"):
        registry.create_registered_model(name, description=f"model {name}")
    for _ in range(2):
        registry.create_model_version("b", source="s3://bucket/b")
    registry.set_registered_model_alias("b", "best", "1")
    lines = models("list").splitlines()
    assert [line.split()[0] for line in lines] == ["NAME", "a", "b", "c"]
    assert lines[2].split()[1:3] == ["2", "best=1"]
    assert [each["name"] for each in models.document("list", "--filter", "name != 'b'")["models"]] == [
        "a",
        "c",
    ]
    assert [
        each["name"] for each in models.document("list", "--order-by", "name DESC", "-n", "1")["models"]
    ] == ["c"]
    listed = models.document("versions", "--filter", "name = 'b'")["versions"]
    assert [(each["name"], each["version"]) for each in listed] == [("b", "2"), ("b", "1")]
    shown = models("show", "b").splitlines()
    assert shown[0].split() == ["model", "b"]
    assert [line.split()[0] for line in shown[-2:]] == ["2", "1"]
    assert models("show", "b/1").splitlines()[0].split() == ["version", "b/1"]


def test_what_is_registered(models: ModelsCommand, store: SqlStore, run: Run) -> None:
    logged = part_of(store, LoggedModels)
    model = logged.create_logged_model("0", name="forest", source_run_id=run.run_id)
    part_of(store, Inputs).log_outputs(run.run_id, [ModelOutput(model.model_id)])
    source = f"models:/{model.model_id}"
    for given in (f"runs:/{run.run_id}/forest", source):
        made = models.document("register", given, "wine", "--tag", "from=here")
        assert (made["source"], made["model_id"], made["run_id"]) == (source, model.model_id, run.run_id)
    copied = models.document("register", "models:/wine/2", "copy")
    assert (copied["source"], copied["tags"]) == ("models:/wine/2", {"from": "here"})
    assert models.document("register", "s3://bucket/m", "wine")["source"] == "s3://bucket/m"


def test_mistakes(models: ModelsCommand, run: Run) -> None:
    assert "has no artifact folder 'nothing'" in models("register", "runs:/latest/nothing", "wine", code=2)
    assert "has no run 'none'" in models("register", "runs:/none/model", "wine", code=2)
    models("register", "models:/m-none", "wine", code=2)
    assert models.document("list")["models"] == []
    models("register", "runs:/latest/model", "wine")
    assert "names no version" in models("alias", "wine", "best", code=2)
    assert "names no alias" in models("unalias", "wine", code=2)
    assert "names no model" in models("show", "wine@", code=2)
    assert "names no model" in models("show", "wine/1/2", code=2)
    assert "is not a tag" in models("tag", "wine", "team", code=2)
    assert "has no version in 'Staging'" in models("show", "wine/Staging", code=2)
    assert "already exists" in models(
        "rename", "wine", models("register", "s3://b/m", "other") and "other", code=2
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("show wnie", "the registry has no model 'wnie'; did you mean 'wine'? see `projrun models list`"),
        ("versions wnie", "no model 'wnie'; did you mean 'wine'?"),
        ("tag wnie a=b", "no model 'wnie'; did you mean 'wine'?"),
        ("rename wnie water", "no model 'wnie'; did you mean 'wine'?"),
        ("delete zzz", "the registry has no model 'zzz'; see `projrun models list`"),
        ("alias wine/9 best", "the model 'wine' has no version '9'; its versions: 2, 1"),
        ("stage wine/9 Staging", "the model 'wine' has no version '9'; its versions: 2, 1"),
        ("describe wine@champoin x", "no alias 'champoin'; did you mean 'champion'? its aliases: champion"),
        ("unalias wine@zzz", "the model 'wine' has no alias 'zzz'; its aliases: champion"),
        ("show empty@best", "the model 'empty' has no alias 'best'; it has none"),
        ("show empty/1", "the model 'empty' has no version '1'; it has none"),
        ("stage wine/1 prod", "'prod' is not a stage; stages are None, Staging, Production, Archived"),
        ("stage wine/1 Stagign", "'Stagign' is not a stage; did you mean 'Staging'? stages are None,"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(
    models: ModelsCommand, store: SqlStore, words: str, said: str
) -> None:
    registry = part_of(store, ModelRegistry)
    for name in ("wine", "empty"):
        registry.create_registered_model(name)
    for _ in range(2):
        registry.create_model_version("wine", source="s3://bucket/wine")
    registry.set_registered_model_alias("wine", "champion", "1")
    told = models(*words.split(), code=2)
    assert said in told
    assert told.count("\n") == 1


def test_every_change_answers_programs_with_what_is_there_now(models: ModelsCommand, run: Run) -> None:
    models("register", "runs:/latest/model", "wine")
    for words, key, value in (
        ("alias wine/1 best", "aliases", ["best"]),
        ("tag wine/1 a=b", "tags", {"a": "b"}),
        ("untag wine@best a", "tags", {}),
        ("unalias wine@best", "aliases", []),
        ("stage wine/1 staging", "stage", "Staging"),
        ("describe wine/1 first", "description", "first"),
        ("tag wine a=b", "tags", {"a": "b"}),
        ("untag wine a", "tags", {}),
        ("describe wine grapes", "description", "grapes"),
        ("rename wine water", "name", "water"),
    ):
        assert models.document(*words.split())[key] == value, words
    assert models.document("delete", "water/1") == {"deleted": {"name": "water", "version": "1"}}
    assert models.document("delete", "water") == {"deleted": {"name": "water", "version": None}}


def test_an_empty_registry_says_how_it_is_filled(
    models: ModelsCommand, capsys: pytest.CaptureFixture[str]
) -> None:
    assert models("list") == models("list", "--filter", "name = 'a'") == models("versions") == ""
    execute(["models", "list", "--tracking-uri", models.uri])
    assert (
        "no registered models; `projrun models register runs:/latest/model NAME`" in capsys.readouterr().err
    )


def test_versions_of_one_model(models: ModelsCommand, store: SqlStore) -> None:
    registry = part_of(store, ModelRegistry)
    for name in ("it's", "other"):
        registry.create_registered_model(name)
        for number in range(3):
            registry.create_model_version(name, source=f"s3://bucket/{number % 2}")
    registry.set_registered_model_alias("it's", "best", "1")
    versions = models.document("versions", "it's")["versions"]
    assert [(each["name"], each["version"], each["aliases"]) for each in versions] == [
        ("it's", "3", []), ("it's", "2", []), ("it's", "1", ["best"]),
    ]  # fmt: skip
    chosen = models.document("versions", "it's", "--filter", "source_path = 's3://bucket/0'", "-n", "1")
    assert [each["version"] for each in chosen["versions"]] == ["3"]
    assert chosen["next_page_token"]


def test_a_stage_that_has_versions_is_said_or_cleared(
    models: ModelsCommand, store: SqlStore, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = part_of(store, ModelRegistry)
    registry.create_registered_model("wine")
    for _ in range(3):
        registry.create_model_version("wine", source="s3://bucket/wine")
    assert models("stage", "wine/1", "production") == "wine/1 is in Production"
    models("stage", "wine/2", "Production")
    assert [each["stage"] for each in models.document("versions", "wine")["versions"]] == [
        "None", "Production", "Production",
    ]  # fmt: skip
    models("stage", "wine/3", "Production", "--archive-existing")
    assert [each["stage"] for each in models.document("versions", "wine")["versions"]] == [
        "Production", "Archived", "Archived",
    ]  # fmt: skip


def test_a_folder_is_copied_into_the_store(models: ModelsCommand, store: SqlStore, tmp_path: Path) -> None:
    run = store.create_run("0", start_time=1)
    folder = tmp_path / "it's v1.2"
    (folder / "data").mkdir(parents=True)
    (folder / "MLmodel").write_text(f"flavors: {{}}\nrun_id: {run.run_id}\n")
    (folder / "data" / "weights").write_text("1")
    made = models.document("register", folder, "wine")
    assert (made["source"], made["run_id"]) == (f"models:/{made['model_id']}", run.run_id)
    model = part_of(store, LoggedModels).get_logged_model(made["model_id"])
    assert (model.name, model.status) == ("it-s v1-2", "LOGGED_MODEL_READY")
    (folder / "data" / "weights").unlink()
    assert store.artifacts(model.artifact_uri).list("data")[0].path == "data/weights"
    assert json.loads({tag.key: tag.value for tag in model.tags}["mlflow.modelVersions"]) == [
        {"name": "wine", "version": 1}
    ]


def test_a_folder_that_the_store_keeps_is_registered_as_what_it_is(
    store: SqlStore, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = ModelsCommand(f"sqlite:///{tmp_path / 'store.db'}", capsys)
    root = store.artifacts(run.artifact_uri).folder
    assert root is not None
    (root / "model" / "MLmodel").write_text(f"flavors: {{}}\nrun_id: {run.run_id}\n")
    made = models.document("register", root / "model", "wine")
    assert (made["source"], made["run_id"]) == (f"{run.artifact_uri}/model", run.run_id)
    copied = models.document("register", "models:/wine/1", "water")
    kept = part_of(store, LoggedModels).create_logged_model("0", source_run_id=run.run_id)
    folder = store.artifacts(kept.artifact_uri).folder
    assert folder is not None
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text(f"flavors: {{}}\nmodel_id: {kept.model_id}\n")
    again = models.document("register", folder, "wine")
    assert (again["model_id"], again["run_id"]) == (kept.model_id, run.run_id)
    assert copied["source"] == "models:/wine/1"


def test_a_folder_that_is_no_model_registers_nothing(models: ModelsCommand, tmp_path: Path) -> None:
    assert "is not a model: it has no MLmodel file" in models("register", tmp_path, "wine", code=2)
    assert "not found; give a model's folder" in models("register", "./none", "wine", code=2)
    assert models.document("list")["models"] == []


def test_what_a_run_has_is_said_where_a_name_is_wrong(
    models: ModelsCommand, store: SqlStore, run: Run
) -> None:
    logged = part_of(store, LoggedModels)
    model = logged.create_logged_model("0", name="forest", source_run_id=run.run_id)
    part_of(store, Inputs).log_outputs(run.run_id, [ModelOutput(model.model_id)])
    history = json.dumps([{"artifact_path": "model"}, {"artifact_path": "model"}])
    store.log_batch(run.run_id, tags=[Tag("mlflow.log-model.history", history)])
    told = models("register", "runs:/latest/nothing", "wine", code=2)
    assert "has no artifact folder 'nothing'; its models: model, forest" in told


@pytest.mark.processes
def test_deleting_asks_on_a_terminal(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    with closing(SqlStore.open(home / "projrun.db")) as store:
        registry = part_of(store, ModelRegistry)
        registry.create_registered_model("wine")
        registry.create_model_version("wine", source="s3://bucket/wine")
        registry.set_registered_model_alias("wine", "best", "1")
        assert on_a_terminal("models", "delete", "wine/1", home=home, errors=tmp_path / "errors") == ""
        assert "stderr is no terminal, which would show the question; say so with --yes" in (
            (tmp_path / "errors").read_text()
        )
        said = on_a_terminal("models", "delete", "wine/1", home=home, typed="n\n")
        assert "Delete wine/1 (@best) for good? [y/N]: " in said
        assert "wine/1 was not deleted" in said
        registry.get_model_version("wine", "1")
        said = on_a_terminal("models", "delete", "wine", "--with-versions", home=home, typed="y\n")
        assert "Delete wine with its 1 version for good? [y/N]: " in said
        assert "deleted wine" in said
        registry.create_registered_model("wine")
        assert on_a_terminal("models", "delete", "wine", "--yes", home=home).strip() == "deleted wine"


@pytest.mark.processes
@pytest.mark.parametrize("columns", [60, 80, 120])
def test_tables_fit_a_terminal(tmp_path: Path, columns: int) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    with closing(SqlStore.open(home / "projrun.db")) as store:
        registry = part_of(store, ModelRegistry)
        registry.create_registered_model(
            "a-model-whose-name-is-rather-long-as-teams-make-them", description="d " * 60
        )
        registry.create_registered_model("wine")
        for _ in range(2):
            registry.create_model_version("wine", source=f"s3://bucket/{'long/' * 12}", run_id="0" * 32)
        for alias in ("champion", "challenger"):
            registry.set_registered_model_alias("wine", alias, "1")
    for words in (("list",), ("versions",), ("versions", "wine")):
        said = on_a_terminal("models", *words, home=home, columns=columns)
        lines = re.sub(r"\x1b\[[\d;]*m", "", said).splitlines()
        assert max(map(len, lines)) <= columns, said
        assert "ALIASES" in lines[0]
        assert any("champion" in line for line in lines)


COMPLETE = """
source /dev/stdin <<< "$(projrun completion bash)"
COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; _projrun_completion projrun; echo "${COMPREPLY[*]}"
"""


@pytest.mark.processes
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["show", ""], "water wine"),
        (["versions", "wi"], "wine"),
        (["register", "runs:/latest/model", "wa"], "water"),
        (["tag", "wine/"], "wine/2 wine/1"),
        (["alias", "none/"], ""),
        (["stage", "wine/1", "p"], "Production"),
        (["serve", "-m", "a=models:/wine@cham"], "@champion"),
        (["serve", "-m", "a=mod"], "models:/"),
    ],
)
def test_a_shell_completes_names(tmp_path: Path, words: list[str], offered: str) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    with closing(SqlStore.open(home / "projrun.db")) as store:
        registry = part_of(store, ModelRegistry)
        for name in ("wine", "water"):
            registry.create_registered_model(name)
        for _ in range(2):
            registry.create_model_version("wine", source="s3://bucket/wine")
        registry.set_registered_model_alias("wine", "champion", "2")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    bash = [require_tool("bash"), "-c", COMPLETE, "bash", "projrun", "models", *words]
    done = run_command(bash, environ={"PROJRUN_HOME": str(home), "PATH": path}).check()
    assert done.stdout.strip() == offered


def test_aliases_are_completed_after_the_at(models: ModelsCommand, store: SqlStore, uri: str) -> None:
    registry = part_of(store, ModelRegistry)
    registry.create_registered_model("wine")
    registry.create_model_version("wine", source="s3://bucket/wine")
    for alias in ("champion", "other"):
        registry.set_registered_model_alias("wine", alias, "1")
    context = click.Context(click.Command("unalias"))
    context.params = {"tracking_uri": uri}
    assert complete_model(context, click.Argument(["model"]), "wine@c") == ["wine@champion"]


def test_completion_makes_no_store_and_waits_for_no_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))
    context, argument = click.Context(click.Command("show")), click.Argument(["model"])
    assert complete_model(context, argument, "wi") == []
    assert not (tmp_path / "home" / "projrun.db").exists()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        context.params = {"tracking_uri": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        began = time.monotonic()
        assert complete_model(context, argument, "wi") == []
        assert time.monotonic() - began < 20  # a call would have 30 s


def test_registry_of_mlflows_variable(
    models: ModelsCommand, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", f"sqlite:///{tmp_path / 'registry.db'}")
    models("register", "runs:/latest/model", "wine")
    assert [each["name"] for each in models.document("list")["models"]] == ["wine"]
    monkeypatch.delenv("MLFLOW_REGISTRY_URI")
    assert models.document("list")["models"] == []
