"""Limits are read from the settings, and refused where nothing can hold them."""

from __future__ import annotations

from pathlib import Path

import pytest

from projrun.environments.protocol import Capabilities
from projrun.errors import RequestError
from projrun.execution.protocol import Limits
from projrun.running.limits import RunLimits, check_held, read_limits
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


def test_zero_is_no_limit() -> None:
    limits = read(timeout="0")
    assert limits.job == Limits()
    assert dict(limits.shown()) == {}


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
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
    limits = RunLimits(Limits(timeout=3, memory=2**30), {})
    assert limits.for_process(wrapped=True) == Limits(timeout=3)
    assert limits.for_process(wrapped=False) == limits.job
    with pytest.raises(RequestError, match="--memory: the environment manager contained cannot hold it"):
        check_held(limits, Contained(), "local")
    assert check_held(limits._replace(job=Limits(timeout=3)), Contained(), "local")
