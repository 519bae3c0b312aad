"""`mlflow.run`, `mlflow.projects.run` and `from mlflow.projects import run`, redirected when MLflow is imported."""

import functools
import inspect
import os
import sys
from types import ModuleType

TYPE_CHECKING = False  # as in `typing`, which takes longer to import than all of this
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MODULE = "mlflow.projects"
_LOCAL_BACKENDS = (None, "local", "projrun")


def install() -> None:
    """Redirect in `mlflow.projects`, which is imported already, half imported, or about to be."""
    module = sys.modules.get(_MODULE)
    if module is not None:
        redirect_in(module)
    elif not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder:
    """Finds `mlflow.projects` once, as the finders after it do, to redirect in it when it has been executed."""

    def find_spec(self, name: str, path: "Any" = None, target: "Any" = None) -> "Any":
        if name != _MODULE:
            return None
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        for finder in list(sys.meta_path):
            find_spec = getattr(finder, "find_spec", None)
            spec = find_spec(name, path, target) if find_spec else None
            if spec is not None:
                _redirect_after(spec.loader)
                return spec
        return None


def _redirect_after(loader: "Any") -> None:
    try:
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            redirect_in(module)

        loader.exec_module = exec_module
    except AttributeError:  # a loader of another kind: `mlflow.run` stays MLflow's
        return


def redirect_in(module: ModuleType) -> None:
    """Redirect the module's `run`, also where it is still to be defined (MLflow 1.30 imports in that order)."""
    original = module.__dict__.get("run")
    if original is not None:
        if not hasattr(original, "__wrapped_by_projrun__"):
            module.__dict__["run"] = redirected(original)
        return

    plain = type(module)

    class Projects(plain):  # type: ignore[misc, valid-type]  # the type of modules, or a subclass of it
        """The module while it is executed: what asks it for `run` gets the redirected one."""

        @property
        def run(self) -> "Any":
            if "run" not in self.__dict__:
                raise AttributeError("run")
            self.__class__ = plain  # type: ignore[assignment]  # as it was
            redirect_in(self)
            return self.__dict__["run"]

        @run.setter
        def run(self, value: "Any") -> None:
            self.__dict__["run"] = value

    module.__class__ = Projects


def redirected(original: "Callable[..., Any]") -> "Callable[..., Any]":
    """MLflow's `run`, which calls projrun where that can do the same."""

    @functools.wraps(original)
    def run(*args: "Any", **kwargs: "Any") -> "Any":
        # Whatever this version of MLflow takes; what it does not take is the same TypeError.
        call = inspect.signature(original).bind(*args, **kwargs).arguments
        caller = sys._getframe(1).f_globals.get("__name__")
        if caller == "mlflow.cli" or not _is_ours(call):
            return original(*args, **kwargs)
        from .driver import run_call

        return run_call(call)

    run.__wrapped_by_projrun__ = True  # type: ignore[attr-defined]
    return run


def _is_ours(call: "Any") -> bool:
    if os.environ.get("PROJRUN_MLFLOW_RUN", "on").lower() in ("off", "0", "false", "no"):
        return False
    if call.get("backend") not in _LOCAL_BACKENDS or not os.path.exists(os.environ.get("PROJRUN_RUNNER", "")):
        return False
    import logging

    from mlflow.tracking import get_tracking_uri

    uri = get_tracking_uri()
    if uri.startswith(("http://", "https://")):
        return True
    # Without the address, which may hold a password.
    scheme = uri.partition(":")[0]
    logging.getLogger(_MODULE).warning(
        "MLflow's own runner is used: projrun records on http(s) servers, not in %s stores", scheme
    )
    return False
