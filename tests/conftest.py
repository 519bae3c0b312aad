"""For every test: a home folder of its own, no settings of the person's, the real folders untouched."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.commands import projrun_argv, warm_command
from tests.support.examples import examples, leave_constants_out
from tests.support.guard import Guard, restore_environment

# How long an example takes says something of the machine, nothing of the code.
settings.register_profile(
    "busy machine",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=examples(100),
)
settings.load_profile("busy machine")
leave_constants_out()

pytest_plugins = ["tests.support.forks"]

GUARD = pytest.StashKey[Guard]()


def pytest_configure(config: pytest.Config) -> None:
    """Before anything is collected: a module that reads the environment when imported is guarded too."""
    config.stash[GUARD] = Guard()
    # A shell's background job ignores the one and `nohup` the other: what a test starts would hear neither.
    for number, action in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, action)
    if config.getoption("forks") and not _unit_tests_alone(config):
        warm_command()  # one for all of them, which imports while this process collects


def pytest_unconfigure(config: pytest.Config) -> None:
    """Give the process its own environment back."""
    config.stash[GUARD].close()


IMPORTED_LATE = (
    "anyio._backends._asyncio",
    "click",
    "git",
    "projrun.server.app",
    "projrun.http.serving.loop",
    "projrun.server.serving",
    "requests",
    "uvicorn.protocols.http.h11_impl",
    "yaml",
)

INTEGRATION = tuple(Path(__file__).with_name(name) for name in ("integration", "faults"))
INTEGRATION_FOLDERS = ("tests/integration/", "tests/faults/")
SERVED = ("tests/sources/", "tests/running/")
"""Where a fixture `server` or `lfs` is a git server that starts processes for every request."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where the integration tests are left out, every worker is spared the reading of their folder."""
    return True if _unit_tests_alone(config) and collection_path in INTEGRATION else None


def _unit_tests_alone(config: pytest.Config) -> bool:
    marks: str = config.getoption("markexpr")
    return marks == "not integration"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What starts git servers, builds environments or is about processes is integration; `large` only by its name."""
    if "large" not in config.getoption("markexpr"):
        large = [item for item in items if item.get_closest_marker("large")]
        config.hook.pytest_deselected(items=large)
        items[:] = [item for item in items if not item.get_closest_marker("large")]
    for item in items:
        serves = item.nodeid.startswith(SERVED) and not {"server", "lfs"}.isdisjoint(_fixtures(item))
        real = "built" in _fixtures(item) or item.get_closest_marker("processes")
        if serves or real or item.nodeid.startswith(INTEGRATION_FOLDERS):
            item.add_marker(pytest.mark.integration)


def _fixtures(item: pytest.Item) -> list[str]:
    return item.fixturenames if isinstance(item, pytest.Function) else []


def pytest_collection() -> None:
    """Thousands of tests live to the end: the collector need not look at them again and again."""
    gc.disable()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Neither while they are read nor while they run. What is imported late is imported once for all forks."""
    gc.enable()
    if session.config.getoption("forks"):
        for name in IMPORTED_LATE:
            import_module(name)
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _guarded_home(pytestconfig: pytest.Config) -> Iterator[None]:
    guard = pytestconfig.stash[GUARD]
    environ = dict(os.environb)  # bytes, as the system keeps them: decoding all takes longer than most tests
    home = guard.unused_home()
    os.environ.update(HOME=home, USERPROFILE=home, GIT_CONFIG_GLOBAL=f"{home}/.gitconfig")
    yield
    restore_environment(environ)
    touched = guard.touched()
    assert not touched, f"this test wrote to the real folder {touched} (or projrun was used meanwhile)"


@pytest.fixture(scope="session")
def projrun_command() -> list[str]:
    """The argv of the real console script."""
    return projrun_argv()
