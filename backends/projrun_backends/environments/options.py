"""The options that only one manager takes, each manager's in a record: it is read without importing the manager."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from projrun.credentials import HiddenMapping
from projrun.environments.protocol import GivenOptions
from projrun.errors import RequestError
from projrun.tuples import NamedTuple

CONDA_VARIABLE = "PROJRUN_CONDA_EXE"
EXACT_VARIABLE = "PROJRUN_EXACT_PYTHON"

_AUTOMATIC = frozenset({"automatic", "auto", "true"})
_NEVER = frozenset({"never", "manual", "false"})


class ExistingOptions(NamedTuple):
    """`--env PATH`: which environment."""

    env: Path | None = None

    @classmethod
    def read(cls, given: GivenOptions) -> ExistingOptions:
        """From a path that may be relative to the caller's folder, or in a home folder."""
        setting = given.settings.get("env")
        return cls(given.absolute(setting.value) if setting else None)

    @property
    def exported(self) -> Mapping[str, str]:
        """The choice of nested runs, too."""
        return {"PROJRUN_ENV": str(self.env)} if self.env else {}


class PythonOptions(NamedTuple):
    """`--exact-python`: whether another patch of the same minor version is refused."""

    exact_python: str = ""
    """The setting that refuses it, `--exact-python` or `exact-python in FILE`; empty where none does."""

    @classmethod
    def read(cls, given: GivenOptions) -> PythonOptions:
        """From a flag; RequestError for a setting that is none."""
        return cls(_exact_by(given))

    @property
    def exported(self) -> Mapping[str, str]:
        """The choice of nested runs, too."""
        return {EXACT_VARIABLE: "1"} if self.exact_python else {}


class UvOptions(NamedTuple):
    """What `PythonOptions` has, and `--python-downloads`: whether a Python may be downloaded."""

    python_downloads: str = ""
    """The setting that allows it; empty where none does."""
    exact_python: str = ""

    @classmethod
    def read(cls, given: GivenOptions) -> UvOptions:
        """From uv's words for it; RequestError for any other."""
        setting = given.settings.text("python-downloads", "never")
        word = setting.value.lower()
        if word in _AUTOMATIC or word in _NEVER:
            by = _set_by("python-downloads", setting.origin) if word in _AUTOMATIC else ""
            return cls(by, _exact_by(given))
        raise RequestError(
            f"{setting.origin}: {setting.value!r} is neither automatic nor never", hint="give one of them"
        )


def _exact_by(given: GivenOptions) -> str:
    setting = given.settings.text("exact-python", "0")
    return _set_by("exact-python", setting.origin) if given.settings.is_true(setting) else ""


def _set_by(name: str, origin: str) -> str:
    """What to remove so that a setting does not count."""
    return origin if origin.startswith(("-", "$")) else f"{name} in {origin}"


class CondaOptions(NamedTuple):
    """`--conda-exe`: the program of conda's family."""

    conda_exe: str = ""

    @classmethod
    def read(cls, given: GivenOptions) -> CondaOptions:
        """From a name on PATH, or a path that may be relative to the caller's folder."""
        word = given.settings.text("conda-exe", "").value
        is_path = os.sep in word or word.startswith("~")
        return cls(str(given.absolute(word)) if is_path else word)

    @property
    def exported(self) -> Mapping[str, str]:
        """Where the manager looks for it, also before it is chosen, and nested runs."""
        return {CONDA_VARIABLE: self.conda_exe} if self.conda_exe else {}


class ContainerOptions(NamedTuple):
    """How to make the container and its image."""

    docker_args: tuple[str, ...] = ()
    """`-A` as given, `name=value` or `flag`, in order, repeated ones too."""
    build_image: bool = False
    pass_credentials: bool = False
    registry_login: Mapping[str, str] = {}
    """The API's `docker_auth`: never shown."""

    @classmethod
    def read(cls, given: GivenOptions) -> ContainerOptions:
        """From the request alone: none of them is a setting."""
        arguments = given.requested.get("docker-args", ())
        login = given.requested.get("registry-login", {})
        return cls(
            tuple(arguments) if isinstance(arguments, (tuple, list)) else (str(arguments),),
            given.has("build-image"),
            given.has("pass-credentials"),
            HiddenMapping(login) if isinstance(login, Mapping) else {},
        )

    @property
    def idle(self) -> str:
        """The warning where another manager is chosen."""
        return "Docker arguments, image building and credentials have no effect: this is not a Docker project"

    @property
    def unrecorded(self) -> tuple[str, str]:
        """What a repeated run does not know."""
        return "Docker arguments", "never recorded: give them again with -A if needed"
