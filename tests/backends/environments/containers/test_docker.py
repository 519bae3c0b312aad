"""What a Docker project's own text means: volumes, variables, locks, names of images. No daemon is asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from projrun.environments.protocol import EnvironmentRequest, Launch
from projrun.environments.registry import get_manager
from projrun.errors import EnvironmentBuildError, RequestError
from projrun.project.model import DockerEnv, EnvironmentReference, Location
from projrun_backends.environments.containers.arguments import parse_arguments
from projrun_backends.environments.containers.credentials import cloud_credentials
from projrun_backends.environments.containers.images import image_tag
from projrun_backends.environments.containers.lock import ImageLock, read_lock
from projrun_backends.environments.containers.mounts import (
    Mount,
    project_volumes,
    run_mounts,
    targets,
    without_targets,
)
from projrun_backends.environments.containers.run_command import gpu_variables, limit_words
from projrun_backends.environments.containers.variables import check_variables, pass_variables, unproxied
from projrun_backends.environments.options import ContainerOptions

ID = f"sha256:{'1' * 64}"
DIGEST = f"registry.example:5000/team/image@sha256:{'2' * 64}"


def request(folder: Path, docker: DockerEnv, environ: dict[str, str], *arguments: str) -> EnvironmentRequest:
    reference = EnvironmentReference("docker_env", docker=docker, location=Location("MLproject", 2, 1))
    options = ContainerOptions(arguments)
    return EnvironmentRequest(folder, reference, folder / "cache", environ, options=options)


def launch(folder: Path, **changes: object) -> Launch:
    variables = {"MLFLOW_RUN_ID": "r1", "MLFLOW_TRACKING_URI": "http://127.0.0.1:1/s"}
    values = Launch(
        "true", folder, {}, variables, "mlflow-artifacts:/0/r1/artifacts", (), folder, folder / "log", 1
    )
    return values._replace(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("/a:/b:ro", "/a:/b:ro"),
        ("name:/b", "name:/b"),
        ("/only", "/only"),
        ("$HOME/x:/b", "/home/me/x:/b"),
        ("${HOME}/x:/b", "/home/me/x:/b"),
        ("~/x:/b", "/home/me/x:/b"),
        ("$PWD/x:/b", "{project}/x:/b"),
        ("$(pwd):/b", "{project}:/b"),
        ("./x:/b", "{project}/x:/b"),
        (".:/b", "{project}:/b"),
        ("a$:/b", "a$:/b"),
    ],
)
def test_volumes(tmp_path: Path, written: str, meant: str) -> None:
    volumes = project_volumes(DockerEnv("image", (written,)), tmp_path, {"HOME": "/home/me"})
    assert volumes == (meant.format(project=tmp_path),)


def test_a_volume_that_needs_an_unset_variable(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="needs the variable DATA, which is not set"):
        project_volumes(DockerEnv("image", ("$DATA:/b",)), tmp_path, {})


def test_mounts_are_csv() -> None:
    assert Mount(Path("/a"), "/b").word == "type=bind,source=/a,target=/b"
    assert Mount(Path('/a, "b"'), "/c d", True).word == 'type=bind,"source=/a, ""b""",target=/c d,readonly'


def test_what_the_user_mounts_goes_before() -> None:
    arguments = parse_arguments(
        [
            "v=/x:/one/",
            "mount=type=bind,src=/x,dst=/two",
            "tmpfs=/three:size=1m",
            'mount=type=tmpfs,"target=/f,our"',
        ]
    )
    taken = targets(["/y:/five:ro", "/six"], arguments)
    assert taken == {"/one", "/two", "/three", "/f,our", "/five", "/six"}
    mounts = [Mount(Path("/x"), "/one"), Mount(Path("/x"), "/seven"), Mount(Path("/y"), "/seven")]
    assert without_targets(mounts, taken) == [Mount(Path("/x"), "/seven")]


