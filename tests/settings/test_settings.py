"""Where a setting comes from, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.settings import Setting, Settings


def settings(
    tmp_path: Path,
    options: Mapping[str, str | None] | None = None,
    environ: Mapping[str, str] | None = None,
    config: str | None = None,
) -> Settings:
    file = tmp_path / "config.toml"
    if config is not None:
        file.write_text(config)
    return Settings(options or {}, environ or {}, file)


def test_an_option_beats_a_variable_beats_the_config_file(tmp_path: Path) -> None:
    environ = {"PROJRUN_ENV_MANAGER": "virtualenv"}
    config = 'env-manager = "local"'
    assert settings(tmp_path, {"env-manager": "uv"}, environ, config).get("env-manager") == Setting(
        "uv", "--env-manager"
    )
    assert settings(tmp_path, {}, environ, config).get("env-manager") == Setting(
        "virtualenv", "$PROJRUN_ENV_MANAGER"
    )
    found = settings(tmp_path, {}, {}, config).get("env-manager")
    assert found == Setting("local", str(tmp_path / "config.toml"))
    assert settings(tmp_path, config="").get("env-manager") is None


def test_our_variable_beats_mlflows_and_an_empty_one_is_none(tmp_path: Path) -> None:
    environ = {"PROJRUN_TRACKING_URI": "http://ours", "MLFLOW_TRACKING_URI": "http://theirs"}
    assert settings(tmp_path, environ=environ).get("tracking-uri") == Setting(
        "http://ours", "$PROJRUN_TRACKING_URI"
    )
    environ["PROJRUN_TRACKING_URI"] = ""
    assert settings(tmp_path, environ=environ).get("tracking-uri") == Setting(
        "http://theirs", "$MLFLOW_TRACKING_URI"
    )


@pytest.mark.parametrize(
    ("options", "environ", "expected"),
    [
        ({"experiment-id": "7"}, {"MLFLOW_EXPERIMENT_NAME": "other"}, "experiment-id"),
        ({"experiment-name": "mine"}, {"MLFLOW_EXPERIMENT_ID": "3"}, "experiment-name"),
        ({}, {"MLFLOW_EXPERIMENT_NAME": "other", "MLFLOW_EXPERIMENT_ID": "3"}, "experiment-name"),
        ({}, {"MLFLOW_EXPERIMENT_ID": "3"}, "experiment-id"),
    ],
)
def test_of_two_that_exclude_each_other_the_most_specific_place_wins(
    tmp_path: Path, options: dict[str, str], environ: dict[str, str], expected: str
) -> None:
    found = settings(tmp_path, options, environ).first_of("experiment-name", "experiment-id")
    assert found is not None
    assert found[0] == expected


@pytest.mark.parametrize(
    ("word", "expected"), [("1", True), ("true", True), ("YES", True), ("0", False), ("off", False)]
)
def test_flags_in_variables(tmp_path: Path, word: str, expected: bool) -> None:
    assert settings(tmp_path, environ={"PROJRUN_STRICT": word}).enabled("strict") is expected


def test_a_flag_in_the_config_file(tmp_path: Path) -> None:
    assert settings(tmp_path, config="strict = true").enabled("strict") is True


def test_a_flag_that_is_neither_yes_nor_no_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"\$PROJRUN_STRICT: 'perhaps'"):
        settings(tmp_path, environ={"PROJRUN_STRICT": "perhaps"}).enabled("strict")


@pytest.mark.parametrize("word", ["soon", "-1", "inf", "nan"])
def test_a_duration_must_be_a_number_of_seconds(tmp_path: Path, word: str) -> None:
    with pytest.raises(RequestError, match="--grace-period"):
        settings(tmp_path, {"grace-period": word}).seconds("grace-period", 10)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ('env_manager = "uv"', "unknown key 'env_manager'; did you mean 'env-manager'?"),
        ("tracking-uri = [1]", "tracking-uri must be a string"),
        ("tracking-uri = ", "config.toml"),
    ],
)
def test_a_config_file_with_a_mistake_is_refused(tmp_path: Path, config: str, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        settings(tmp_path, config=config)
    assert message in str(caught.value)


def test_a_config_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / ("x" * 300) / "config.toml"
    with pytest.raises(RequestError, match="File name too long"):
        Settings({}, {}, file)
    (tmp_path / "folder").mkdir()
    with pytest.raises(RequestError, match="Is a directory"):
        Settings({}, {}, tmp_path / "folder")
    assert Settings({}, {}, tmp_path / "none" / "config.toml").get("backend") is None


def test_a_record_goes_after_options_and_before_all_else(tmp_path: Path) -> None:
    record = "the record of run 1"
    found = settings(
        tmp_path,
        {"backend": "mine"},
        {"MLFLOW_EXPERIMENT_NAME": "theirs", "PROJRUN_ENV": "/env"},
        'env-manager = "uv"',
    ).with_record({"experiment-id": "7", "backend": "old", "env-manager": "conda"}, record)
    assert found.get("backend") == Setting("mine", "--backend")
    assert found.first_of("experiment-name", "experiment-id") == ("experiment-id", Setting("7", record))
    assert found.first_of("env", "env-manager") == ("env-manager", Setting("conda", record))
    assert found.get("run-name") is None
