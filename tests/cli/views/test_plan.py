"""What `projrun plan` shows: the keys of its JSON are a contract, its text is for people."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from projrun.cli import reporter
from projrun.cli.execution import execute
from tests.sources.git_servers import MLPROJECT, Repository, make_repository
from tests.support.commands import run_projrun

pytestmark = pytest.mark.processes


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A data folder of its own, somebody to commit as, and nothing to build."""
    person = {
        f"GIT_{role}_{field}": "tester@example.com"
        for role in ("AUTHOR", "COMMITTER")
        for field in ("NAME", "EMAIL")
    }
    return {**person, "PROJRUN_HOME": str(tmp_path / "home"), "PROJRUN_ENV_MANAGER": "local"}


@pytest.fixture
def repository(tmp_path: Path, environ: Mapping[str, str]) -> Repository:
    """A bare one, so that it is fetched from."""
    made = make_repository(tmp_path / "work", {**os.environ, **environ})
    bare = tmp_path / "bare.git"
    made.git("clone", "--quiet", "--bare", str(made.path), str(bare))
    return made._replace(path=bare)


def plan(*arguments: str | Path, environ: Mapping[str, str]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        run_projrun("plan", *arguments, "--json", environ=environ).check().stdout
    )
    return document


def keys(value: object) -> object:
    return {key: keys(inner) for key, inner in value.items()} if isinstance(value, dict) else None


def test_the_keys_of_the_document(repository: Repository, environ: Mapping[str, str]) -> None:
    words = (
        "directory",
        "subdirectory",
        "version",
        "commit",
        "branch",
        "repository",
        "dirty",
        "digest",
        "cached",
    )
    environment = ("manager", "reason", "summary", "key", "path", "exists", "rebuild", "facts")
    plain = ("project", "entry_point", "parameters", "command", "warnings", "notes", "trust")
    assert keys(plan(repository.path, environ=environ)) == {
        **dict.fromkeys((*plain, "grace_period", "end_timeout", "outputs")),
        "source": dict.fromkeys(("uri", *words)),
        "environment": dict.fromkeys(environment),
        "backend": {"name": None, "origin": None, "config": {}},
        "tracking": dict.fromkeys(("uri", "origin", "journal")),
        "experiment": dict.fromkeys(("name", "id", "origin")),
        "run": dict.fromkeys(("id", "name")),
        "limits": {},
    }


def test_the_source_of_a_repository(
    repository: Repository, environ: Mapping[str, str], tmp_path: Path
) -> None:
    uri = f"{repository.path}#examples/train"
    source = plan(uri, "--version", "v1", environ=environ)["source"]
    cached = Path(source.pop("cached"))
    assert cached.is_relative_to(tmp_path / "home" / "cache" / "checkouts")
    assert source == {
        "uri": f"file://{uri}",
        "directory": str(cached / "examples" / "train"),
        "subdirectory": "examples/train",
        "version": "v1",
        "commit": repository.first,
        "branch": None,
        "repository": f"file://{repository.path}",
        "dirty": False,
        "digest": None,
    }
    text = run_projrun("plan", uri, "-v", "v1", environ=environ).check().stdout
    assert f"version      v1\ncommit       {repository.first}\n" in text
    assert f"checkout     {cached} (cached)\n" in text


def test_a_configuration_for_the_local_backend_has_no_effect(
    repository: Repository, environ: Mapping[str, str]
) -> None:
    document = plan(repository.path, "-c", '{"a": 1}', environ=environ)
    assert document["backend"] == {"name": "local", "origin": "default", "config": {}}
    (warning,) = document["warnings"]
    assert warning == "--backend-config has no effect: the local backend takes no configuration (given: a)"


def test_limits_are_shown_as_they_are_understood(repository: Repository, environ: Mapping[str, str]) -> None:
    assert plan(repository.path, "--timeout", "90m", environ=environ)["limits"] == {"timeout": "90 m"}
    text = run_projrun("plan", repository.path, environ={**environ, "PROJRUN_TIMEOUT": "7200"}).check().stdout
    assert "timeout      2 h\n" in text


def test_the_source_of_an_archive(tmp_path: Path, environ: Mapping[str, str]) -> None:
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("top/MLproject", MLPROJECT)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    source = plan(archive, environ=environ)["source"]
    assert (source["uri"], source["digest"], source["commit"]) == (str(archive), digest, None)
    assert f"archive      sha256:{digest}\n" in run_projrun("plan", archive, environ=environ).check().stdout


def test_the_trust_policy_in_force(
    repository: Repository, environ: Mapping[str, str], tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text('allowed-hosts = ["github.com", "*.example.org"]\nrequire-pinned = true\n')
    rules = {**environ, "PROJRUN_CONFIG": str(config), "PROJRUN_ALLOWED_PROTOCOLS": "https,file"}
    document = plan(repository.path, "-v", repository.first, environ=rules)
    assert document["trust"] == [
        {"rule": "allowed-hosts", "value": "github.com,*.example.org", "origin": str(config)},
        {"rule": "allowed-protocols", "value": "https,file", "origin": "$PROJRUN_ALLOWED_PROTOCOLS"},
        {"rule": "require-pinned", "value": "True", "origin": str(config)},
    ]
    text = run_projrun("plan", repository.path, "-v", repository.first, environ=rules).check().stdout
    assert f"trust        allowed-hosts = github.com,*.example.org ({config})\n" in text


@pytest.mark.parametrize(
    ("uri", "version", "said"),
    [
        (
            "https://evil.test/o/r",
            "0" * 40,
            "'evil.test' is refused: {config} sets allowed-hosts to 'github.com'",
        ),
        (
            "git@evil.test:o/r",
            "0" * 40,
            "'evil.test' is refused: {config} sets allowed-hosts to 'github.com'",
        ),
        (
            "https://evil.test/x.zip",
            f"sha256:{'0' * 64}",
            "'evil.test' is refused: {config} sets allowed-hosts",
        ),
        ("s3://evil/x.zip", f"sha256:{'0' * 64}", "'evil' is refused: {config} sets allowed-hosts"),
        ("http://github.com/o/r", "0" * 40, "'http:' is refused: {config} sets allowed-protocols"),
        ("gh:o/r", "main", "https://github.com/o/r.git is refused: {config} sets require-pinned"),
        (
            "https://github.com/o/r/tree/main/x",
            None,
            "https://github.com/o/r.git is refused: {config} sets require-pinned",
        ),
    ],
)
def test_a_refusal_is_exit_3_with_the_rule(
    tmp_path: Path, environ: Mapping[str, str], uri: str, version: str | None, said: str
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        'allowed-hosts = ["github.com"]\nallowed-protocols = ["https", "ssh", "s3"]\nrequire-pinned = true\n'
    )
    words = ("--version", version) if version else ()
    done = run_projrun("run", uri, *words, environ={**environ, "PROJRUN_CONFIG": str(config)})
    assert done.returncode == 3
    assert said.format(config=config) in done.stderr


def test_a_web_address_and_a_version_exclude_each_other(environ: Mapping[str, str]) -> None:
    done = run_projrun("run", "https://github.com/o/r/tree/main/x", "-v", "v1", environ=environ)
    assert done.returncode == 2
    assert "--version 'v1' conflicts with 'main/x' in the address" in done.stderr
    assert "remove --version" in done.stderr


def test_a_fetch_that_takes_long_is_shown(
    repository: Repository,
    environ: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(reporter, "_PATIENCE", 0.0)
    assert execute(["plan", f"file://{repository.path}"]) == 0
    shown = capsys.readouterr()
    assert "projrun: fetching file://" in shown.err
    assert "entry point  main" in shown.out
