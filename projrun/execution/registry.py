"""Execution backends by name: the built-in ones, and those that other packages register."""

from __future__ import annotations

from projrun.execution.protocol import Backend
from projrun.plugins import load_plugin

BUILT_INS = {"local": "projrun_backends.execution.local:LocalBackend"}
GROUP = "projrun.backends"


def get_backend(name: str) -> Backend:
    """The backend that `--backend NAME` means; RequestError for an unknown name."""
    backend: Backend = load_plugin("backend", name, BUILT_INS, GROUP)()
    return backend
