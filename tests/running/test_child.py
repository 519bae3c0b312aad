"""The child's environment variables."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from projrun.environments.protocol import PreparedEnvironment
from projrun.running.child import TrackingAddress, child_environment, run_variables


def environment(
    caller: Mapping[str, str],
    prepared: PreparedEnvironment | None = None,
    address: TrackingAddress | None = None,
    extra: Mapping[str, str] | None = None,
) -> dict[str, str]:
    variables = run_variables(
        run_id="r1",
        experiment_id="7",
        address=address or TrackingAddress("http://server"),
        extra=extra or {},
    )
    return child_environment(caller, prepared or PreparedEnvironment({}), variables)


def test_the_run_is_told_by_mlflows_variables() -> None:
    environ = environment({"KEEP": "me"})
    assert environ["MLFLOW_RUN_ID"] == "r1"
    assert environ["MLFLOW_EXPERIMENT_ID"] == "7"
    assert environ["MLFLOW_TRACKING_URI"] == "http://server"
    assert environ["PROJRUN_PARENT_RUN_ID"] == "r1"
    assert environ["KEEP"] == "me"


@pytest.mark.parametrize(
    "name", ["MLFLOW_EXPERIMENT_NAME", "PROJRUN_TRACKING_URI", "PROJRUN_EXPERIMENT_NAME"]
)
def test_what_would_send_a_child_elsewhere_is_not_inherited(name: str) -> None:
    assert name not in environment({name: "elsewhere", "MLFLOW_RUN_ID": "stale"})


def test_output_is_unbuffered_unless_the_caller_says_otherwise() -> None:
    assert environment({})["PYTHONUNBUFFERED"] == "1"
    assert environment({"PYTHONUNBUFFERED": ""})["PYTHONUNBUFFERED"] == ""


def test_a_prepared_environment_goes_over_the_callers() -> None:
    prepared = PreparedEnvironment(
        {"VIRTUAL_ENV": "/env"}, unset=frozenset({"PYTHONHOME"}), path_prefix=(Path("/env/bin"),)
    )
    environ = environment({"PYTHONHOME": "/other", "PATH": "/usr/bin", "VIRTUAL_ENV": "/mine"}, prepared)
    assert environ["VIRTUAL_ENV"] == "/env"
    assert "PYTHONHOME" not in environ
    assert environ["PATH"].split(os.pathsep)[:2] == ["/env/bin", "/usr/bin"]


def test_projrun_is_found_last_on_the_path_and_only_where_it_was_not_there(tmp_path: Path) -> None:
    own = str(Path(sys.executable).parent)
    assert environment({"PATH": "/usr/bin"})["PATH"].split(os.pathsep)[-1] == own
    (tmp_path / "projrun").touch(mode=0o755)
    assert environment({"PATH": str(tmp_path)})["PATH"] == str(tmp_path)


def test_an_endpoint_is_reached_without_a_proxy_and_prints_no_dead_links() -> None:
    address = TrackingAddress("http://127.0.0.1:1/secret", "sqlite:////data/projrun.db")
    environ = environment({"NO_PROXY": "example.org", "no_proxy": "127.0.0.1"}, address=address)
    assert environ["NO_PROXY"] == "example.org,127.0.0.1"
    assert environ["no_proxy"] == "127.0.0.1"
    assert environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] == "true"


def test_a_stale_endpoint_is_not_named_to_a_child_of_a_real_server() -> None:
    assert "PROJRUN_ENDPOINT_STORE" not in environment({"PROJRUN_ENDPOINT_STORE": "sqlite:////x"})


def test_secrets_are_exported() -> None:
    assert environment({}, extra={"PROJRUN_PARAM_KEY": "v"})["PROJRUN_PARAM_KEY"] == "v"
