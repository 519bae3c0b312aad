"""Stores, artifact stores, logins and run context of another package: the examples of docs/plugins.md, installed."""

from __future__ import annotations

import configparser
import json
import re
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from projrun.errors import RequestError, TrackingError
from projrun.testing.artifacts import ArtifactConformance
from projrun.tracking.artifacts.open import open_repository
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.extensions import context_tags
from projrun.tracking.open import open_store
from projrun.tracking.rest.store import RestStore
from projrun.tracking.sql.store import SqlStore
from projrun.tracking.uri import parse_tracking_uri
from tests.support.commands import run_projrun
from tests.support.guard import REPOSITORY
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


def test_run_in_a_store_of_another_package(package: Path, tmp_path: Path) -> None:
    """The command reaches the store over REST; the tags of the run context are on the run."""
    project = tmp_path / "project"
    project.mkdir()
    python = json.dumps(sys.executable)
    script = (
        "import os, urllib.request as u; r = u.Request(os.environ['MLFLOW_TRACKING_URI'] + "
        "'/api/2.0/mlflow/runs/log-parameter', ('{\\\"run_id\\\": \\\"' + os.environ['MLFLOW_RUN_ID'] + "
        '\'\\", \\"key\\": \\"a\\", \\"value\\": \\"1\\"}\').encode()); u.urlopen(r).read()'
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
    with pytest.raises(RequestError, match="unknown authentication 'absent'"):
        RestStore("http://127.0.0.1:9", {"MLFLOW_TRACKING_AUTH": "absent"})


def test_context_that_nobody_offers(package: Path) -> None:
    with pytest.raises(RequestError, match="unknown run context 'tem'; did you mean 'team'"):
        context_tags("tem", {})
    assert context_tags("team", {}) == {}


def test_plugin_that_fails_is_named(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = install(tmp_path / "faulty", {"projrun.run_context": {"faulty": "faulty:tags"}})
    (folder / "faulty.py").write_text("def tags(environ): raise ValueError('boom')")
    monkeypatch.syspath_prepend(folder)
    with pytest.raises(TrackingError, match=r"run context 'faulty'.*: ValueError: boom"):
        context_tags("faulty", {})
