"""`--env-manager=virtualenv`: environments created by virtualenv and filled by pip."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from projrun.environments.protocol import (
    Capabilities,
    EnvironmentRequest,
    GivenOptions,
    PreparedEnvironment,
    Progress,
    Refusal,
    ResolvedEnvironment,
)
from projrun.project.model import EnvironmentReference
from projrun_backends.environments.options import PythonOptions
from projrun_backends.environments.python import python_environments
from projrun_backends.environments.python.indexes import PackageSettings
from projrun_backends.environments.python.python_environments import Build, Recipe
from projrun_backends.environments.python.seed_packages import seed_wheels
from projrun_backends.environments.python.specs import conda_refusal

_PIP_QUIET = ("--disable-pip-version-check", "--no-input")


class VirtualenvEnvironment:
    """Needs nothing but projrun's own dependencies."""

    name = "virtualenv"
    capabilities = Capabilities(
        kinds=frozenset({"python_env", "conda_env", "requirements", "poetry", "pylock", "script", "none"}),
        locks=frozenset({"python"}),
    )

    def available(self, environ: Mapping[str, str]) -> bool:
        """Always: virtualenv is a dependency of projrun."""
        return True

    def refusal(self, reference: EnvironmentReference) -> Refusal | None:
        """A conda file that needs more than pip can install."""
        return conda_refusal(reference)

    def read_options(self, given: GivenOptions) -> PythonOptions:
        """See `PythonOptions`."""
        return PythonOptions.read(given)

    def resolve(self, request: EnvironmentRequest) -> ResolvedEnvironment:
        """See `python_environments.resolve`."""
        exact_by = request.options_as(PythonOptions).exact_python
        return python_environments.resolve(_RECIPE, request, exact_by=exact_by)

    def prepare(
        self, request: EnvironmentRequest, resolved: ResolvedEnvironment, *, rebuild: bool, progress: Progress
    ) -> PreparedEnvironment:
        """See `python_environments.prepare`."""
        return python_environments.prepare(_RECIPE, request, resolved, rebuild=rebuild, progress=progress)


def _build(build: Build) -> str:
    _create(build)
    pip = [str(build.python), "-m", "pip", *_PIP_QUIET]
    for arguments in python_environments.install_arguments(build):
        build.tools.run("pip", [*pip, "install", "--progress-bar", "off", *arguments])
    return build.tools.capture("pip", [*pip, "freeze", "--all"])


def _create(build: Build) -> None:
    interpreter = build.details.interpreter
    if not seed_wheels(interpreter.version):
        # virtualenv carries no pip for versions this old; their own venv does.
        build.tools.run("venv", [interpreter.path, "-m", "venv", build.environment])
        return
    build.tools.run(
        "virtualenv",
        [
            sys.executable,
            "-m",
            "virtualenv",
            "--python",
            interpreter.path,
            # It would look for newer versions of pip in a process that outlives this one.
            "--no-periodic-update",
            build.environment,
        ],
    )


def _environ(settings: PackageSettings, environ: Mapping[str, str]) -> dict[str, str]:
    return {}  # pip reads its own configuration


_RECIPE = Recipe(manager=VirtualenvEnvironment.name, build=_build, environ=_environ)
