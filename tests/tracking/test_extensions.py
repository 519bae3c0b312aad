"""Stores, artifact stores, logins and run context of another package: the examples of docs/plugins.md, installed."""

from __future__ import annotations

import configparser
import gc
import importlib.metadata
import json
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from projrun.cli.execution import execute
from projrun.errors import NotFoundError, PluginError, RequestError, TrackingError
from projrun.testing.artifacts import ArtifactConformance
from projrun.tracking.artifacts.open import open_repository
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.extensions import context_tags
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.open import open_store
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.rest.store import RestStore
from projrun.tracking.sql.store import SqlStore
from projrun.tracking.uri import parse_tracking_uri
from tests.support.commands import run_projrun
from tests.support.guard import REPOSITORY
from tests.support.projects import write_project
from tests.tracking.loopback import Answer, Received, always, serve
from tests.tracking.test_rest_answers import FOUND

PAGE = (REPOSITORY / "docs" / "plugins.md").read_text(encoding="utf-8")


def install(folder: Path, groups: Mapping[str, Mapping[str, str]]) -> Path:
    """A package's metadata as an installer writes it."""
    metadata = folder / "team_plugins-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: team-plugins\nVersion: 1.0\n")
    lines: list[str] = []
    for group, names in groups.items():
        lines += [f"[{group}]", *(f"{name} = {target}" for name, target in names.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    return folder


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The examples of the page, where Python finds packages."""
    groups: dict[str, dict[str, str]] = {}
    for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL):
        parser = configparser.ConfigParser()
        parser.read_string(block.replace("project.entry-points.", "").replace('"', ""))
        for group in parser.sections():
            groups.setdefault(group, {}).update(parser[group])
    folder = install(tmp_path / "site", groups)
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        name = re.match(r"# (\w+\.py)\n", block)
        assert name, block
        (folder / name[1]).write_text(block, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    for module in ("team_store", "team_artifacts", "team_auth", "team_context", "faulty"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    return folder


class TestShare(ArtifactConformance):
    """The example keeps the contract."""

    @pytest.fixture
    def artifacts(self, package: Path, tmp_path: Path) -> ArtifactRepository:
        return open_repository("share:/vision/run", environ={"TEAM_SHARE": str(tmp_path / "share")})


def test_store_is_found_by_its_scheme(package: Path, tmp_path: Path) -> None:
    uri = parse_tracking_uri("team:vision")
    assert (uri.kind, uri.scheme, uri.shown) == ("plugin", "team", "team:vision")
    with closing(open_store(uri, {"TEAM_STORES": str(tmp_path)}, warn=pytest.fail)) as store:
        assert store.get_experiment("0").name == "Default"
    assert (tmp_path / "vision.db").exists()


def test_message_of_a_plugin_is_shown_as_it_is(package: Path) -> None:
    with pytest.raises(TrackingError, match="'team:vision' cannot be opened") as caught:
        open_store(parse_tracking_uri("team:vision"), {}, warn=pytest.fail)
    assert caught.value.hint == "set TEAM_STORES, and give team:NAME"


def test_scheme_that_nobody_offers_is_refused(package: Path) -> None:
    with pytest.raises(RequestError, match="cannot record"):
        parse_tracking_uri("nobody:x")
    with pytest.raises(TrackingError, match="cannot reach artifacts at nobody:x"):
        open_repository("nobody:x")


@pytest.mark.processes
def test_run_in_a_store_of_another_package(package: Path, tmp_path: Path) -> None:
    """The command reaches the store over REST; the tags of the run context are on the run."""
    project = tmp_path / "project"
    project.mkdir()
    python = json.dumps(sys.executable)
    script = (
        "import os, urllib.request as u; r = u.Request(os.environ['MLFLOW_TRACKING_URI'] + "
        "'/api/2.0/mlflow/runs/log-parameter', ('{\\\"run_id\\\": \\\"' + os.environ['MLFLOW_RUN_ID'] + "
        '\'\\", \\"key\\": \\"a\\", \\"value\\": \\"1\\"}\').encode(), '
        "{'Content-Type': 'application/json'}); u.urlopen(r).read()"
    )
    (project / "script.py").write_text(script.replace('\\"', '"'))
    (project / "MLproject").write_text(f"entry_points: {{main: {{command: '{python} script.py'}}}}\n")
    (tmp_path / "config.toml").write_text('run-context = ["team"]\n')
    environ = {
        "PYTHONPATH": str(package),
        "TEAM_STORES": str(tmp_path / "stores"),
        "CI_JOB_URL": "https://ci.test/7",
        "PROJRUN_CONFIG": str(tmp_path / "config.toml"),
    }
    words = ("run", project, "--env-manager=local", "--tracking-uri=team:vision")
    run_projrun(*words, environ=environ).check()
    with closing(SqlStore.open(tmp_path / "stores" / "vision.db")) as store:
        (run,) = store.search_runs(["0"]).runs
    assert (run.status, dict(run.params)["a"], run.tag("team.ci_job")) == (
        "FINISHED",
        "1",
        "https://ci.test/7",
    )


def test_login_signs_each_request(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".team-token").write_text("fresh\n")
    environ = {"MLFLOW_TRACKING_AUTH": "team", "MLFLOW_TRACKING_TOKEN": "other"}
    with serve(always(FOUND)) as server, closing(RestStore(server.uri, environ)) as store:
        store.get_run("r1")
    assert [request.headers["authorization"] for request in server.received] == ["Bearer fresh"]


def test_refused_login_is_named(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".team-token").write_text("stale")

    def refuse(request: Received) -> Answer:
        return Answer(b"{}", 401)

    with (
        serve(refuse) as server,
        closing(RestStore(server.uri, {"MLFLOW_TRACKING_AUTH": "team"})) as store,
        pytest.raises(TrackingError, match=r"those of 'team' \(MLFLOW_TRACKING_AUTH\)"),
    ):
        store.get_run("r1")


def test_other_servers_get_no_login(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".team-token").write_text("fresh")
    with (
        serve(always(Answer(b'{"files": []}'))) as other,
        serve(always(FOUND)) as server,
        closing(RestStore(server.uri, {"MLFLOW_TRACKING_AUTH": "team"})) as store,
    ):
        store.artifacts(f"mlflow-artifacts://{other.uri.partition('//')[2]}/x").list()
    assert ["authorization" in request.headers for request in other.received] == [False]


def test_login_that_nobody_offers(package: Path) -> None:
    with pytest.raises(RequestError, match="unknown authentication 'absent'") as caught:
        RestStore("http://127.0.0.1:9", {"MLFLOW_TRACKING_AUTH": "absent"})
    assert caught.value.hint.endswith(", or unset MLFLOW_TRACKING_AUTH")


def test_aws_signatures_are_refused_unless_a_plug_in_signs(package: Path) -> None:
    with pytest.raises(RequestError, match="MLFLOW_TRACKING_AWS_SIGV4") as caught:
        RestStore("http://127.0.0.1:9", {"MLFLOW_TRACKING_AWS_SIGV4": "true"})
    assert "MLFLOW_TRACKING_AUTH" in caught.value.hint
    both = {"MLFLOW_TRACKING_AWS_SIGV4": "true", "MLFLOW_TRACKING_AUTH": "team"}
    RestStore("http://127.0.0.1:9", both).close()


def test_context_that_nobody_offers(package: Path) -> None:
    with pytest.raises(RequestError, match="unknown run context 'tem'; did you mean 'team'"):
        context_tags("tem", {})
    assert context_tags("team", {}) == {}


STORE = """\
from projrun.tracking.sql.store import SqlStore
from pathlib import Path

def opened(uri, environ):
    return SqlStore.open(Path(environ["FOLDER"]) / "faulty.db")

def boom(*arguments, **keywords):
    raise ValueError("boom")

class Broken:
    def __init__(self, *arguments): ...
    uri = "faulty:x"
    folder = None
    upload = list = download = boom
    __call__ = boom

def Run():
    from projrun.tracking.entities import Run
    return Run("1", "0", "name", "RUNNING", 0, None, "")
"""
CLOSE = """
class Unclosed(SqlStore):
    def close(self):
        super().close()
        boom()

def opened(uri, environ):
    return Unclosed.open(Path(environ["FOLDER"]) / "faulty.db")
"""
STORES, ARTIFACTS = "projrun.stores", "projrun.artifacts"


def faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: str, module: str | None) -> None:
    """A package whose plug-in `faulty` is `opened` of its module."""
    folder = install(tmp_path / "faulty", {group: {"faulty": "faulty:opened"}})
    if module is not None:
        (folder / "faulty.py").write_text(module)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "faulty", raising=False)


def use(group: str, tmp_path: Path) -> object:
    """Open what the plug-in gives, and use it."""
    environ = {"FOLDER": str(tmp_path), "MLFLOW_TRACKING_AUTH": "faulty"}
    if group == STORES:
        with closing(open_store(parse_tracking_uri("faulty:x"), environ, warn=pytest.fail)) as store:
            return store.artifacts(store.get_run("absent").artifact_uri)
    if group == ARTIFACTS:
        return open_repository("faulty:x", environ=environ).list()
    if group == "projrun.run_context":
        return context_tags("faulty", environ)
    with serve(always(FOUND)) as server, closing(RestStore(server.uri, environ)) as store:
        return store.get_run("r1")


def test_a_store_that_cannot_be_closed_does_not_change_how_a_run_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    faulty(tmp_path, monkeypatch, STORES, STORE + CLOSE)
    monkeypatch.setenv("FOLDER", str(tmp_path))
    project = write_project(tmp_path / "project", "entry_points: {main: {command: 'true'}}")
    words = ["run", str(project), "--env-manager=local", "--tracking-uri=faulty:x"]
    assert execute(words) == 0
    assert (
        "warning: the tracking store could not be closed: tracking store 'faulty'" in capsys.readouterr().err
    )


@pytest.fixture
def _collected() -> Iterator[None]:
    """A store that is refused stays open: it goes here, and not in the middle of another test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.mark.parametrize(
    ("group", "kind"),
    [
        (STORES, "tracking store"),
        (ARTIFACTS, "artifact store"),
        ("projrun.auth", "authentication"),
        ("projrun.run_context", "run context"),
    ],
)
@pytest.mark.parametrize(
    ("change", "what"),
    [
        (None, "ModuleNotFoundError: No module named 'faulty'"),
        ("del opened", "AttributeError: module 'faulty' has no attribute 'opened'"),
        ("opened = boom", "ValueError: boom"),
        ("opened = lambda *given: None", r"what it returned|the artifact repository that it|TypeError: "),
        ("opened = 7", "TypeError: 'int' object is not callable"),
    ],
)
def test_plugin_that_fails_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: str, kind: str, change: str | None, what: str
) -> None:
    faulty(tmp_path, monkeypatch, group, change and f"{STORE}\n{change}")
    with pytest.raises(PluginError) as raised:
        use(group, tmp_path)
    shown = rf"{kind} 'faulty' \(faulty:opened, package team-plugins\): ({what})"
    assert re.match(shown, raised.value.message)
    assert raised.value.exit_code == 2


@pytest.mark.parametrize(
    ("group", "change", "what"),
    [
        (STORES, "SqlStore.get_run = boom", "ValueError: boom"),
        (STORES, "opened = Broken", "what it returned lacks create_experiment, "),
        (
            STORES,
            "SqlStore.uri = property(lambda self: 7, lambda *given: None)",
            "`uri` of what it returned is of the type int, not str",
        ),
        (STORES, "SqlStore.get_run = lambda *given: None", "what `get_run` returned is of the type NoneType"),
        (
            STORES,
            "SqlStore.get_run = lambda *given: Run(); SqlStore.artifacts = lambda *given: None",
            "the artifact repository that it returned lacks folder, upload, list, download",
        ),
        (
            STORES,
            "SqlStore.get_run = lambda *given: Run(); SqlStore.artifacts = boom",
            "ValueError: boom",
        ),
        (ARTIFACTS, "opened = Broken", "ValueError: boom"),
        (ARTIFACTS, "opened = Broken; Broken.folder = property(boom)", "ValueError: boom"),
        (
            ARTIFACTS,
            "opened = Broken; Broken.list = lambda *given: None",
            "what `list` returned is of the type NoneType, not tuple",
        ),
        (
            ARTIFACTS,
            "opened = Broken; Broken.list = lambda *given: ('a.txt',)",
            "an entry that `list` returned is of the type str, not FileInfo",
        ),
        (
            "projrun.run_context",
            "opened = lambda environ: [('a', 'b')]",
            "what it returned is of the type list",
        ),
        (
            "projrun.run_context",
            "opened = lambda environ: {'a': 2}",
            "the value of the tag 'a' is of the type int",
        ),
        (
            "projrun.run_context",
            "opened = lambda environ: {1: '2'}",
            "the name 1 of a tag is of the type int",
        ),
        (
            "projrun.run_context",
            "opened = lambda environ: {'a\\n': '2'}",
            "Invalid value \"a\\n\" for parameter 'key' supplied",
        ),
        (
            "projrun.run_context",
            "opened = lambda environ: {'a' * 251: '2'}",
            "'key' exceeds the maximum length of 250 characters",
        ),
        (
            "projrun.run_context",
            "opened = lambda environ: {'projrun.parameters': '[]'}",
            "the tag 'projrun.parameters' is set by projrun",
        ),
        ("projrun.auth", "opened = Broken", "ValueError: boom"),
        ("projrun.auth", "opened = Broken; Broken.__call__ = lambda *given: None", "the signed request is"),
    ],
)
@pytest.mark.together("collected garbage")  # at the start of a process, where there is little to look through
@pytest.mark.usefixtures("_collected")
def test_what_a_plugin_returned_fails_in_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: str, change: str, what: str
) -> None:
    # A store of its own: the changes are not to reach projrun's.
    module = f"{STORE}\nclass SqlStore(SqlStore): ...\n{change}"
    faulty(tmp_path, monkeypatch, group, module)
    with pytest.raises(PluginError) as raised:
        use(group, tmp_path)
    assert raised.value.message.partition("): ")[2].startswith(what)


