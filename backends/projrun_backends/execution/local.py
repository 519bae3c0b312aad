"""The local backend: the command runs on this machine, in the project's folder."""

from __future__ import annotations

from collections.abc import Mapping

from projrun.execution.protocol import Capabilities, Job, JobRef, JobSpec
from projrun.execution.supervision.process import attach_process, submit_process


class LocalBackend:
    """`--backend local`, the default. It has nothing to configure.

    `mlflow run` takes a configuration with its local backend and does nothing with it: what was meant for a
    cluster would run here.
    """

    name = "local"
    capabilities = Capabilities(resources=frozenset({"timeout"}))

    def check(self, config: Mapping[str, object]) -> None:
        """There is nothing to check: the core refuses any configuration."""

    def submit(self, spec: JobSpec, config: Mapping[str, object]) -> JobRef:
        """Start the job's own process, else `bash -c COMMAND`, with Python's output unbuffered."""
        environ = {"PYTHONUNBUFFERED": "1", **spec.environ}
        return submit_process(spec.process, spec._replace(environ=environ))

    def attach(self, ref: JobRef) -> Job:
        """Find the process; in another process than the one that submitted it its exit code stays unknown."""
        return attach_process(ref)
