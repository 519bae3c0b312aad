"""The request that a call of `mlflow.run` makes is one that projrun reads, with every value of the call."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from projrun.errors import RequestError
from projrun.running.handover import take_over
from projrun.running.request import RunRequest
from projrun.running.request_json import FORMAT
from projrun.running.shim.on_path.projrun_mlflow_run import request as shim

SECRET = "s3cret-of-ada"


def asked(call: Mapping[str, Any]) -> RunRequest:
    file = shim.RequestFile(call)
    try:
        return take_over(Path(file.path), {})
    finally:
        file.remove()


def test_the_least_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert asked({"uri": "."}) == RunRequest(".", tmp_path)


def test_both_ends_know_one_format() -> None:
    assert shim.FORMAT == FORMAT


def test_every_argument_of_mlflow() -> None:
    request = asked(
        {
            "uri": f"https://ada:{SECRET}@git.example/team/steps.git#train",
            "entry_point": "train",
            "version": "v1",
            "parameters": {"alpha": 0.5, "name": "Ada Lovelace\udcff", 7: None},
            "docker_args": {"gpus": "all", "tty": True, "rm": False, "volume": ["a:b", "c:d"]},
            "experiment_id": 2,
            "backend": "local",
            "backend_config": {"a": 1},
            "storage_dir": Path("/data"),
            "run_id": "r1",
            "run_name": "five",
            "env_manager": "uv",
            "build_image": True,
            "docker_auth": {"username": "ada", "password": SECRET},
        }
    )
    assert request.uri == f"https://ada:{SECRET}@git.example/team/steps.git#train"
    assert (request.entry_point, request.version) == ("train", "v1")
    texts = {name: (given.text, given.origin) for name, given in request.parameters.items()}
    assert texts == {"alpha": ("0.5", "api"), "name": ("Ada Lovelace\udcff", "api"), "7": ("None", "api")}
    assert request.options == {
        "experiment-id": "2",
        "storage-dir": "/data",
        "run-id": "r1",
        "run-name": "five",
        "env-manager": "uv",
        "build-image": "1",
        "docker-args": ("gpus=all", "tty", "volume=a:b", "volume=c:d"),
        "backend-config": '{"a": 1}',
    }
    assert dict(request.registry_login) == {"username": "ada", "password": SECRET}


@pytest.mark.parametrize(
    ("call", "manager"),
    [
        ({"use_conda": False}, "local"),
        ({"use_conda": True}, None),
        ({"use_conda": None}, None),
        ({"use_conda": False, "env_manager": "conda"}, "conda"),
    ],
)
def test_mlflow_1_says_use_conda(call: dict[str, Any], manager: str | None) -> None:
    assert asked({"uri": ".", **call}).options.get("env-manager") == manager


def test_a_configuration_s_file_is_read_by_projrun() -> None:
    assert asked({"uri": ".", "backend_config": "c.json"}).options == {"backend-config": "c.json"}


def test_nobody_else_can_read_it_and_nothing_is_left() -> None:
    file = shim.RequestFile({"uri": f"https://u:{SECRET}@h/r", "parameters": {"token": SECRET}})
    folder = Path(file.folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()} == {0o600}
    assert SECRET not in Path(file.path).read_text(encoding="ascii")
    file.remove()
    assert not folder.exists()


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(AttributeError):
        shim.RequestFile({"uri": ".", "parameters": {"a": 1}, "docker_auth": "word"})
    assert list(tmp_path.iterdir()) == []


def test_projrun_refuses_what_has_been_read_by_others() -> None:
    file = shim.RequestFile({"uri": "."})
    Path(file.path).chmod(0o644)
    with pytest.raises(RequestError, match="others may access it"):
        take_over(Path(file.path), {})
    file.remove()
