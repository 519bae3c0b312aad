"""Execution backends by name: the built-in ones, and those that other packages register."""

from __future__ import annotations

from collections.abc import Mapping

from projrun.execution.protocol import ExecutionBackend
from projrun.plugins import built_ins, create_plugin
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.foreign import Results

GROUP = "projrun.backends"


def get_backend(name: str) -> ExecutionBackend:
    """The backend that `--backend NAME` means; RequestError for an unknown name, PluginError for a faulty one."""
    backend: ExecutionBackend = create_plugin(
        "backend", name, built_ins().BACKENDS, GROUP, ExecutionBackend, _results_of_others
    )
    return backend


def _results_of_others() -> Results:
    from projrun.execution.foreign import backend_results

    return backend_results()


def check_config(backend: ExecutionBackend, config: Mapping[str, object]) -> str:
    """Refuse a `--backend-config` that is wrong, with RequestError.

    What to say of one that the backend does not take: it has no effect, as in MLflow. Else "".
    """
    if config and not backend.capabilities.accepts_config:
        keys = ", ".join(sorted(map(str, config)))
        return f"--backend-config has no effect: the {backend.name} backend takes no configuration (given: {keys})"
    backend.check(config)
    return ""
