"""What docs/deploy/ holds can be used: its options and variables exist, and what can be checked by its own tool is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from projrun.cli.server.command import server
from projrun.settings.server import SERVER_OPTIONS

DEPLOY = Path(__file__).parents[1] / "docs" / "deploy"


def text(name: str) -> str:
    """A file of the folder."""
    return (DEPLOY / name).read_text(encoding="utf-8")


def documents(name: str) -> list[dict[str, Any]]:
    """The YAML documents of a file."""
    return list(yaml.safe_load_all(text(name)))


def docker_words(instruction: str) -> list[str]:
    """The words of an instruction of the Dockerfile in its JSON form."""
    found = re.search(rf"^{instruction} (\[.*\])$", text("Dockerfile"), re.MULTILINE)
    assert found
    return [str(word) for word in json.loads(found[1])]


def parsed(words: list[str]) -> dict[str, Any]:
    """The options of `projrun server`; UsageError for words that it does not know."""
    return server.make_context("server", words).params


def test_every_option_exists() -> None:
    unit = re.search(r"^ExecStart=\S+ server (.*)$", text("projrun-server.service"), re.MULTILINE)
    assert unit
    assert parsed(unit[1].split())["backend_store_uri"] == "sqlite:////var/lib/projrun/store.db"
    assert docker_words("ENTRYPOINT") == ["projrun", "server"]
    assert parsed(docker_words("CMD"))["no_auth"]
    assert parsed(documents("compose.yaml")[0]["services"]["server"]["command"])["workers"] == "2"
    (deployment,) = (each for each in documents("kubernetes.yaml") if each["kind"] == "Deployment")
    assert parsed(deployment["spec"]["template"]["spec"]["containers"][0]["args"])["allowed_hosts"]
    with pytest.raises(click.UsageError):
        parsed(["--no-such-option"])


def test_every_variable_exists() -> None:
    known = {variable for option in SERVER_OPTIONS.values() for variable in option.variables}
    for file in DEPLOY.iterdir():
        used = set(re.findall(r"PROJRUN_SERVER_\w+", file.read_text(encoding="utf-8")))
        assert used <= known, file.name


def test_the_cluster_finds_the_pods_and_their_port() -> None:
    found = {each["kind"]: each for each in documents("kubernetes.yaml")}
    pod = found["Deployment"]["spec"]["template"]
    labels, container = pod["metadata"]["labels"], pod["spec"]["containers"][0]
    assert (
        found["Deployment"]["spec"]["selector"]["matchLabels"]
        == labels
        == found["Service"]["spec"]["selector"]
    )
    names = {port["name"] for port in container["ports"]}
    assert found["Service"]["spec"]["ports"][0]["targetPort"] in names
    assert {container[probe]["httpGet"]["port"] for probe in ("readinessProbe", "livenessProbe")} <= names
    volumes = pod["spec"]["volumes"]
    claims = [each["persistentVolumeClaim"] for each in volumes if "persistentVolumeClaim" in each]
    claimed = {claim["claimName"] for claim in claims}
    assert claimed == {found["PersistentVolumeClaim"]["metadata"]["name"]}
    assert {each["name"] for each in container["volumeMounts"]} == {
        each["name"] for each in pod["spec"]["volumes"]
    }


@pytest.mark.processes
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "projrun-server.service"
    installed = text("projrun-server.service").replace("/opt/projrun/bin/projrun", sys.executable)
    unit.write_text(installed, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    said = [line for line in done.stderr.splitlines() if "projrun-server" in line]
    assert (done.returncode, said) == (0, [])
