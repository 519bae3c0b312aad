"""conda's configuration, as conda merges it."""

from __future__ import annotations

from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun_backends.environments.conda.settings import CondaSettings, conda_settings
from tests.backends.environments.python.packages import write_files


def read(home: Path, files: dict[str, str], **environ: str) -> CondaSettings:
    write_files(home, files)
    return conda_settings({"HOME": str(home), **environ})


def test_without_configuration_the_defaults_of_conda_hold(tmp_path: Path) -> None:
    settings = read(tmp_path, {})
    assert settings == CondaSettings()
    assert settings.channel_priority == "flexible"
    assert settings.default_channels[0] == "https://repo.anaconda.com/pkgs/main"
    assert settings.add_pip


def test_the_words_of_the_strongest_file_win_and_lists_begin_with_its_items(tmp_path: Path) -> None:
    files = {
        ".config/conda/.condarc": "channels: [weak, both]\nchannel_priority: disabled\nchannel_alias: https://weak",
        ".conda/condarc.d/10.yml": "channels: [drop-in]\n",
        ".condarc": "channels: [home, both]\nchannel_priority: strict\n",
        "other": "channels: [chosen]\n",
    }
    settings = read(tmp_path, files, CONDARC=str(tmp_path / "other"))
    assert settings.channels == ("chosen", "home", "both", "drop-in", "weak")
    assert settings.channel_priority == "strict"
    assert settings.channel_alias == "https://weak"


def test_variables_win_over_files(tmp_path: Path) -> None:
    variables = {
        "CONDA_CHANNELS": "one,two",
        "CONDA_CHANNEL_PRIORITY": "disabled",
        "CONDA_SSL_VERIFY": "false",
    }
    settings = read(tmp_path, {".condarc": "channels: [three]\nchannel_priority: strict\n"}, **variables)
    assert settings.channels == ("one", "two", "three")
    assert (settings.channel_priority, settings.ssl_verify) == ("disabled", "false")


def test_the_files_of_the_active_environment_and_of_the_installation_count(tmp_path: Path) -> None:
    files = {"prefix/.condarc": "channels: [active]\n", "root/.condarc": "channels: [installed]\n"}
    variables = {"CONDA_PREFIX": str(tmp_path / "prefix"), "CONDA_EXE": str(tmp_path / "root/bin/conda")}
    assert read(tmp_path, files, **variables).channels == ("active", "installed")


def test_mappings_are_merged_and_variables_filled_in(tmp_path: Path) -> None:
    files = {
        ".config/conda/.condarc": "custom_channels: {team: https://weak, lab: https://lab.example}\n",
        ".condarc": "custom_channels: {team: 'https://$USER_NAME:${TOKEN}@strong', x: '$MISSING/y'}\n"
        "custom_multichannels: {all: [a, b]}\n"
        "proxy_servers: {https: 'http://$TOKEN@proxy:1'}\n",
    }
    settings = read(tmp_path, files, USER_NAME="ann", TOKEN="hush")
    assert settings.custom_channels == {
        "team": "https://ann:hush@strong",
        "lab": "https://lab.example",
        "x": "$MISSING/y",
    }
    assert settings.custom_multichannels == {"all": ("a", "b")}
    assert settings.proxies == {"https": "http://hush@proxy:1"}


@pytest.mark.parametrize(
    ("word", "priority"),
    [("strict", "strict"), ("Flexible", "flexible"), ("true", "flexible"), ("false", "disabled")],
)
def test_priorities(tmp_path: Path, word: str, priority: str) -> None:
    assert read(tmp_path, {".condarc": f"channel_priority: {word}\n"}).channel_priority == priority


@pytest.mark.parametrize(
    ("word", "verify"),
    [
        ("true", "true"),
        ("no", "false"),
        ("truststore", "true"),
        ("~/ca.pem", "{home}/ca.pem"),
        ("/etc/ca.pem", "/etc/ca.pem"),
    ],
)
def test_verification_of_certificates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str, verify: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = read(tmp_path, {".condarc": f"ssl_verify: {word}\n"})
    assert settings.ssl_verify == verify.format(home=tmp_path)


def test_the_certificates_of_requests_are_those_of_conda(tmp_path: Path) -> None:
    assert read(tmp_path, {}, REQUESTS_CA_BUNDLE="/ca.pem").ssl_verify == "/ca.pem"
    assert read(tmp_path, {".condarc": "ssl_verify: no"}, REQUESTS_CA_BUNDLE="/ca.pem").ssl_verify == "false"


@pytest.mark.parametrize(
    "text", ["", "just words", "[a, b]", "channels:\n", "channels: {a: b}\n", "custom_channels: [a]\n"]
)
def test_what_says_nothing_of_channels_changes_nothing(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, {".condarc": text}) == CondaSettings()


def test_a_single_channel_need_not_be_a_list(tmp_path: Path) -> None:
    assert read(tmp_path, {".condarc": "channels: conda-forge\n"}).channels == ("conda-forge",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("channels: [a\n", r"\.condarc is not YAML"),
        ("channel_priority: fast\n", "channel_priority is 'fast'"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(RequestError, match=problem) as raised:
        read(tmp_path, {".condarc": text})
    assert raised.value.hint
    assert "\n" not in raised.value.message


def test_a_file_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".condarc").mkdir()
    assert read(tmp_path, {}) == CondaSettings()


def test_no_pip_beside_python_where_the_user_said_so(tmp_path: Path) -> None:
    assert not read(tmp_path, {".condarc": "add_pip_as_python_dependency: false\n"}).add_pip
