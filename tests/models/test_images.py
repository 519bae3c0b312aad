"""The folder that a model's image is built from."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZipFile

import pytest

from projrun.cli.execution import execute
from projrun.errors import EnvironmentBuildError, RequestError
from projrun.models.images.build import find_docker, option_word
from projrun.models.images.context import ImageOrder, copy_model, write_context
from projrun.models.images.wheel import write_wheel


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "data").mkdir(parents=True)
    (folder / "MLmodel").write_text(
        "flavors: {python_function: {loader_module: x, python_version: 3.8.12}}\n"
    )
    (folder / "data/weights").write_bytes(b"w")
    (folder / "data/weights").chmod(0o400)
    return folder


def written(tmp_path: Path, order: ImageOrder, environ: Mapping[str, str] | None = None) -> tuple[Path, str]:
    folder = tmp_path / "context"
    write_context(order, folder, environ or {})
    return folder, (folder / "Dockerfile").read_text()


def test_every_user_of_the_image_can_read_the_model(model: Path, tmp_path: Path) -> None:
    (model / "link").symlink_to("data/weights")
    (model / "folder").symlink_to(model / "data")
    copy_model(model, tmp_path / "copy")
    assert (tmp_path / "copy/data/weights").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "copy/data").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "copy/link").readlink() == Path("data/weights")
    assert (tmp_path / "copy/folder").readlink() == Path("data")


def test_a_link_that_leaves_the_model_is_refused(model: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush")
    (model / "link").symlink_to("../secret")
    with pytest.raises(RequestError, match="link that leaves the model's folder"):
        copy_model(model, tmp_path / "copy")


def test_a_link_to_itself_is_refused_and_leaves_nothing(model: Path, tmp_path: Path) -> None:
    (model / "link").symlink_to("link")
    for _ in range(2):  # the folder can be used again
        with pytest.raises(RequestError, match="model/link is a link that leads to itself"):
            written(tmp_path, ImageOrder(model, "3.11"))
        assert not (tmp_path / "context").exists()
    (tmp_path / "context").mkdir()
    with pytest.raises(RequestError, match="leads to itself"):
        written(tmp_path, ImageOrder(model, "3.11"))
    assert list((tmp_path / "context").iterdir()) == []


def test_a_named_pipe_is_refused(model: Path, tmp_path: Path) -> None:
    os.mkfifo(model / "pipe")
    with pytest.raises(RequestError, match="pipe` is a named pipe"):
        written(tmp_path, ImageOrder(model, "3.11"))


def test_a_folder_in_the_model_is_refused(model: Path) -> None:
    with pytest.raises(RequestError, match="is in the model's folder, which is copied"):
        write_context(ImageOrder(model, "3.11"), model / "image", {})
    assert not (model / "image").exists()


@pytest.mark.parametrize("name", ["python:3.11\nRUN id", "python --platform=x"])
def test_a_base_is_one_word(model: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(RequestError, match="is no image's name: it has spaces"):
        written(tmp_path, ImageOrder(model, "3.11", base=name))
    assert not (tmp_path / "context").exists()


def test_an_old_python_stays_beside_the_one_of_projrun(model: Path, tmp_path: Path) -> None:
    _, text = written(tmp_path, ImageOrder(model, "3.8.12"))
    assert "ARG BASE=python:3.8-slim-bookworm\n" in text
    assert "ARG SERVER_BASE=python:3.12-slim-bookworm\n" in text
    assert "RUN /opt/python/bin/python3 -m venv --without-pip /opt/projrun" in text
    assert text.count("COPY --from=build /opt/python /opt/python\n") == 1


def test_a_new_one_serves_both(model: Path, tmp_path: Path) -> None:
    _, text = written(tmp_path, ImageOrder(model, "3.11.7", base="team/python"))
    assert "ARG BASE=team/python\n" in text
    assert "/opt/python" not in text
    assert "[uv]" in text


def test_the_manager_and_a_lock_are_those_of_the_build(model: Path, tmp_path: Path) -> None:
    lock = "# python 3.9.18\nsix==1.17.0\n"
    folder, text = written(tmp_path, ImageOrder(model, "3.9.18", manager="conda", lock=lock))
    assert (folder / "build/environment.lock.txt").read_text() == lock
    assert "ARG BASE=python:3.9-slim-bookworm\n" in text
    assert "-m /opt/model --env-manager conda --locked /tmp/build/environment.lock.txt)" in text
    assert "[conda]" in text


def test_authorities_are_only_in_the_first_stage(model: Path, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("PEM")
    folder, text = written(tmp_path, ImageOrder(model, ""), {"PIP_CERT": str(tmp_path / "ca.pem")})
    assert (folder / "build/ca.pem").read_text() == "PEM"
    first, last = text.split("\n\n")
    assert "PIP_CERT=/tmp/build/ca.pem" in first
    assert "build/" not in last.replace("/opt/projrun/bin", "")


def test_a_folder_that_is_not_empty_is_left_alone(model: Path, tmp_path: Path) -> None:
    (tmp_path / "context").mkdir()
    (tmp_path / "context/mine").touch()
    with pytest.raises(RequestError, match="is not empty"):
        written(tmp_path, ImageOrder(model, ""))
    with pytest.raises(RequestError, match="cannot be used"):
        write_context(ImageOrder(model, ""), tmp_path / "context/mine/below", {})


@pytest.mark.processes
def test_the_wheel_is_this_projrun(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    wheel = write_wheel(tmp_path)
    assert wheel.read_bytes() == write_wheel(tmp_path / "again").read_bytes()
    names = ZipFile(wheel).namelist()
    assert "projrun/server/page/static/index.html" in names
    assert "projrun_backends/builtins.py" in names
    assert not [name for name in names if "__pycache__" in name]
    install = f"uv pip install --quiet --no-deps --offline --target {tmp_path / 'to'} {wheel}"
    subprocess.run([sys.executable, "-m", *install.split()], check=True)
    program = (tmp_path / "to/bin/projrun").read_text()
    assert "projrun" in program.partition("import")[2]


def test_words_for_docker() -> None:
    assert [option_word(word) for word in ("network=host", "no-cache", "q")] == [
        "--network=host", "--no-cache", "-q",
    ]  # fmt: skip
    with pytest.raises(RequestError, match="is not an option of `docker build`"):
        option_word("--network=host")


def test_without_docker_the_folder_is_the_way(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentBuildError, match="docker is not installed"):
        find_docker({"PATH": str(tmp_path)})


def test_the_commands_and_their_words_of_mlflow(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROJRUN_MODEL_URI", str(model))
    lock = tmp_path / "x.lock.txt"
    lock.write_text("# python 3.9.18\nsix==1.17.0\n")
    assert execute(["models", "dockerfile", "-d", str(tmp_path / "locked"), "--locked", str(lock)]) == 0
    assert "python:3.9-slim-bookworm" in (tmp_path / "locked/Dockerfile").read_text()
    for number, word in enumerate(("dockerfile", "generate-dockerfile")):
        assert execute(["models", word, "-d", str(tmp_path / f"{number}")]) == 0
        assert "python:3.8-slim-bookworm" in (tmp_path / f"{number}/Dockerfile").read_text()
    capsys.readouterr()
    assert execute(["models", "build-docker", "--name", "x", "--env-manager", "local"]) == 2
    assert "builds no environment that an image could have" in capsys.readouterr().err
