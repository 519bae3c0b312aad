"""Images of Docker projects: pulled from a real registry, built with the code in them, locked by digest."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import projrun
from projrun.directories import Directories
from projrun.errors import EnvironmentBuildError
from tests.support.commands import run_projrun
from tests.support.docker import BASE_IMAGE
from tests.support.docker_bench import DockerBench
from tests.support.registry import PASSWORD, USER, image_registry

pytestmark = pytest.mark.integration


@pytest.fixture
def registry(docker: DockerBench, tmp_path: Path) -> Iterator[str]:
    with image_registry(tmp_path / "registry") as address:
        yield address


def small_image(docker: DockerBench, name: str, text: str, run: str = "true") -> str:
    """The base image with a file `/version`; its id. What is made of it can be told from other tests' images."""
    folder = docker.folder / "image"
    folder.mkdir(exist_ok=True)
    instructions = [
        f"FROM {BASE_IMAGE}",
        f"LABEL case={case(docker)}",
        f"RUN echo {text} > /version && {run}",
    ]
    (folder / "Dockerfile").write_text("\n".join(instructions))
    docker.docker("build", "--quiet", "--force-rm", "--tag", name, str(folder))
    return docker.docker("inspect", "--format", "{{.Id}}", name)


def case(docker: DockerBench) -> str:
    """A word that is this test's own."""
    return docker.folder.name.lower()


def dangling(docker: DockerBench) -> str:
    """The images without a name that this test left."""
    return docker.docker(
        "images", "--quiet", "--filter", "dangling=true", "--filter", f"label=case={case(docker)}"
    )


@pytest.fixture
def pushed(docker: DockerBench, registry: str) -> Iterator[str]:
    """The name of an image that only the registry has."""
    name = f"{registry}/team/image:1.0"
    small_image(docker, name, "one")
    docker.docker("push", "--quiet", name)
    docker.docker("rmi", name)
    yield name
    subprocess.run(["docker", "rmi", "--force", name], capture_output=True, check=False)


def lock_file(docker: DockerBench, number: int = 0) -> Path:
    """The artifact of the newest run, or an older one."""
    return Path(docker.recorded(number)["artifact_folder"]) / "environment/image.lock.txt"


def test_an_image_that_is_not_there_is_pulled_once(docker: DockerBench, pushed: str) -> None:
    docker.project("cat /version", image=pushed)
    plan = run_projrun("plan", "project", cwd=docker.folder).check().stdout
    assert f"image {pushed}, to be pulled" in plan
    assert docker.run().check().stdout == "one\n"
    artifacts = lock_file(docker).parents[1]
    assert "Pulling from team/image" in (artifacts / "environment/build.log").read_text()
    assert re.search(
        rf"^image: {re.escape(pushed[:-4])}@sha256:[0-9a-f]{{64}}$", lock_file(docker).read_text(), re.M
    )
    assert docker.run().check().stdout == "one\n"
    assert not (lock_file(docker).parent / "build.log").exists(), "the image was there"


def test_a_rebuild_and_pull_always_fetch_it_again(docker: DockerBench, pushed: str) -> None:
    docker.project("cat /version", image=pushed)
    docker.run().check()
    old = docker.docker("inspect", "--format", "{{.Id}}", pushed)
    small_image(docker, pushed, "two")
    docker.docker("push", "--quiet", pushed)
    docker.docker("tag", old, pushed)
    assert docker.run().check().stdout == "one\n"
    assert docker.run("-A", "pull=always").check().stdout == "two\n"
    docker.docker("tag", old, pushed)
    assert docker.run("--rebuild-env").check().stdout == "two\n"


def test_a_lock_is_the_image_by_its_digest(docker: DockerBench, pushed: str) -> None:
    docker.project("cat /version", image=pushed)
    docker.run().check()
    lock = lock_file(docker)
    kept = docker.folder / "kept.lock"
    kept.write_text(lock.read_text())
    docker.docker("rmi", pushed)
    small_image(docker, pushed, "two")
    docker.docker("push", "--quiet", pushed)
    assert docker.run().check().stdout == "two\n"
    docker.docker("rmi", pushed)
    done = docker.run("--locked", "kept.lock").check()
    assert done.stdout == "one\n"
    assert lock_file(docker).read_text() == kept.read_text()
    assert docker.recorded()["tags"]["mlflow.docker.image.uri"] == pushed
    digest = re.search(r"image: (\S+)", kept.read_text())
    assert digest
    docker.docker("rmi", digest[1])


