"""Limits of a run: read from the settings, and refused where nothing can hold them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from projrun.environments.protocol import EnvironmentManager
from projrun.errors import RequestError
from projrun.execution.protocol import Limits
from projrun.execution.registry import get_backend
from projrun.settings import Settings
from projrun.settings.options import LIMITS
from projrun.settings.quantities import duration, duration_text

Value = TypeVar("Value")


class RunLimits(NamedTuple):
    """What the settings say of a run's limits."""

    job: Limits
    given: Mapping[str, str]
    """The settings' texts by option, which `rerun` repeats."""

    @property
    def recorded(self) -> str:
        """As the run's record has them."""
        return json.dumps(self.given)

    def for_process(self, *, wrapped: bool) -> Limits:
        """What the backend holds: of a wrapped command the environment manager holds the resources."""
        return Limits(timeout=self.job.timeout) if wrapped else self.job

    def shown(self) -> Iterator[tuple[str, str]]:
        """Words and values, for people."""
        if self.job.timeout:
            yield "timeout", duration_text(self.job.timeout)


def read_limits(settings: Settings) -> RunLimits:
    """Raises RequestError for a setting with a wrong value."""
    found = {name: setting for name in LIMITS if (setting := settings.get(name))}
    limits = Limits(
        timeout=_read(settings, "timeout", duration, "a duration: 90, 90s, 30m, 2h, 1d") or 0.0,
    )
    return RunLimits(limits, {name: setting.value for name, setting in found.items()})


def _read(settings: Settings, name: str, read: Callable[[str], Value | None], what: str) -> Value | None:
    setting = settings.get(name)
    if setting is None:
        return None
    value = read(setting.value)
    if value is None:
        raise RequestError(
            f"{setting.origin}: {setting.value!r} is not {what.partition(':')[0]}", hint=_example(what)
        )
    return value


def _example(what: str) -> str:
    return f"for example{what.partition(':')[2] or ' 3'}"


def check_held(limits: RunLimits, manager: EnvironmentManager, backend_name: str) -> RunLimits:
    """The limits; RequestError for one that what runs the command does not hold."""
    backend = get_backend(backend_name)
    contained = manager.capabilities.containers
    for name, value in limits.job._asdict().items():
        by_manager = contained and name != "timeout"
        resources = manager.capabilities.resources if by_manager else backend.capabilities.resources
        if value and name not in resources:
            holder = f"environment manager {manager.name}" if by_manager else f"backend {backend.name}"
            raise RequestError(f"--{name}: the {holder} cannot hold it", hint=f"remove --{name}")
    return limits
