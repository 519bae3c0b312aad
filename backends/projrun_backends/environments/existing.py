"""`--env PATH`: commands run in an existing virtual environment or conda prefix."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from projrun.environments.protocol import (
    ANY_KIND,
    Capabilities,
    EnvironmentRequest,
    GivenOptions,
    PreparedEnvironment,
    Progress,
    ResolvedEnvironment,
)
from projrun.errors import RequestError
from projrun_backends.environments.conda import lock as conda_lock
from projrun_backends.environments.conda.activation import (
    ISOLATED,
    activation_path,
    activation_variables,
    starter,
)
from projrun_backends.environments.executables import program
from projrun_backends.environments.options import ExistingOptions
from projrun_backends.environments.python.installed import installed_packages, python_version
from projrun_backends.environments.python.locks import lock_text
from projrun_backends.environments.python.python_environments import LOCK, UNSET

_WORDS = {"virtualenv": "virtual environment", "conda": "conda environment", "local": "environment"}


class ExistingEnvironment:
    """Builds and changes nothing, so it accepts every project; what the project needs must be installed."""

    name = "existing"
    capabilities = Capabilities(kinds=ANY_KIND, builds=False, cached=False)

    def available(self, environ: Mapping[str, str]) -> bool:
        """Always."""
        return True

    def read_options(self, given: GivenOptions) -> ExistingOptions:
        """See `ExistingOptions`."""
        return ExistingOptions.read(given)

    def resolve(self, request: EnvironmentRequest) -> ResolvedEnvironment:
        """RequestError if the folder is not an environment."""
        prefix = request.options_as(ExistingOptions).env
        if prefix is None:
            raise RequestError(
                "--env-manager=existing needs an environment", hint="name its folder: --env PATH"
            )
        python, kind = _python(prefix), _kind(prefix)
        version = python_version(prefix)
        return ResolvedEnvironment(
            manager=self.name,
            summary=f"{_WORDS[kind]}{f', Python {version}' if version else ''}",
            path=prefix,
            python=python,
            recorded_kind=kind,
        )

    def prepare(
        self, request: EnvironmentRequest, resolved: ResolvedEnvironment, *, rebuild: bool, progress: Progress
    ) -> PreparedEnvironment:
        """What activating it would set, and what is installed in it now."""
        prefix = resolved.path
        if prefix is None:
            raise TypeError("the environment was resolved by another manager")
        variables, unset = _variables(prefix, resolved.recorded_kind)
        lock, name = _lock(prefix, resolved.recorded_kind, request.project_directory)
        is_conda = resolved.recorded_kind == "conda"
        return PreparedEnvironment(
            environ=variables,
            unset=unset,
            path_prefix=activation_path(prefix) if is_conda else (prefix / "bin",),
            argv_prefix=starter(prefix) if is_conda else (),
            lock=lock,
            lock_name=name,
        )


def _python(prefix: Path) -> Path:
    found = program(prefix / "bin", "python")
    if found:
        return found
    try:
        is_folder = prefix.is_dir()
    except OSError as error:  # in a folder that is closed to this user
        raise RequestError(f"--env: {prefix} cannot be read: {error.strerror}") from None
    if not is_folder:
        raise RequestError(f"--env: folder {prefix} not found", hint="create it: python -m venv FOLDER")
    link = prefix / "bin/python"
    if link.is_symlink():
        raise RequestError(
            f"--env: {prefix} is broken: {link} leads to {link.readlink()}, which is gone",
            hint="create it again",
        )
    raise RequestError(
        f"--env: {prefix} is not an environment: it has no bin/python",
        hint="give the folder of a virtual environment or a conda prefix",
    )


def _kind(prefix: Path) -> str:
    if (prefix / "pyvenv.cfg").is_file():
        return "virtualenv"
    return "conda" if (prefix / "conda-meta").is_dir() else "local"


def _variables(prefix: Path, kind: str) -> tuple[dict[str, str], frozenset[str]]:
    if kind != "conda":
        return ({"VIRTUAL_ENV": str(prefix)} if kind == "virtualenv" else {}), UNSET | {"VIRTUAL_ENV"}
    variables, unset = activation_variables(prefix)
    # conda names an environment by its folder if it is in `envs`, else by its path.
    name = prefix.name if prefix.parent.name == "envs" else str(prefix)
    own = {key: value for key, value in variables.items() if key not in ISOLATED}
    return {**own, "CONDA_DEFAULT_ENV": name}, unset


def _lock(prefix: Path, kind: str, project: Path) -> tuple[str, str]:
    """The text, and the name of the artifact."""
    if kind == "conda":
        with suppress(OSError, ValueError, AttributeError):  # records that are damaged
            packages = conda_lock.installed_packages(prefix)
            if all(package.url for package in packages):
                added = installed_packages(prefix, except_by="conda")
                return conda_lock.lock_text(prefix, conda_lock.current_platform(), added), conda_lock.NAME
    frozen = "\n".join(installed_packages(prefix))
    return lock_text(frozen, python_version(prefix), None, project), LOCK
