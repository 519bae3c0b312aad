"""The local backend: the command runs on this machine, in the project's folder."""

from __future__ import annotations

from collections.abc import Mapping

from projrun.execution.protocol import Capabilities, Job, JobRef, JobSpec, Limits
from projrun.execution.supervision.process import attach_process, submit_process


class LocalBackend:
    """`--backend local`, the default. It has nothing to configure.

    `mlflow run` takes a configuration with its local backend and does nothing with it: what was meant for a
    cluster would run here.
    """

    name = "local"
    capabilities = Capabilities(resources=frozenset({"timeout", "memory", "cpus", "gpus"}))

    def check(self, config: Mapping[str, object]) -> None:
        """There is nothing to check: the core refuses any configuration."""

    def submit(self, spec: JobSpec, config: Mapping[str, object]) -> JobRef:
        """Start the job's own process, else `bash -c COMMAND`, with Python's output unbuffered."""
        spec = spec._replace(environ={"PYTHONUNBUFFERED": "1", **spec.environ})
        if not (spec.limits.memory or spec.limits.cpus):
            return submit_process(spec.process, spec)
        from projrun.execution.supervision.limits import bounded, pinned

        spec = bounded(spec)
        with pinned(spec.limits):
            return submit_process(spec.process, spec)

    def how_held(self, limits: Limits) -> Mapping[str, str]:
        """By a cgroup, else by what each process inherits; RequestError where neither can."""
        from projrun.execution.supervision.limits import how_held

        return how_held(limits)

    def attach(self, ref: JobRef) -> Job:
        """Find the process; in another process than the one that submitted it its exit code stays unknown."""
        return attach_process(ref)
