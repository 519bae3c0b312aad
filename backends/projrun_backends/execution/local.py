"""The local backend: the command runs on this machine, in the project's folder."""

from __future__ import annotations

from collections.abc import Mapping

from projrun.errors import RequestError
from projrun.execution.protocol import Capabilities, Job, Task
from projrun.execution.supervision.process import ProcessJob


class LocalBackend:
    """`--backend local`, the default. It has nothing to configure."""

    name = "local"
    capabilities = Capabilities()

    def check(self, config: Mapping[str, object]) -> None:
        """Refuse any configuration with RequestError.

        `mlflow run` takes one with its local backend and does nothing with it: what was meant for a
        cluster would run here.
        """
        if config:
            keys = ", ".join(sorted(map(str, config)))
            raise RequestError(
                f"the local backend takes no configuration; --backend-config has: {keys}",
                hint="remove --backend-config, or select its backend with --backend",
            )

    def launch(self, task: Task, config: Mapping[str, object]) -> Job:
        """Start the task's own process, else `bash -c COMMAND` with Python's output unbuffered."""
        environ = {"PYTHONUNBUFFERED": "1", **task.environ}
        argv = task.argv or (*task.argv_prefix, "bash", "-c", task.command)
        return ProcessJob(argv, task._replace(environ=environ))