def test_a_lock_of_an_image_that_is_nowhere(docker: DockerBench) -> None:
    docker.project("true")
    lock = docker.folder / "gone.lock"
    lock.write_text(f"id: sha256:{'0' * 64}\n")
    done = docker.run("--locked", lock)
    assert done.returncode == 4
    assert "is not on this machine, and the lock names no registry" in done.stderr
    lock.write_text("numpy==1.0\n")
    done = docker.run("--locked", lock)
    assert done.returncode == 2
    assert "gone.lock:1: not a lock of a Docker image" in done.stderr


@pytest.mark.parametrize("name", ["projrun-tests/nowhere:1", "{registry}/team/other:1"])
def test_an_image_that_is_nowhere(docker: DockerBench, registry: str, name: str) -> None:
    name = name.format(registry=registry)
    docker.project("true", image=name)
    done = docker.run()
    assert done.returncode == 4
    assert f"the image {name} is not on this machine and cannot be pulled" in done.stderr
    assert "docker login" in done.stderr
    run = docker.recorded()
    assert run["status"] == "FAILED"
    assert name in run["tags"]["projrun.reason"]
    refused = docker.run("-A", "pull=never")
    assert (refused.returncode, "remove -A pull=never" in refused.stderr) == (4, True)


def test_a_private_registry_and_its_password(docker: DockerBench, tmp_path: Path) -> None:
    with image_registry(tmp_path / "private", private=True) as address:
        name = f"{address}/image:1"
        small_image(docker, name, "private")
        docker.docker("login", "--username", USER, "--password", PASSWORD, address)
        docker.docker("push", "--quiet", name)
        docker.docker("logout", address)
        docker.docker("rmi", name)
        docker.project("cat /version", image=name)
        uri = str(docker.folder / "project")
        assert "no basic auth credentials" in docker.run().stderr
        wrong = {"username": USER, "password": "hush", "registry": address}
        with pytest.raises(EnvironmentBuildError, match="could not log in to the registry") as raised:
            projrun.run(uri, docker_auth=wrong)
        assert "hush" not in raised.value.message + raised.value.detail
        auth = {**wrong, "password": PASSWORD}
        assert projrun.run(uri, docker_auth=auth, synchronous=False).wait()
        docker.docker("rmi", name)
        assert projrun.run(uri, docker_auth=auth).get_status() == "FINISHED"
        docker.docker("rmi", name)


@pytest.fixture
def base(docker: DockerBench) -> Iterator[str]:
    """An image of this test alone."""
    name = f"projrun-tests/{case(docker)}"
    small_image(docker, name, "base")
    yield name
    docker.docker("rmi", "--force", name)


@pytest.fixture
def committed(docker: DockerBench, base: str) -> str:
    """A project in a git repository; the tag that its image gets."""
    project = docker.project(
        "python train.py {data}",
        name="Team/My Project",
        image=base,
        train_py=TRAIN,
        parameters={"data": {"type": "path", "default": "data.txt"}},
    )
    (project / "data.txt").write_text("data")
    (project / "secret.key").write_text("hush")
    (project / "sub").mkdir()
    (project / "sub/kept.log").write_text("kept")
    (project / "sub/gone.log").write_text("gone")
    (project / ".dockerignore").write_text("# what stays here\n*.key\n**/*.log\n!sub/kept.log\n")
    (project / "private.py").write_text("")
    (project / "private.py").chmod(0o600)
    (project / "link").symlink_to("data.txt")
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "All"]):
        subprocess.run(["git", *words], cwd=project, check=True)
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=project, capture_output=True, text=True, check=True
    )
    return f"team/my-project:{commit.stdout[:7]}"


TRAIN = """\
import os, sys
from metrics import log
found = sorted(os.path.join(folder, name)[2:] for folder, _, names in os.walk(".") for name in names)
print(*(name for name in found if not name.startswith((".git/", "__pycache__/"))))
print(open(sys.argv[1]).read(), open("link").read())
open("made", "w").close()
log("loss", 1)
"""