def test_the_artifact_folder_of_another_server_is_its_experiments(tmp_path: Path) -> None:
    location = tmp_path / "a b/3"

    def mounted(uri: str, *, own_endpoint: bool = False) -> list[Mount]:
        return run_mounts(launch(tmp_path, artifact_uri=uri, own_endpoint=own_endpoint), with_project=False)

    expected = [Mount(location, str(location))]
    assert mounted((location / "r1/artifacts").as_uri()) == expected
    assert mounted(str(location / "r1/artifacts")) == expected
    assert mounted((location / "other").as_uri()) == [Mount(location / "other", str(location / "other"))]
    assert mounted((location / "r1/artifacts").as_uri(), own_endpoint=True) == []
    for uri in ("s3://bucket/x", "mlflow-artifacts:/0/r1/artifacts", "file://host/x", "relative/x"):
        assert mounted(uri) == []


def test_a_variable_that_is_not_here_is_a_mistake_of_the_request(tmp_path: Path) -> None:
    docker = DockerEnv("image", copied_variables=("HERE", "MISSING", "MLFLOW_TRACKING_URI"))
    with pytest.raises(
        RequestError, match=r"^MLproject:2:1: docker_env copies MISSING, GONE from this machine"
    ) as raised:
        check_variables(docker, parse_arguments(["env=GONE"]), request(tmp_path, docker, {"HERE": "1"}))
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("name", ["", "A=B", "A\nB"])
def test_names_that_no_variable_has(tmp_path: Path, name: str) -> None:
    docker = DockerEnv("image", set_variables=((name, "x"),))
    with pytest.raises(RequestError, match="is not the name of a variable"):
        check_variables(docker, parse_arguments([]), request(tmp_path, docker, {}))


def test_values_go_by_the_environment_or_a_private_file(tmp_path: Path) -> None:
    file = tmp_path / "env"
    environ = {"PATH": "/bin", "HOME": "/root", "DOCKER_HOST": "unix:///x", "KEPT": "1"}
    variables = {
        "A": "two\nlines",
        "PATH": "/image",
        "HOME": "/root",
        "DOCKER_HOST": "tcp://in",
        "https_proxy": "p",
    }
    passed = pass_variables(variables, environ, file)
    assert passed.words == ("--env", "A", "--env", "HOME", "--env-file", str(file))
    assert passed.environ == {**environ, "A": "two\nlines"}
    assert file.read_text() == "PATH=/image\nDOCKER_HOST=tcp://in\nhttps_proxy=p\n"
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_endpoint_is_reached_without_a_proxy(tmp_path: Path) -> None:
    both = {"NO_PROXY": "172.17.0.1", "no_proxy": "172.17.0.1"}
    here = launch(tmp_path, variables=both)
    assert unproxied(both, {}, here) == both
    assert unproxied(both, {"NO_PROXY": "a,b"}, here)["NO_PROXY"] == "a,b,172.17.0.1"
    assert unproxied({**both, "no_proxy": "c"}, {"no_proxy": "a"}, here)["no_proxy"] == "c,172.17.0.1"
    assert unproxied({}, {"NO_PROXY": "a"}, launch(tmp_path, variables={})) == {}


def test_cloud_credentials(tmp_path: Path) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text("x")
    (tmp_path / "key.json").write_text("x")
    environ = {
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": "hush",
        "MLFLOW_S3_ENDPOINT_URL": "http://minio",
        "GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "key.json"),
        "AZURE_STORAGE_CONNECTION_STRING": "hush",
        "AWS_CA_BUNDLE": str(tmp_path / "gone"),
        "OTHER": "x",
    }
    found = cloud_credentials(environ)
    assert found.variables["AWS_ACCESS_KEY_ID"] == "hush"
    assert found.variables["AWS_CONFIG_FILE"] == "/mlflow/credentials/aws_config_file/config"
    assert found.variables["GOOGLE_APPLICATION_CREDENTIALS"].endswith("/key.json")
    assert not {"OTHER", "HOME", "AZURE_CONFIG_DIR"} & found.variables.keys()
    assert [mount.source for mount in found.mounts] == [tmp_path / ".aws/config", tmp_path / "key.json"]
    assert all(mount.read_only for mount in found.mounts)
    assert "hush" not in repr(found)