def test_what_contracts_allow_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = "from projrun.tracking.artifacts.local import LocalArtifacts as L\nfrom pathlib import Path\n"
    faulty(tmp_path, monkeypatch, ARTIFACTS, f"{module}opened = lambda *given: L(Path({str(tmp_path)!r}))")
    with pytest.raises(FileNotFoundError):
        open_repository("faulty:x").upload(tmp_path / "absent", "file")
    assert open_repository("faulty:x").folder == tmp_path


def test_errors_of_ours_keep_their_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faulty(tmp_path, monkeypatch, STORES, STORE)
    with pytest.raises(NotFoundError):
        use(STORES, tmp_path)


def test_models_are_kept_by_a_store_that_keeps_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faulty(tmp_path, monkeypatch, STORES, STORE)
    environ = {"FOLDER": str(tmp_path)}
    with closing(open_store(parse_tracking_uri("faulty:x"), environ, warn=pytest.fail)) as store:
        assert part_of(store, LoggedModels).create_logged_model("0", name="tree").name == "tree"
        assert part_of(store, ModelRegistry).create_registered_model("wine").name == "wine"
        assert not hasattr(store, "no_such_member")


def test_name_is_looked_up_once_and_nothing_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scans: list[str] = []

    def counted(*, group: str) -> importlib.metadata.EntryPoints:
        scans.append(group)
        return entry_points(group=group)

    entry_points = importlib.metadata.entry_points
    monkeypatch.setattr(importlib.metadata, "entry_points", counted)
    faulty(tmp_path, monkeypatch, STORES, "raise ValueError('loaded')")
    uri = parse_tracking_uri("faulty:x")
    with pytest.raises(PluginError, match="loaded"):
        open_store(uri, {}, warn=pytest.fail)
    assert scans == [STORES]


def test_package_installed_later_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "faulty"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    with pytest.raises(RequestError):
        parse_tracking_uri("faulty:x")
    install(folder, {STORES: {"faulty": "faulty:opened"}})
    assert parse_tracking_uri("faulty:x").kind == "plugin"
