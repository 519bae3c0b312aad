"""Limits and retries of a run: read from the settings, and refused where nothing can hold them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeVar, cast

from projrun.environments.protocol import EnvironmentManager
from projrun.errors import RequestError
from projrun.execution.abilities import HoldsLimits
from projrun.execution.protocol import Limits, Outcome
from projrun.execution.registry import get_backend
from projrun.settings import Setting, Settings
from projrun.settings.options import LIMITS
from projrun.settings.quantities import count, duration, duration_text, memory, memory_text, processors

Value = TypeVar("Value")


_MOST_RETRIES = 1000
_MOST_GPUS = 256
_LEAST_MEMORY = 6 * 2**20
"""Bytes: Docker's own least; nothing starts in much less."""
_RETRIES = f"a number from 0 to {_MOST_RETRIES}: 3"
_CAUSES = ("oom", "signal", "timeout")


class Retry(NamedTuple):
    """When a command that failed is started again."""

    times: int
    """How often at most."""
    delay: float = 0.0
    """Seconds before each."""
    codes: frozenset[int] = frozenset()
    """After these exit codes; empty, as `causes`, for every failure."""
    causes: frozenset[str] = frozenset()
    """After these causes: `oom`, `signal`, `timeout`."""

    def after(self, outcome: Outcome) -> bool:
        """Whether a command that ended so may run again."""
        if outcome.status != "FAILED":
            return False
        cause = outcome.cause if outcome.cause in ("", "oom", "timeout") else "signal"
        everything = not self.codes and not self.causes
        return everything or outcome.exit_code in self.codes or cause in self.causes


class RunLimits(NamedTuple):
    """What the settings say of a run's limits and retries."""

    job: Limits
    retry: Retry | None
    gpus: int | None
    """None: all are shown to the command; 0: none."""
    given: Mapping[str, str]
    """The settings' texts by option, which `rerun` repeats."""
    held: Mapping[str, str] = {}
    """How the limits are held, by their names, where that is not all there is to say."""

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
        if self.job.memory:
            yield "memory", self._with_how("memory", memory_text(self.job.memory))
        if self.job.cpus:
            yield "cpus", self._with_how("cpus", f"{self.job.cpus:g}")
        if self.gpus is not None:
            yield "gpus", str(self.gpus)
        if self.retry:
            delay = f", {duration_text(self.retry.delay)} apart" if self.retry.delay else ""
            causes = ", ".join([*map(str, sorted(self.retry.codes)), *sorted(self.retry.causes)])
            yield "retries", f"{self.retry.times}{delay}{causes and f', after {causes}'}"

    def _with_how(self, name: str, text: str) -> str:
        return f"{text} ({self.held[name]})" if name in self.held else text


def read_limits(settings: Settings) -> RunLimits:
    """Raises RequestError for a setting with a wrong value."""
    found = {name: setting for name in LIMITS if (setting := settings.get(name))}
    limits = Limits(
        timeout=_read(settings, "timeout", duration, "a duration: 90, 90s, 30m, 2h, 1d") or 0.0,
    )
    limits = limits._replace(
        memory=_memory(settings),
        cpus=_read(settings, "cpus", processors, "a number of processors: 2, 0.5") or 0.0,
    )
    retries = _read(settings, "retries", lambda text: count(text, _MOST_RETRIES), _RETRIES)
    delay = _read(settings, "retry-delay", duration, "a duration: 10, 90s, 5m") or 0.0
    codes, causes = _retry_on(settings)
    _check_retried(found)
    retry = Retry(retries, delay, codes, causes) if retries else None
    gpus = _read(
        settings, "gpus", lambda text: count(text, _MOST_GPUS), f"a number from 0 to {_MOST_GPUS}: 1"
    )
    return RunLimits(limits, retry, gpus, {name: setting.value for name, setting in found.items()})


def _memory(settings: Settings) -> int:
    size = _read(settings, "memory", memory, "a size: 512m, 4G, 1.5GiB") or 0
    if 0 < size < _LEAST_MEMORY:
        raise RequestError(
            f"{settings.text('memory', '').origin}: {memory_text(size)} is too little for any program; "
            f"the least is {memory_text(_LEAST_MEMORY)}",
            hint="for example 512m, 4G; a number without a unit is in bytes",
        )
    return size


def _check_retried(found: Mapping[str, Setting]) -> None:
    """Whoever asks for `--retry-on` wants retries; in a variable or `config.toml` it is for the runs that have them."""
    for name in ("retry-delay", "retry-on"):
        if name in found and found[name].origin == f"--{name}" and "retries" not in found:
            raise RequestError(f"--{name}: nothing is retried without --retries", hint="add --retries 3")


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
    return f"for example{what.partition(':')[2]}"


def _retry_on(settings: Settings) -> tuple[frozenset[int], frozenset[str]]:
    setting = settings.get("retry-on")
    words = [word.strip() for word in setting.value.split(",")] if setting else []
    codes = {word: count(word, 255) for word in words}
    for word, code in codes.items():
        if setting and word not in _CAUSES and not code:  # 0 is no failure
            raise RequestError(
                f"{setting.origin}: {word!r} is neither an exit code nor one of {', '.join(_CAUSES)}",
                hint="for example 1,137,oom",
            )
    return frozenset(filter(None, codes.values())), frozenset(words) & frozenset(_CAUSES)


def check_held(
    limits: RunLimits, manager: EnvironmentManager, backend_name: str, environ: Mapping[str, str]
) -> RunLimits:
    """The limits; RequestError for one that what runs the command does not hold."""
    backend = get_backend(backend_name)
    contained = manager.capabilities.containers
    asked = {**limits.job._asdict(), "gpus": limits.gpus is not None}
    for name, value in asked.items():
        by_manager = contained and name != "timeout"
        resources = manager.capabilities.resources if by_manager else backend.capabilities.resources
        if value and name not in resources:
            holder = f"environment manager {manager.name}" if by_manager else f"backend {backend.name}"
            raise RequestError(f"--{name}: the {holder} cannot hold it", hint=f"remove --{name}")
    if limits.gpus is not None:
        from projrun.running.gpu_choice import check_gpus

        check_gpus(limits.gpus, environ)
    by_backend = limits.for_process(wrapped=contained)
    if not (by_backend.memory or by_backend.cpus) or not hasattr(backend, "how_held"):
        return limits
    return limits._replace(held=cast("HoldsLimits", backend).how_held(by_backend))