@pytest.mark.parametrize(
    ("name", "commit", "tag"),
    [
        ("demo", "0123456789", "demo:0123456"),
        ("Team/My Project!", "0123456789", "team/my-project:0123456"),
        ("--", None, "docker-project"),
        (None, None, "docker-project"),
        ("demo", None, "demo"),
        ("/a//b/", None, "a/b"),
    ],
)
def test_the_tag_of_a_built_image(name: str | None, commit: str | None, tag: str) -> None:
    assert image_tag(name, commit) == tag


@pytest.mark.parametrize(
    "lock",
    [
        ImageLock("team/image:1", ID, DIGEST),
        ImageLock("team/image:1", ID),
        ImageLock("demo:0123456", ID, base=DIGEST),
        ImageLock("demo:0123456", ID, base=ID),
    ],
)
def test_a_lock_is_read_as_it_was_written(tmp_path: Path, lock: ImageLock) -> None:
    (tmp_path / "lock").write_text(lock.text)
    assert read_lock(tmp_path / "lock") == lock


def test_a_digest_is_a_lock(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(f"# mine\n\n{DIGEST}\n")
    assert read_lock(tmp_path / "lock") == ImageLock(DIGEST, image=DIGEST)


@pytest.mark.parametrize(
    "text",
    ["", "numpy==1.0\n", "id: sha256:12\n", f"image: {ID}\n", f"{DIGEST}\n{DIGEST}\n", "image: --flag@x\n"],
)
def test_what_is_no_lock(tmp_path: Path, text: str) -> None:
    (tmp_path / "lock").write_text(text)
    with pytest.raises(RequestError) as raised:
        read_lock(tmp_path / "lock")
    assert "environment/image.lock.txt" in raised.value.hint


def test_a_lock_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="No such file"):
        read_lock(tmp_path / "lock")
    (tmp_path / "lock").write_bytes(b"\xff")
    with pytest.raises(RequestError, match="not a text"):
        read_lock(tmp_path / "lock")


def test_without_the_program_docker(tmp_path: Path) -> None:
    asked = request(tmp_path, DockerEnv("image"), {"PATH": str(tmp_path)})
    assert not get_manager("docker").available(asked.environ)
    with pytest.raises(EnvironmentBuildError, match="docker") as raised:
        get_manager("docker").resolve(asked)
    assert raised.value.hint


@pytest.mark.parametrize(
    ("limited", "arguments", "words"),
    [
        ({}, (), []),
        ({"memory": 2**30, "cpus": 2.5}, (), ["--memory=1073741824", "--cpus=2.5"]),
        ({"memory": 2**30, "cpus": 2.5}, ("m=1g", "cpus=1"), []),
        ({"gpus": ("0", "GPU-7")}, (), ['--gpus="device=0,GPU-7"']),
        ({"gpus": ("0",)}, ("gpus=all",), []),
        ({"gpus": ()}, (), []),
    ],
)
def test_limits_are_dockers_own(
    tmp_path: Path, limited: dict[str, object], arguments: Sequence[str], words: Sequence[str]
) -> None:
    assert limit_words(parse_arguments(arguments), launch(tmp_path, **limited)) == words


def test_a_container_counts_its_gpus_from_zero(tmp_path: Path) -> None:
    assert gpu_variables(launch(tmp_path)) == {}
    assert gpu_variables(launch(tmp_path, gpus=("2", "3"))) == {"CUDA_VISIBLE_DEVICES": "0,1"}
    assert gpu_variables(launch(tmp_path, gpus=())) == {
        "CUDA_VISIBLE_DEVICES": "",
        "NVIDIA_VISIBLE_DEVICES": "void",
    }
