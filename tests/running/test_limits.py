"""Limits are read from the settings, and refused where nothing can hold them."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from projrun.environments.protocol import Capabilities
from projrun.errors import RequestError
from projrun.execution.protocol import Limits, Outcome
from projrun.execution.supervision.ending import ended, timed_out
from projrun.running.limits import Retry, RunLimits, check_held, read_limits
from projrun.settings import Settings
from projrun_backends.environments.local import LocalEnvironment


def read(**options: str) -> RunLimits:
    named = {name.replace("_", "-"): value for name, value in options.items()}
    return read_limits(Settings(named, {}, Path("/no/such/file")))


def test_the_given_texts_are_kept_for_the_record() -> None:
    limits = read(timeout="1.5h")
    assert limits.job == Limits(timeout=5400.0)
    assert limits.recorded == '{"timeout": "1.5h"}'
    assert dict(limits.shown()) == {"timeout": "90 m"}


def test_how_limits_are_held_is_shown() -> None:
    limits = read(memory="4G", cpus="2.5")._replace(held={"memory": "of each process"})
    assert dict(limits.shown()) == {"memory": "4 GiB (of each process)", "cpus": "2.5"}
    if sys.platform == "linux":  # elsewhere nothing holds them
        assert check_held(limits, LocalEnvironment(), "local", {}).held.keys() == {"memory", "cpus"}


def test_zero_is_no_limit() -> None:
    limits = read(timeout="0")
    assert limits.job == Limits()
    assert dict(limits.shown()) == {}


def test_retries_are_read_and_shown() -> None:
    limits = read(retries="3", retry_delay="90", retry_on="137, 1,oom")
    assert limits.retry == Retry(3, 90.0, frozenset({1, 137}), frozenset({"oom"}))
    assert dict(limits.shown()) == {"retries": "3, 90 s apart, after 1, 137, oom"}
    assert read(retries="0", retry_delay="1").retry is None


@pytest.mark.parametrize("name", ["retry-on", "retry-delay"])
def test_how_to_retry_asks_for_retries(name: str) -> None:
    with pytest.raises(RequestError, match=f"--{name}: nothing is retried without --retries"):
        read(**{name: "1"})
    # A variable is for the runs that have retries.
    variable = {f"PROJRUN_{name.upper().replace('-', '_')}": "1"}
    assert read_limits(Settings({}, variable, Path("/no/such/file"))).retry is None


@pytest.mark.parametrize(
    ("retry", "outcome", "again"),
    [
        (Retry(1), ended(3, []), True),
        (Retry(1), ended(0, []), False),
        (Retry(1), ended(3, [signal.SIGINT]), False),
        (Retry(1, codes=frozenset({1})), ended(3, []), False),
        (Retry(1, codes=frozenset({1, 3})), ended(3, []), True),
        (Retry(1, causes=frozenset({"signal"})), ended(137, []), False),
        (Retry(1, causes=frozenset({"signal"})), ended(-9, []), True),
        (Retry(1, causes=frozenset({"timeout"})), timed_out(5), True),
        (Retry(1, causes=frozenset({"signal", "oom"})), timed_out(5), False),
        (Retry(1, codes=frozenset({124})), timed_out(5), True),
    ],
)
def test_what_is_retried(retry: Retry, outcome: Outcome, again: bool) -> None:
    assert retry.after(outcome) == again


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("memory", "4X", "--memory: '4X' is not a size"),
        ("memory", "300", "--memory: 300 B is too little for any program; the least is 6 MiB"),
        ("cpus", "many", "--cpus: 'many' is not a number of processors"),
        ("gpus", "all", "--gpus: 'all' is not a number from 0 to 256"),
        ("retries", "-1", "--retries: '-1' is not a number from 0 to 1000"),
        ("retries", "1001", "is not a number from 0 to 1000"),
        ("retry-delay", "x", "--retry-delay: 'x' is not a duration"),
        ("retry-on", "1,0", "--retry-on: '0' is neither an exit code nor one of oom, signal, timeout"),
        ("retry-on", "256", "'256' is neither an exit code"),
        ("retry-on", "1,,2", "'' is neither an exit code"),
        ("timeout", "soon", "--timeout: 'soon' is not a duration"),
        ("timeout", "-1", "--timeout: '-1' is not a duration"),
        ("timeout", "9" * 5000, "is not a duration"),
    ],
)
def test_what_cannot_be_read_is_named(option: str, value: str, message: str) -> None:
    with pytest.raises(RequestError) as raised:
        read(**{option: value})
    assert message in raised.value.message
    assert raised.value.hint.startswith("for example ")


class Contained(LocalEnvironment):
    """A manager whose commands run in containers that hold nothing."""

    name = "contained"
    capabilities = Capabilities(frozenset({"*"}), containers=True)


def test_a_container_leaves_the_time_to_the_backend_and_the_rest_to_its_manager() -> None:
    limits = RunLimits(Limits(timeout=3, memory=2**30), None, None, {})
    assert limits.for_process(wrapped=True) == Limits(timeout=3)
    assert limits.for_process(wrapped=False) == limits.job
    with pytest.raises(RequestError, match="--memory: the environment manager contained cannot hold it"):
        check_held(limits, Contained(), "local", {})
    assert check_held(limits._replace(job=Limits(timeout=3)), Contained(), "local", {})
