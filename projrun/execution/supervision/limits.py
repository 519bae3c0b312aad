"""Memory and processors of a command on this machine, held by what the machine has.

A cgroup holds them for all processes together: `systemd-run --scope` makes one, as root or in the user's own part.
Without: setrlimit(2) for the address space of each process, and the affinity to some of the processors.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from projrun.errors import RequestError
from projrun.execution.protocol import JobSpec, Limits, Outcome
from projrun.settings.quantities import memory_text

_ROOT = Path("/sys/fs/cgroup")
_PATIENCE = 10.0
"""Seconds that a system may take to try."""

_PROBE = Limits(memory=2**30, cpus=1.0)
# What a scope was really given: a manager without a controller takes its property and does nothing.
_LOOK = 'read -r group </proc/self/cgroup; cd "$1${group#0::}" && grep . memory.max cpu.max'
_HELD = {"memory": f"memory.max:{_PROBE.memory}", "cpus": "cpu.max:100000 100000"}

# The scope is gone with its last process, so its counters are read by one that stays. It leaves signals to the command.
_COUNTED = """\
trap : HUP INT QUIT TERM USR1 USR2
root=$1
events=$2
shift 2
"$@"
code=$?
read -r group </proc/self/cgroup
cat "$root${group#0::}/memory.events" >"$events"
exit $code
"""
_BOUNDED = 'ulimit -v "$1" && shift && exec "$@"'


def how_held(limits: Limits) -> dict[str, str]:
    """For memory and processors, where they are limited: how this machine holds that, for people.

    Raises RequestError where it cannot.
    """
    held = {}
    in_scope = scope_holds()
    if limits.memory:
        held["memory"] = "of all processes together" if "memory" in in_scope else _of_each_process(limits)
    if limits.cpus:
        held["cpus"] = "of all processes together" if "cpus" in in_scope else _by_affinity(limits)
    return held


def _of_each_process(limits: Limits) -> str:
    if not _succeeds([*_rlimit_words(limits.memory), "true"]):
        raise RequestError(
            "--memory: this system cannot hold it: it has no cgroup for it and no limit of address space",
            hint="remove --memory, or run in a container",
        )
    return "of each process: there is no cgroup for it here"


def _by_affinity(limits: Limits) -> str:
    if limits.cpus < 1 or not hasattr(os, "sched_setaffinity"):
        raise RequestError(
            f"--cpus: this system cannot hold {limits.cpus:g}: it has no cgroup for it",
            hint="give a whole number on Linux, or run in a container",
        )
    number = min(int(limits.cpus), len(os.sched_getaffinity(0)))
    return f"as {number} of this machine's processors: there is no cgroup for it here"


def bounded(spec: JobSpec) -> JobSpec:
    """The job whose process is held to its limits, but for affinity; how it ended says where memory was short."""
    limits, in_scope = spec.limits, scope_holds()
    argv = spec.process
    wanted = Limits(
        memory=limits.memory if "memory" in in_scope else 0, cpus=limits.cpus if "cpus" in in_scope else 0
    )
    if limits.memory and not wanted.memory:
        argv = (*_rlimit_words(limits.memory), *argv)
    if wanted.memory:
        events = spec.log_file.with_name("memory.events")
        events.unlink(missing_ok=True)
        argv = ("/bin/sh", "-c", _COUNTED, "sh", str(_ROOT), str(events), *argv)
        spec = spec._replace(
            end_function=f"{conclude.__module__}:{conclude.__name__}",
            end_details={"events": str(events), "memory": str(limits.memory)},
        )
    return spec._replace(argv=(*scope_words(wanted), *argv) if any(wanted) else argv)


def conclude(outcome: Outcome, details: Mapping[str, str], environ: Mapping[str, str]) -> Outcome:
    """The outcome, with its cause where the system ended a process of the scope for lack of memory."""
    try:
        lines = Path(details["events"]).read_text(encoding="ascii").splitlines()
    except OSError:
        return outcome
    killed = any(line.startswith("oom_kill ") and line != "oom_kill 0" for line in lines)
    if not killed or outcome.status != "FAILED" or outcome.cause == "timeout":
        return outcome
    limit = memory_text(int(details["memory"]))
    reason = f"out of memory: the command reached its limit of {limit} (exit code {outcome.exit_code})"
    return outcome._replace(reason=reason, cause="oom")


@contextmanager
def pinned(limits: Limits) -> Iterator[None]:
    """What this thread starts in the `with` block runs on as many processors, where no cgroup holds their time."""
    if not limits.cpus or "cpus" in scope_holds():
        yield
        return
    allowed = os.sched_getaffinity(0)
    # At random: runs side by side would all take the first ones.
    chosen = sorted(allowed, key=lambda number: os.urandom(8))[: int(limits.cpus)]
    os.sched_setaffinity(0, chosen)
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def scope_words(limits: Limits) -> tuple[str, ...]:
    """The words that start a process in a scope with these limits."""
    properties = []
    if limits.memory:
        properties += [f"MemoryMax={limits.memory}", "MemorySwapMax=0"]
    if limits.cpus:
        properties.append(f"CPUQuota={max(1, round(limits.cpus * 100))}%")
    return (
        shutil.which("systemd-run") or "systemd-run",
        *(() if os.geteuid() == 0 else ("--user",)),
        *("--scope", "--quiet", "--collect"),
        *(f"--property={one}" for one in properties),
        "--",
    )


@cache
def scope_holds() -> frozenset[str]:
    """Which limits a scope holds here; tried, since a systemd that is installed need not run."""
    if shutil.which("systemd-run") is None:
        return frozenset()
    try:
        said = _output([*scope_words(_PROBE), "/bin/sh", "-c", _LOOK, "sh", str(_ROOT)]).splitlines()
    except (OSError, subprocess.SubprocessError):
        return frozenset()
    return frozenset(name for name, line in _HELD.items() if line in said)


def _rlimit_words(memory: int) -> tuple[str, ...]:
    return ("/bin/sh", "-c", _BOUNDED, "sh", str(max(1, memory // 1024)))


def _output(argv: Sequence[str]) -> str:
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    return done.stdout


def _succeeds(argv: Sequence[str]) -> bool:
    try:
        return subprocess.run(argv, capture_output=True, timeout=_PATIENCE, check=False).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False
