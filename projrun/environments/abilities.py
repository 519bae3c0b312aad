"""What an environment manager may be able to do beyond its contract."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from projrun.environments.protocol import EnvironmentRequest, GivenOptions, Refusal
from projrun.project.model import EnvironmentReference


@runtime_checkable
class TakesOptions(Protocol):
    """A manager with options of its own."""

    def read_options(self, given: GivenOptions) -> object:
        """Its record, a NamedTuple; RequestError for an option with a wrong value.

        A field for an option of projrun has the option's name, with underscores: the manager takes that option.
        Two properties of the record are optional: `exported`, a mapping of variables that are set in the request's
        `environ` and for nested runs; and `unrecorded`, two strings for `rerun`: what a run's record does not
        hold, and a hint.
        """
        ...


class UsesTool(Protocol):
    """A manager that works through a program of the machine."""

    def tool(self, environ: Mapping[str, str]) -> Path | None:
        """Where the program is, None where it is not installed."""
        ...


@runtime_checkable
class NeedsInstallation(Protocol):
    """A manager that may be unavailable, and says what to do then."""

    needs: str
    """What is missing where it is not available, for "… needs uv, which is not installed"."""
    installation: str
    """How to install that, as a hint: `pip install uv`."""


class MayRefuse(Protocol):
    """A manager that does not build every environment of the kinds it serves."""

    def refusal(self, reference: EnvironmentReference) -> Refusal | None:
        """Why it cannot build this one; None where it can. RequestError for a file that is wrong."""
        ...


class MayBeUnreachable(Protocol):
    """A manager that installs from places that may not answer."""

    def unreachable(self, request: EnvironmentRequest) -> str | None:
        """Why it cannot build now, as half a sentence; None where it can, or has built before.

        It may take seconds: it is asked only where another manager can build a substitute.
        """
        ...
