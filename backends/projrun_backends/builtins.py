"""The names of the built-in environment managers and execution backends.

The core reads this table by its name at run time (`projrun.plugins.built_ins`): it knows neither names nor modules.
Strings alone, so that reading it costs nothing and no manager is imported that is not used.
"""

from __future__ import annotations

from collections.abc import Mapping

ENVIRONMENTS: Mapping[str, str] = {
    "local": "projrun_backends.environments.local:LocalEnvironment",
    "virtualenv": "projrun_backends.environments.python.virtualenv:VirtualenvEnvironment",
    "uv": "projrun_backends.environments.python.uv:UvEnvironment",
    "docker": "projrun_backends.environments.containers.docker:DockerEnvironment",
    "conda": "projrun_backends.environments.conda.manager:CondaEnvironment",
    "existing": "projrun_backends.environments.existing:ExistingEnvironment",
}
PREFERRED_ENVIRONMENTS = ("uv", "virtualenv", "conda", "docker")
"""The managers to choose from if the user chose none, the best first."""
CHOOSING_OPTIONS: Mapping[str, str] = {"env": "existing"}
"""Options that choose the one manager that takes them."""
ENVIRONMENT_OPTIONS: Mapping[str, str] = {
    "env": "projrun_backends.environments.options:ExistingOptions",
    "python-downloads": "projrun_backends.environments.options:UvOptions",
    "exact-python": "projrun_backends.environments.options:PythonOptions",
    "conda-exe": "projrun_backends.environments.options:CondaOptions",
    "docker-args": "projrun_backends.environments.options:ContainerOptions",
    "build-image": "projrun_backends.environments.options:ContainerOptions",
    "pass-credentials": "projrun_backends.environments.options:ContainerOptions",
    "registry-login": "projrun_backends.environments.options:ContainerOptions",
}
"""The options that only some managers take, and the record that it reads them into."""
KEPT: Mapping[str, str] = {"image": "projrun_backends.environments.containers.kept_images:KeptImages"}
"""What managers keep outside of the caches' folders (`projrun.cache.keepers.Keeper`), by its kind."""
LISTS: Mapping[str, str] = {"pythons": "projrun_backends.environments.python.interpreters:installed"}
"""What is listed of this machine for people: functions of the caller's environment."""
CALLER_ENVIRONMENT = "local"
"""The manager that builds nothing and takes every project: the way out where no other serves."""

BACKENDS: Mapping[str, str] = {"local": "projrun_backends.execution.local:LocalBackend"}
DEFAULT_BACKEND = "local"
