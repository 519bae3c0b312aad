"""Docker projects with a real daemon: the command, its folder, its variables, its mounts, the endpoint."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

import projrun
from projrun.api import RunFailedError
from tests.support.commands import projrun_argv, require_tool, run_projrun
from tests.support.docker import BASE_IMAGE
from tests.support.docker_bench import DockerBench, free_of

pytestmark = pytest.mark.integration

SHOW = (
    "import json, os, sys\njson.dump([sys.argv[1:], os.getcwd(), dict(os.environ)], open('seen.json', 'w'))\n"
)


TELL = """with open(os.environ['PROJRUN_METRICS'], 'a') as file:\n    file.write('{"told": 1}\\n')\n"""
"""Metrics through the file that is mounted with the project."""


def seen(docker: DockerBench) -> tuple[list[str], str, dict[str, str]]:
    """What `show.py` saw: its arguments, its folder, its variables."""
    arguments, folder, variables = json.loads((docker.folder / "project" / "seen.json").read_text())
    return arguments, folder, variables


def test_a_run_in_the_project_folder_reaches_the_endpoint(docker: DockerBench) -> None:
    docker.project(
        "python train.py {alpha} {note}",
        parameters={"alpha": {"type": "float", "default": 0.5}, "note": {"default": "a 'b' $c\n*"}},
        train_py=SHOW + "from metrics import log\nlog('loss', float(sys.argv[1]))\nprint('logged')\n" + TELL,
    )
    done = docker.run().check()
    assert done.stdout == "logged\n"
    arguments, folder, variables = seen(docker)
    assert (arguments, folder) == (["0.5", "a 'b' $c\n*"], "/mlflow/projects/code")
    run = docker.recorded()
    assert (run["status"], run["metrics"]) == ("FINISHED", {"loss": 0.5, "told": 1.0})
    assert variables["MLFLOW_RUN_ID"] == run["run_id"]
    assert variables["NO_PROXY"] in variables["MLFLOW_TRACKING_URI"]
    tags = run["tags"]
    assert tags["mlflow.project.env"] == "docker"
    assert tags["mlflow.docker.image.uri"] == BASE_IMAGE
    image = docker.docker("inspect", "--format", "{{.Id}}", BASE_IMAGE)
    assert tags["mlflow.docker.image.id"] == image
    lock = Path(run["artifact_folder"]) / "environment/image.lock.txt"
    assert f"id: {image}" in lock.read_text()
    assert (lock.parents[1] / "logs/output.log").read_text() == "logged\n"


def test_no_value_is_on_a_command_line_or_left_on_disk(docker: DockerBench) -> None:
    docker.project(
        "python wait.py",
        docker_env={"environment": ["SECRET_KEY", ["PATH", "/usr/bin:/bin:/hush"]]},
        wait_py=SHOW + "import time\nopen('up', 'w')\ntime.sleep(60)\n",
    )
    os.environ["SECRET_KEY"] = "hush-hush"
    process = docker.start("-A", "env=OTHER_KEY=hush-too")
    try:
        docker.eventually((docker.folder / "project/up").exists, "the container")
        listing = subprocess.run(
            ["ps", "-eo", "args", "-ww"], capture_output=True, text=True, check=True
        ).stdout
        ours = [line for line in listing.splitlines() if "docker run " in line and str(docker.folder) in line]
        assert ours
        secret = seen(docker)[2]["MLFLOW_TRACKING_URI"].rpartition("/")[2]
        for text in ("hush-hush", "/hush", secret):
            assert not any(text in line for line in ours), text
        (file,) = (docker.folder / "home").glob("active/*/scratch/container.env")
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.read_text() == "PATH=/usr/bin:/bin:/hush\n"
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert free_of("hush", docker.folder / "home")
    variables = seen(docker)[2]
    assert variables["SECRET_KEY"] == "hush-hush"
    assert variables["OTHER_KEY"] == "hush-too"
    assert variables["PATH"] == "/usr/bin:/bin:/hush"


def test_variables_are_copied_and_set(docker: DockerBench) -> None:
    awkward = "two\nlines = 'é' $x"
    docker.project(
        "python show.py",
        docker_env={
            "environment": ["COPIED", ["SET", "1 2"], ["PYTHONUNBUFFERED", "0"], ["DOCKER_HOST", "tcp://in"]]
        },
        show_py=SHOW,
    )
    docker.run("-A", "e=GIVEN=a=b", "-A", "env=ALSO", environ={"COPIED": awkward, "ALSO": "x"}).check()
    variables = seen(docker)[2]
    expected = {"COPIED": awkward, "SET": "1 2", "PYTHONUNBUFFERED": "0", "DOCKER_HOST": "tcp://in"}
    assert {**variables, **expected, "GIVEN": "a=b", "ALSO": "x"} == variables
    assert "PROJRUN_HOME" not in variables


def test_a_variable_that_is_not_set_here_stops_the_plan(docker: DockerBench) -> None:
    docker.project("python show.py", docker_env={"environment": ["NOT_SET_HERE"]}, show_py=SHOW)
    done = docker.run()
    assert done.returncode == 2
    assert "copies NOT_SET_HERE from this machine, where it is not set" in done.stderr
    assert docker.runs() == []


def test_commands_with_shell_syntax_run_in_the_image(docker: DockerBench) -> None:
    docker.project("cat /proc/1/comm && python -c 'print(6 * 7)' | cat; exit 4")
    done = docker.run()
    assert (done.stdout, done.returncode) == ("docker-init\n42\n", 4)
    assert docker.recorded()["tags"]["projrun.reason"] == "exit code 4"


def test_plain_commands_reach_an_entrypoint_as_words(docker: DockerBench) -> None:
    """In an image without any shell: the static busybox is its only file."""
    name = "projrun-tests/entrypoint:latest"
    folder = docker.folder / "image"
    folder.mkdir()
    shutil.copy(require_tool("busybox"), folder / "busybox")
    archive = subprocess.run(["tar", "-C", folder, "-c", "busybox"], capture_output=True, check=True).stdout
    entrypoint = ["--change", 'ENTRYPOINT ["/busybox", "echo"]']
    subprocess.run(
        ["docker", "import", *entrypoint, "-", name], input=archive, check=True, capture_output=True
    )
    try:
        docker.project("hello {who}", image=name, parameters={"who": {"default": "you 'n' me"}})
        assert docker.run().check().stdout == "hello you 'n' me\n"
        docker.project("hello | cat", image=name)
        assert docker.run().check().stdout.startswith("sh -c ")
    finally:
        docker.docker("rmi", "--force", name)


def test_bash_is_used_where_the_image_has_it(docker: DockerBench) -> None:
    docker.project("x=1; echo $0 $x", docker_env={"volumes": ["./bin:/opt/bin:ro"]})
    bash = docker.folder / "project/bin/bash"
    bash.parent.mkdir()
    bash.write_text('#!/bin/sh\necho "bash: $1 $2"\n')
    bash.chmod(0o755)
    assert docker.run("-A", "env=PATH=/opt/bin:/usr/bin:/bin").check().stdout == "bash: -c x=1; echo $0 $x\n"
    assert docker.run().check().stdout == "sh 1\n"


def test_volumes_mean_what_a_shell_makes_of_them(docker: DockerBench) -> None:
    data = docker.folder / "data, with: 'things'"
    plain = docker.folder / "plain"
    for folder in (data, plain):
        folder.mkdir()
        (folder / "here").write_text(folder.name)
    os.environ["DATA"] = str(plain)
    volumes = [
        "$DATA:/one:ro",
        "${DATA}/here:/two",
        "$(pwd)/sub:/three",
        "./sub:/four",
        "projrun-tests-volume:/five",
    ]
    docker.project(
        "cat /one/here /two /three/x /four/x; touch /five/y; touch /one/z", docker_env={"volumes": volumes}
    )
    (docker.folder / "project/sub").mkdir()
    (docker.folder / "project/sub/x").write_text("x")
    try:
        done = docker.run()
        assert done.stdout == "plainplainxx"
        assert "Read-only" in done.stderr
    finally:
        docker.docker("volume", "rm", "--force", "projrun-tests-volume")


def test_path_parameters_are_seen_where_the_command_says(docker: DockerBench) -> None:
    given = docker.folder / 'in, "put" é'
    given.mkdir()
    (given / "x").write_text("given")
    docker.project(
        "python read.py {data} {default} {fetched}",
        parameters={
            "data": "path",
            "default": {"type": "path", "default": "own.py"},
            "fetched": {"type": "path", "default": (given / "x").as_uri()},
        },
        own_py="own",
        read_py="import sys\n_, data, default, fetched = sys.argv\n"
        "print(open(data + '/x').read(), open(default).read(), open(fetched).read())\n"
        "open(default, 'a').write('+')\n"
        "open(data + '/new', 'w')\n",
    )
    done = docker.run("-P", f"data={given}")
    assert done.stdout == "given own given\n"
    assert done.returncode == 1
    assert "Read-only file system" in done.stderr
    assert (docker.folder / "project/own.py").read_text() == "own+"
    quoted = str(given).replace('"', '""')
    own = f'mount=type=bind,"source={quoted}","target={quoted}"'
    assert docker.run("-P", f"data={given}", "-A", own).returncode == 0, "the user's own mount goes before"


def test_docker_run_takes_its_flags(docker: DockerBench) -> None:
    docker.project("cat /etc/hosts; hostname; pwd")
    words = [
        "hostname=box",
        "workdir=/mlflow/projects/code/sub",
        "add-host=a:127.0.0.5",
        "add-host=b:127.0.0.6",
    ]
    (docker.folder / "project/sub").mkdir()
    done = docker.run(*(word for option in words for word in ("-A", option)), "-A", "rm").check()
    assert "127.0.0.5\ta" in done.stdout
    assert "127.0.0.6\tb" in done.stdout
    assert done.stdout.endswith("box\n/mlflow/projects/code/sub\n")


def test_the_plan_shows_what_docker_will_be_asked_for(docker: DockerBench) -> None:
    docker.project(
        "python x.py", docker_env={"volumes": ["/srv:/srv:ro"], "environment": [["TOKEN", "t0ken"]]}
    )
    done = run_projrun("plan", "project", "-A", "memory=1g", "-A", "network=host", cwd=docker.folder).check()
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert f"mount {docker.folder}/project at /mlflow/projects/code" in lines
    assert "mount /srv:/srv:ro" in lines
    assert "variables TOKEN" in lines
    assert "docker run --memory=1g" in lines
    assert "network host" in lines
    assert f"image {docker.docker('inspect', '--format', '{{.Id}}', BASE_IMAGE)}" in lines
    assert any(line.startswith("user ") for line in lines)
    assert "t0ken" not in done.stdout


@pytest.mark.parametrize("build", [False, True])
def test_files_belong_to_the_caller(docker: DockerBench, other_user: list[str], build: bool) -> None:
    script = (
        "import getpass, os\n"
        "open('made', 'w').close()\n"
        "open(os.path.expanduser('~/cache'), 'w').close()\n"
        "print(os.getuid(), os.getgid(), getpass.getuser(), os.environ['HOME'])\n"
    )
    with tempfile.TemporaryDirectory() as place:  # pytest's own folders are for their owner only
        folder = Path(place)
        docker.folder = folder
        docker.project("python make.py", make_py=script, name="ownership")
        for path in (folder, *folder.rglob("*")):
            os.chown(path, 1234, 2345)
        environ = {**os.environ, "HOME": place, "PROJRUN_HOME": f"{place}/home", "USER": "ada"}
        words = [*other_user, *projrun_argv(), "run", "project", *(["--build-image"] if build else [])]
        done = subprocess.run(
            words, cwd=place, env=environ, capture_output=True, text=True, timeout=120, check=False
        )
        assert (done.returncode, done.stdout) == (0, "1234 2345 ada /mlflow/home\n"), done.stderr
        if not build:
            status = (folder / "project/made").stat()
            assert (status.st_uid, status.st_gid) == (1234, 2345)
    if build:
        docker.docker("rmi", "--force", "ownership:latest")


def test_credentials_are_passed_only_when_asked_for(docker: DockerBench) -> None:
    home = Path(os.environ["HOME"])
    (home / ".aws").mkdir()
    (home / ".aws/credentials").write_text("[default]\naws_access_key_id = id-in-file\n")
    gcloud = docker.folder / "key.json"
    gcloud.write_text("{}")
    os.environ.update(
        AWS_SESSION_TOKEN="hush", GOOGLE_APPLICATION_CREDENTIALS=str(gcloud), AZURE_CLIENT_ID="me"
    )
    script = (
        "for name in ('AWS_SHARED_CREDENTIALS_FILE', 'GOOGLE_APPLICATION_CREDENTIALS'):\n"
        "    print(open(os.environ[name]).read() if name in os.environ else 'none')\n"
    )
    docker.project("python show.py", show_py=SHOW + script)
    assert docker.run().check().stdout == "none\nnone\n"
    assert not {"AWS_SESSION_TOKEN", "AZURE_CLIENT_ID"} & set(seen(docker)[2])
    done = docker.run("--pass-credentials").check()
    assert "id-in-file" in done.stdout
    assert done.stdout.endswith("{}\n")
    variables = seen(docker)[2]
    assert (variables["AWS_SESSION_TOKEN"], variables["AZURE_CLIENT_ID"]) == ("hush", "me")


def test_the_api_takes_mlflows_arguments(docker: DockerBench) -> None:
    docker.project("python show.py", show_py=SHOW + "import socket\nprint(socket.gethostname())\n")
    uri = str(docker.folder / "project")
    arguments = {"hostname": "api", "env": ["A=1", "B=2"], "t": False, "read-only": True}
    run = projrun.run(uri, docker_args=arguments)
    assert run.get_status() == "FINISHED"
    assert {**seen(docker)[2], "A": "1", "B": "2"} == seen(docker)[2]
    run = projrun.run(uri, docker_args={"env": ["A=3"]}, synchronous=False)
    assert run.wait()
    assert seen(docker)[2]["A"] == "3"
    with pytest.raises(RunFailedError) as raised:
        projrun.run(uri, docker_args={"entrypoint": "/not/there"})
    assert raised.value.exit_code == 127
    assert f"command not found in the image {BASE_IMAGE}" in raised.value.message


def test_no_permission_for_the_socket(docker: DockerBench, other_user: list[str]) -> None:
    docker.project("true")
    with tempfile.TemporaryDirectory() as place, socket.socket(socket.AF_UNIX) as closed:
        closed.bind(f"{place}/docker.sock")
        closed.listen()
        Path(place, "docker.sock").chmod(0o600)
        Path(place).chmod(0o777)
        environ = {
            **os.environ,
            "DOCKER_HOST": f"unix://{place}/docker.sock",
            "PROJRUN_HOME": f"{place}/home",
        }
        words = [*other_user, *projrun_argv(), "run", str(docker.folder / "project")]
        done = subprocess.run(words, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 4
    assert "no permission to use Docker at unix://" in done.stderr
    assert "usermod -aG docker" in done.stderr