def test_build_image_copies_the_code(docker: DockerBench, base: str, committed: str) -> None:
    try:
        done = docker.run("--build-image").check()
        assert done.stdout == (
            ".dockerignore MLproject data.txt link metrics.py private.py sub/kept.log train.py\ndata data\n"
        )
        assert not (docker.folder / "project/made").exists(), "the folder is not mounted"
        run = docker.recorded()
        assert run["metrics"] == {"loss": 1.0}
        assert run["tags"]["mlflow.docker.image.uri"] == committed
        assert run["tags"]["mlflow.docker.image.id"] == docker.docker(
            "inspect", "--format", "{{.Id}}", committed
        )
        assert (
            f"base: {docker.docker('inspect', '--format', '{{.Id}}', base)}" in lock_file(docker).read_text()
        )
        assert "Step 2/3 : COPY" in (lock_file(docker).parent / "build.log").read_text()
        assert (
            docker.docker("inspect", "--format", "{{.Config.WorkingDir}}", committed)
            == "/mlflow/projects/code/"
        )
    finally:
        docker.docker("rmi", "--force", committed)
        docker.docker("image", "prune", "--force", "--filter", f"label=case={case(docker)}")


def test_gc_removes_images_that_were_not_used(docker: DockerBench, base: str, committed: str) -> None:
    def gc() -> list[str]:
        done = run_projrun("gc", "--older-than", "30d", "--json", cwd=docker.folder).check()
        return [each["kind"] for each in json.loads(done.stdout)["removed"]]

    try:
        docker.run("--build-image").check()
        image = docker.recorded()["tags"]["mlflow.docker.image.id"]
        (marker,) = Directories.locate(os.environ).cache.glob("images/*/*.complete")
        assert gc() == []
        os.utime(marker, (0, 0))
        container = docker.docker("create", committed, "true")
        assert gc() == [], "a container needs it"
        docker.docker("rm", container)
        docker.docker("tag", committed, f"{base}:mine")
        assert gc() == [], "it was given another name"
        docker.docker("rmi", f"{base}:mine")
        assert gc() == ["image"]
        assert image not in docker.docker("images", "--all", "--no-trunc", "--quiet")
        assert docker.docker("images", "--quiet", base)
        docker.run("--build-image").check()
        docker.docker("rmi", committed)
        assert gc() == ["image"], "a mark whose image is gone"
    finally:
        subprocess.run(["docker", "rmi", "--force", committed], capture_output=True, check=False)
        docker.docker("image", "prune", "--force", "--filter", f"label=case={case(docker)}")


def test_runs_at_once_each_get_an_image_with_their_code(docker: DockerBench, committed: str) -> None:
    try:
        started = [docker.start("--build-image") for _ in range(4)]
        outputs = [process.communicate(timeout=120) for process in started]
        assert [process.returncode for process in started] == [0] * 4, outputs
        assert {stdout for stdout, _ in outputs} == {outputs[0][0]}
    finally:
        docker.docker("rmi", "--force", committed)
        docker.docker("image", "prune", "--force", "--filter", f"label=case={case(docker)}")


def test_a_built_image_runs_from_its_lock(docker: DockerBench, committed: str) -> None:
    try:
        docker.run("--build-image").check()
        kept = docker.folder / "kept.lock"
        kept.write_text(lock_file(docker).read_text())
        (docker.folder / "project/train.py").write_text("print('changed')\n")
        assert "kept.log" in docker.run("--locked", kept).check().stdout
        assert docker.run("--build-image").check().stdout == "changed\n"
        docker.docker("rmi", docker.recorded(1)["tags"]["mlflow.docker.image.id"])
        assert docker.run("--build-image", "--locked", kept).check().stdout == "changed\n", (
            "only its base is there"
        )
        refused = docker.run("--locked", kept)
        assert (refused.returncode, "the lock names no registry" in refused.stderr) == (4, True)
    finally:
        docker.docker("rmi", "--force", committed)
        docker.docker("image", "prune", "--force", "--filter", f"label=case={case(docker)}")


def test_a_build_that_fails_leaves_nothing(docker: DockerBench) -> None:
    """The image has a file where the code's folder would be."""
    name = "projrun-tests/blocked:latest"
    small_image(docker, name, "blocked", run="echo > /mlflow")
    try:
        docker.project("true", image=name, name="blocked")
        done = docker.run("--build-image")
        assert done.returncode == 4
        assert "the image blocked could not be built" in done.stderr
        assert "Step 2/3 : COPY" in done.stderr
        run = docker.recorded()
        assert (run["status"], run["tags"]["projrun.exit_code"]) == ("FAILED", "4")
        assert (Path(run["artifact_folder"]) / "environment/build.log").exists()
        assert dangling(docker) == ""
        assert docker.docker("images", "--quiet", "blocked") == ""
        assert docker.docker("ps", "--all", "--quiet", "--filter", f"label=case={case(docker)}") == ""
    finally:
        docker.docker("rmi", "--force", name)
