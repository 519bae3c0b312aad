"""Which environment was asked for, and what excludes what."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from projrun.environments.choice import Choice, choose_environment, lock_file, may_download
from projrun.environments.registry import get_manager
from projrun.errors import RequestError
from projrun.settings import Settings


def settings(
    options: Mapping[str, str | None] | None = None,
    environ: Mapping[str, str] | None = None,
    config: Path = Path("/no/such/file"),
) -> Settings:
    return Settings(options or {}, environ or {}, config)


def test_nothing_was_asked_for(tmp_path: Path) -> None:
    assert choose_environment(settings(), tmp_path) == Choice()


def test_a_manager(tmp_path: Path) -> None:
    choice = choose_environment(settings({"env-manager": "uv"}), tmp_path)
    assert choice == Choice("uv", "--env-manager", None, {"PROJRUN_ENV_MANAGER": "uv"})


@pytest.mark.parametrize("text", ["venv", "./venv/", "x/../venv"])
def test_an_environment_is_named_from_the_callers_folder(tmp_path: Path, text: str) -> None:
    choice = choose_environment(settings({"env": text}), tmp_path)
    venv = tmp_path / "venv"
    assert choice == Choice("existing", "--env", venv, {"PROJRUN_ENV": str(venv)})


def test_an_environment_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert choose_environment(settings({"env": "~/venv"}), tmp_path).existing == Path("/home/me/venv")
    assert choose_environment(settings({"env": "~nobody-here/x"}), tmp_path).existing is not None


def test_both_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="both --env and --env-manager are given"):
        choose_environment(settings({"env": "venv", "env-manager": "uv"}), tmp_path)


def test_the_most_specific_place_wins(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('env = "/from/config"\n')
    inherited = {"PROJRUN_ENV": "/inherited"}
    assert choose_environment(settings({"env-manager": "uv"}, inherited, config), tmp_path).manager == "uv"
    manager = {"PROJRUN_ENV_MANAGER": "uv"}
    assert choose_environment(settings({}, manager, config), tmp_path).manager == "uv"
    assert choose_environment(settings({}, inherited, config), tmp_path).existing == Path("/inherited")
    assert choose_environment(settings({}, {}, config), tmp_path).existing == Path("/from/config")


def test_a_lock_must_be_there(tmp_path: Path) -> None:
    uv = get_manager("uv")
    assert lock_file(settings(), tmp_path, uv) is None
    (tmp_path / "x.lock").touch()
    assert lock_file(settings({"locked": "x.lock"}), tmp_path, uv) == tmp_path / "x.lock"
    for name in ("gone.lock", "."):
        with pytest.raises(RequestError, match=r"--locked: file .* not found"):
            lock_file(settings({"locked": name}), tmp_path, uv)


@pytest.mark.parametrize("manager", ["local", "existing"])
def test_what_builds_nothing_takes_no_lock(tmp_path: Path, manager: str) -> None:
    (tmp_path / "x.lock").touch()
    with pytest.raises(RequestError, match="--locked: the environment is used as it is"):
        lock_file(settings({"locked": "x.lock"}), tmp_path, get_manager(manager))


@pytest.mark.parametrize(
    ("options", "environ", "allowed"),
    [
        ({}, {}, False),
        ({"python-downloads": "automatic"}, {}, True),
        ({"python-downloads": "never"}, {"UV_PYTHON_DOWNLOADS": "automatic"}, False),
        ({}, {"UV_PYTHON_DOWNLOADS": "automatic"}, True),
        ({}, {"UV_PYTHON_DOWNLOADS": "manual"}, False),
        ({}, {"UV_PYTHON_DOWNLOADS": "never", "PROJRUN_PYTHON_DOWNLOADS": "automatic"}, True),
    ],
)
def test_downloads(options: dict[str, str | None], environ: dict[str, str], allowed: bool) -> None:
    assert may_download(settings(options, environ)) is allowed


def test_another_word_for_downloads() -> None:
    with pytest.raises(
        RequestError, match="PROJRUN_PYTHON_DOWNLOADS: 'perhaps' is neither automatic nor never"
    ):
        may_download(settings({}, {"PROJRUN_PYTHON_DOWNLOADS": "perhaps"}))


@pytest.mark.parametrize(
    ("text", "manager", "fits"),
    [
        ("# python 3.11.7\nsix==1\n", "uv", True),
        ("# python 3.11.7\nsix==1\n", "virtualenv", True),
        ("# python 3.11.7\nsix==1\n", "conda", False),
        ("@EXPLICIT\n", "conda", True),
        ("@EXPLICIT\n", "uv", False),
        (f"id: sha256:{'ab' * 32}\n", "docker", True),
        (f"id: sha256:{'ab' * 32}\n", "uv", False),
        ("# python 3.11.7\nsix==1\n", "local", False),
    ],
)
def test_a_recorded_lock_is_left_out_where_it_does_not_fit(
    tmp_path: Path, text: str, manager: str, fits: bool
) -> None:
    file = tmp_path / "x.lock"
    file.write_text(text)
    repeated = settings().with_record({"locked": str(file)}, "the record of run 1")
    assert lock_file(repeated, tmp_path, get_manager(manager)) == (file if fits else None)


def test_a_recorded_manager_is_nested_runs_choice_only_where_it_must_have_been_one(tmp_path: Path) -> None:
    for manager, exported in (("uv", {}), ("local", {"PROJRUN_ENV_MANAGER": "local"})):
        repeated = settings().with_record({"env-manager": manager}, "the record of run 1")
        choice = choose_environment(repeated, tmp_path)
        assert (choice.manager, choice.exported) == (manager, exported)
