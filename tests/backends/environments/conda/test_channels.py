"""What channels are called, where they are, and who may read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from projrun_backends.environments.conda.channels import Channel, ChannelNames
from projrun_backends.environments.conda.settings import CondaSettings
from projrun_backends.environments.python.conda_files import read_conda_document

SETTINGS = CondaSettings(
    default_channels=("https://mirror.example/main", "second"),
    channel_alias="https://alias.example/conda/",
    custom_channels={"team": "https://team.example", "bare": "bare.example/x"},
    custom_multichannels={"all": ("team", "conda-forge")},
)


def resolved(
    folder: Path, text: str, settings: CondaSettings = SETTINGS, **environ: str
) -> tuple[Channel, ...]:
    (folder / "conda.yaml").write_text(text)
    document = read_conda_document(folder / "conda.yaml", "conda.yaml")
    return ChannelNames(settings, environ, folder).of(document)


def urls(folder: Path, text: str, settings: CondaSettings = SETTINGS, **environ: str) -> list[str]:
    return [channel.url for channel in resolved(folder, text, settings, **environ)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("conda-forge", ["https://alias.example/conda/conda-forge"]),
        ("conda-forge/label/dev", ["https://alias.example/conda/conda-forge/label/dev"]),
        ("conda-forge/linux-64", ["https://alias.example/conda/conda-forge"]),
        ("team", ["https://team.example/team"]),
        ("team/sub", ["https://team.example/team/sub"]),
        ("bare", ["https://bare.example/x/bare"]),
        ("defaults", ["https://mirror.example/main", "https://alias.example/conda/second"]),
        ("all", ["https://team.example/team", "https://alias.example/conda/conda-forge"]),
        ("https://host/path/", ["https://host/path"]),
        ("https://host/path/noarch", ["https://host/path"]),
        ("file:///srv/channel", ["file:///srv/channel"]),
        ("/srv/channel/", ["file:///srv/channel"]),
        ("./channel", ["file://{folder}/channel"]),
        ("../my channel", ["file://{parent}/my%20channel"]),
        ("https://${HOST}/c", ["https://filled.example/c"]),
    ],
)
def test_names(tmp_path: Path, name: str, expected: list[str]) -> None:
    found = urls(tmp_path, f"channels: ['{name}', nodefaults]\n", HOST="filled.example")
    assert found == [url.format(folder=tmp_path, parent=tmp_path.parent) for url in expected]


def test_configured_channels_come_after_those_of_the_file(tmp_path: Path) -> None:
    settings = CondaSettings(channels=("mine", "conda-forge"), channel_alias="https://a")
    assert urls(tmp_path, "channels: [conda-forge, bioconda]\n", settings) == [
        "https://a/conda-forge",
        "https://a/bioconda",
        "https://a/mine",
    ]
    assert urls(tmp_path, "channels: [bioconda, nodefaults]\n", settings) == ["https://a/bioconda"]


def test_no_defaults_in_the_configuration(tmp_path: Path) -> None:
    settings = CondaSettings(channels=("mine", "nodefaults"), channel_alias="https://a")
    assert urls(tmp_path, "dependencies: [x]\n", settings) == ["https://a/mine"]


def test_defaults_only_where_nobody_names_a_channel(tmp_path: Path) -> None:
    defaults = ["https://mirror.example/main", "https://alias.example/conda/second"]
    assert urls(tmp_path, "dependencies: [numpy]\n") == defaults
    assert urls(tmp_path, "channels: []\n") == defaults
    assert urls(tmp_path, "channels: [nodefaults]\n") == []
    assert urls(tmp_path, "channels: [team]\n") == ["https://team.example/team"]


def test_the_channel_of_a_dependency_is_searched_too(tmp_path: Path) -> None:
    text = "channels: [team]\ndependencies: ['pytorch::pytorch=2', 'https://host/c::x', 'team::y']\n"
    assert urls(tmp_path, text) == [
        "https://team.example/team",
        "https://alias.example/conda/pytorch",
        "https://host/c",
    ]


@pytest.mark.parametrize(
    ("dependency", "expected"),
    [
        ("numpy>=1.2,<2", "numpy>=1.2,<2"),
        ("pytorch::pytorch=1.13", "https://alias.example/conda/pytorch::pytorch=1.13"),
        ("team/linux-64::x [build=cuda*]", "https://team.example/team::x [build=cuda*]"),
        ("https://ann:hush@host/c::x", "https://host/c::x"),
        ("defaults::six", "six"),
        ("./local::x", "file://{folder}/local::x"),
    ],
)
def test_dependencies_name_channels_by_address(tmp_path: Path, dependency: str, expected: str) -> None:
    spec = ChannelNames(SETTINGS, {}, tmp_path).spec(dependency)
    assert spec == expected.format(folder=tmp_path)


def test_credentials_are_taken_out_of_addresses(tmp_path: Path) -> None:
    text = "channels: ['https://ann:s3cr%3At%40@host:8443/c', 'https://host/t/$TOKEN/lab', 'https://key@host/d']\n"
    with_password, with_token, with_key = resolved(tmp_path, text, TOKEN="tk-hush")
    assert with_password == Channel("https://host:8443/c", "ann", "s3cr:t@")
    assert with_token == Channel("https://host/lab", token="tk-hush")
    assert with_token.tokened_url == "https://host/t/tk-hush/lab"
    assert with_key == Channel("https://host/d", "key")
    shown = repr((with_password, with_token))
    assert "s3cr" not in shown
    assert "hush" not in shown
    assert with_password.secrets == {"s3cr:t@"}
    assert with_token.secrets == {"tk-hush"}
