"""Which environment was asked for, and what excludes what."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from projrun.environments.abilities import TakesOptions
from projrun.environments.choice import (
    Choice,
    choose_environment,
    exported_by,
    idle_warnings,
    lock_file,
    lock_kind_of,
    read_given,
)
from projrun.environments.protocol import GivenOptions
from projrun.environments.registry import get_manager
from projrun.errors import RequestError
from projrun.plugins import built_ins
from projrun.settings import Settings
from projrun.settings.options import OPTIONS
from projrun_backends.environments.options import ContainerOptions, UvOptions


def settings(
    options: Mapping[str, str | None] | None = None,
    environ: Mapping[str, str] | None = None,
    config: Path = Path("/no/such/file"),
) -> Settings:
    return Settings(options or {}, environ or {}, config)


def options(manager: str, settings: Settings, folder: Path, **requested: object) -> Any:
    """The record of a manager."""
    takes = get_manager(manager)
    assert isinstance(takes, TakesOptions)
    named = {name.replace("_", "-"): value for name, value in requested.items()}
    return takes.read_options(GivenOptions(settings, folder, requested=named))


def existing(settings: Settings, folder: Path) -> Path | None:
    """The environment that the user chose."""
    choice = choose_environment(settings)
    assert choice.manager == "existing"
    path: Path | None = options(choice.manager, settings, folder).env
    return path


def exported(settings: Settings, folder: Path) -> dict[str, str]:
    """What nested runs get."""
    choice = choose_environment(settings)
    return {**choice.exported, **exported_by(read_given(GivenOptions(settings, folder), choice).values())}


def test_nothing_was_asked_for(tmp_path: Path) -> None:
    assert choose_environment(settings()) == Choice()


def test_a_manager(tmp_path: Path) -> None:
    choice = choose_environment(settings({"env-manager": "uv"}))
    assert choice == Choice("uv", "--env-manager", "env-manager", {"PROJRUN_ENV_MANAGER": "uv"})
    assert exported(settings({"env-manager": "uv"}), tmp_path) == {"PROJRUN_ENV_MANAGER": "uv"}


@pytest.mark.parametrize("text", ["venv", "./venv/", "x/../venv"])
def test_an_environment_is_named_from_the_callers_folder(tmp_path: Path, text: str) -> None:
    asked, venv = settings({"env": text}), tmp_path / "venv"
    assert choose_environment(asked) == Choice("existing", "--env", "env")
    assert existing(asked, tmp_path) == venv
    assert exported(asked, tmp_path) == {"PROJRUN_ENV": str(venv)}


def test_an_environment_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert existing(settings({"env": "~/venv"}), tmp_path) == Path("/home/me/venv")
    assert existing(settings({"env": "~nobody-here/x"}), tmp_path) is not None


def test_both_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="both --env and --env-manager are given"):
        choose_environment(settings({"env": "venv", "env-manager": "uv"}))


def test_the_most_specific_place_wins(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('env = "/from/config"\n')
    inherited = {"PROJRUN_ENV": "/inherited"}
    assert choose_environment(settings({"env-manager": "uv"}, inherited, config)).manager == "uv"
    manager = {"PROJRUN_ENV_MANAGER": "uv"}
    assert choose_environment(settings({}, manager, config)).manager == "uv"
    assert existing(settings({}, inherited, config), tmp_path) == Path("/inherited")
    assert existing(settings({}, {}, config), tmp_path) == Path("/from/config")


PLACES = ("option", "variable", "config")


@pytest.mark.parametrize("manager_in", PLACES)
@pytest.mark.parametrize("environment_in", PLACES)
def test_every_two_places(tmp_path: Path, environment_in: str, manager_in: str) -> None:
    """The more specific one wins, in the same place the environment; two options are a mistake."""
    for manager in ("uv", "existing"):
        asked = in_places(tmp_path, (environment_in, "env", "/venv"), (manager_in, "env-manager", manager))
        if environment_in == manager_in == "option":
            with pytest.raises(RequestError, match="both --env and --env-manager are given"):
                choose_environment(asked)
            continue
        by_environment = PLACES.index(environment_in) <= PLACES.index(manager_in)
        assert choose_environment(asked).manager == ("existing" if by_environment else manager)
        if by_environment or manager == "existing":  # which uses the environment, wherever it is named
            assert existing(asked, tmp_path) == Path("/venv")


def in_places(folder: Path, *given: tuple[str, str, str]) -> Settings:
    """Settings from where each is set, its name and its value."""
    values = {place: {name: value for where, name, value in given if where == place} for place in PLACES}
    config = folder / "config.toml"
    config.write_text("".join(f'{name} = "{value}"\n' for name, value in values["config"].items()))
    variables = {OPTIONS[name].variables[0]: value for name, value in values["variable"].items()}
    return settings(values["option"], variables, config)


def test_a_lock_must_be_there(tmp_path: Path) -> None:
    uv = get_manager("uv")
    assert lock_file(GivenOptions(settings(), tmp_path), uv) is None
    (tmp_path / "x.lock").touch()
    assert lock_file(GivenOptions(settings({"locked": "x.lock"}), tmp_path), uv) == tmp_path / "x.lock"
    for name in ("gone.lock", "."):
        with pytest.raises(RequestError, match=r"--locked: file .* not found"):
            lock_file(GivenOptions(settings({"locked": name}), tmp_path), uv)


def test_a_lock_that_cannot_be_read_is_reported_by_its_reader(tmp_path: Path) -> None:
    closed = tmp_path / "closed.lock"
    closed.touch(mode=0)
    if os.geteuid() == 0:
        closed = Path("/proc/self/mem")  # root can read any other file
    given = GivenOptions(settings({"locked": str(closed)}), tmp_path)
    assert lock_kind_of(given) is None
    assert lock_file(given, get_manager("uv")) == closed
    (tmp_path / "latin.lock").write_bytes(b"caf\xe9==1.0\n")
    assert lock_kind_of(GivenOptions(settings({"locked": "latin.lock"}), tmp_path)) == "python"


@pytest.mark.parametrize("name", [".", "x" * 300])
def test_what_cannot_be_a_lock(tmp_path: Path, name: str) -> None:
    given = GivenOptions(settings({"locked": name}), tmp_path)
    assert lock_kind_of(given) is None
    with pytest.raises(RequestError, match=r"--locked: file .* not found"):
        lock_file(given, get_manager("uv"))


@pytest.mark.parametrize("manager", ["local", "existing"])
def test_what_builds_nothing_takes_no_lock(tmp_path: Path, manager: str) -> None:
    (tmp_path / "x.lock").touch()
    with pytest.raises(RequestError, match="--locked: the environment is used as it is"):
        lock_file(GivenOptions(settings({"locked": "x.lock"}), tmp_path), get_manager(manager))


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
    given = GivenOptions(settings(options, environ), Path("/"))
    assert bool(UvOptions.read(given).python_downloads) is allowed


@pytest.mark.parametrize("manager", ["uv", "virtualenv"])
@pytest.mark.parametrize(
    ("options_given", "environ", "exact"),
    [
        ({}, {}, False),
        ({"exact-python": "1"}, {}, True),
        ({}, {"PROJRUN_EXACT_PYTHON": "1"}, True),
        ({"exact-python": "0"}, {"PROJRUN_EXACT_PYTHON": "1"}, False),
    ],
)
def test_an_exact_python_is_also_that_of_nested_runs(
    tmp_path: Path, options_given: dict[str, str | None], environ: dict[str, str], exact: bool, manager: str
) -> None:
    asked = settings(options_given, environ)
    assert bool(options(manager, asked, tmp_path).exact_python) is exact
    assert exported(asked, tmp_path) == ({"PROJRUN_EXACT_PYTHON": "1"} if exact else {})


def test_another_word_for_downloads(tmp_path: Path) -> None:
    with pytest.raises(
        RequestError, match="PROJRUN_PYTHON_DOWNLOADS: 'perhaps' is neither automatic nor never"
    ):
        exported(settings({"env-manager": "local"}, {"PROJRUN_PYTHON_DOWNLOADS": "perhaps"}), tmp_path)


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
    assert lock_file(GivenOptions(repeated, tmp_path), get_manager(manager)) == (file if fits else None)


def test_a_recorded_manager_is_nested_runs_choice_only_where_it_must_have_been_one(tmp_path: Path) -> None:
    for manager, exported in (("uv", {}), ("local", {"PROJRUN_ENV_MANAGER": "local"})):
        repeated = settings().with_record({"env-manager": manager}, "the record of run 1")
        choice = choose_environment(repeated)
        assert (choice.manager, choice.exported) == (manager, exported)


@pytest.mark.parametrize(
    ("word", "meant"),
    [("mamba", "mamba"), ("./bin/conda", "{folder}/bin/conda"), ("/opt/conda", "/opt/conda")],
)
@pytest.mark.parametrize("manager", ["conda", "local"])
def test_the_conda_program_is_also_that_of_nested_runs(
    tmp_path: Path, word: str, meant: str, manager: str
) -> None:
    asked = settings({"env-manager": manager, "conda-exe": word})
    program = meant.format(folder=tmp_path)
    assert exported(asked, tmp_path) == {"PROJRUN_ENV_MANAGER": manager, "PROJRUN_CONDA_EXE": program}
    assert options("conda", asked, tmp_path).conda_exe == program


def test_an_environment_that_was_not_chosen_is_not_exported(tmp_path: Path) -> None:
    asked = settings({"env-manager": "uv"}, {"PROJRUN_ENV": "/inherited"})
    assert exported(asked, tmp_path) == {"PROJRUN_ENV_MANAGER": "uv"}


IDLE = ("Docker arguments, image building and credentials have no effect: this is not a Docker project",)


@pytest.mark.parametrize(
    "requested",
    [
        {"docker-args": ("t",)},
        {"build-image": "1"},
        {"pass-credentials": "1", "docker-args": ("t",)},
        {"registry-login": {"password": "hush"}},
    ],
)
def test_options_that_the_chosen_manager_does_not_take_have_no_effect(
    tmp_path: Path, requested: dict[str, object]
) -> None:
    given = GivenOptions(settings({"conda-exe": "mamba"}), tmp_path, requested=requested)
    records = read_given(given, Choice())
    assert {"conda-exe", *requested} == set(records)
    assert idle_warnings(records, None) == IDLE
    assert idle_warnings(records, UvOptions()) == IDLE
    assert idle_warnings(records, ContainerOptions.read(given)) == ()


def test_options_that_were_not_given_warn_of_nothing(tmp_path: Path) -> None:
    given = GivenOptions(settings(), tmp_path, requested={"docker-args": (), "registry-login": {}})
    assert read_given(given, Choice()) == {}
    assert ContainerOptions.read(given) == ContainerOptions()


def test_a_login_is_never_shown(tmp_path: Path) -> None:
    record = options("docker", settings(), tmp_path, registry_login={"password": "hush"})
    assert record.registry_login == {"password": "hush"}
    assert "hush" not in repr(record)


def test_the_table_of_options_is_what_the_managers_take(tmp_path: Path) -> None:
    taken: dict[str, set[str]] = {}
    for name in built_ins().ENVIRONMENTS:
        manager = get_manager(name)
        if isinstance(manager, TakesOptions):
            record = manager.read_options(GivenOptions(settings(), tmp_path))
            target = f"{type(record).__module__}:{type(record).__name__}"
            for field in getattr(record, "_fields", ()):
                taken.setdefault(field.replace("_", "-"), set()).add(target)
    table = built_ins().ENVIRONMENT_OPTIONS
    assert taken.keys() == table.keys()
    assert [option for option, target in table.items() if target not in taken[option]] == []
