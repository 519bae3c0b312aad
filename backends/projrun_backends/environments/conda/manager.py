"""`--env-manager=conda`: conda.yaml environments, solved and installed by py-rattler or by the user's conda."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from projrun.cache.entries import ContentCache, Facts
from projrun.credentials import without_credentials
from projrun.environments.protocol import (
    Capabilities,
    EnvironmentRequest,
    GivenOptions,
    PreparedEnvironment,
    Progress,
    ResolvedEnvironment,
)
from projrun.errors import EnvironmentBuildError
from projrun_backends.environments.conda import activation as conda_activation
from projrun_backends.environments.conda import lock as conda_lock
from projrun_backends.environments.conda.programs import find_program, rattler_installed
from projrun_backends.environments.conda.spec import PREFIX, CondaDetails, read_details
from projrun_backends.environments.options import CondaOptions
from projrun_backends.environments.python.indexes import package_settings
from projrun_backends.environments.python.keys import environment_key
from projrun_backends.environments.python.python_environments import LOG, cache_errors

_PROBE = f"{PREFIX}/conda-meta/history"
_DRIVER = Path("/proc/driver/nvidia/version")


class CondaEnvironment:
    """Needs py-rattler (the extra `conda`), or a conda, mamba or micromamba."""

    name = "conda"
    capabilities = Capabilities(kinds=frozenset({"conda_env"}), locks=frozenset({"conda"}))

    def available(self, environ: Mapping[str, str]) -> bool:
        """Whether either is installed, or was requested by name."""
        return rattler_installed() or _asked_for(environ)

    def tool(self, environ: Mapping[str, str]) -> Path | None:
        """Where the program is; None for py-rattler."""
        program = find_program(environ)
        return program.path if program else None

    def unreachable(self, request: EnvironmentRequest) -> str | None:
        """Which channels do not answer, unless the environment is already built; what is wrong is for `resolve`."""
        try:
            details = read_details(request)
        except EnvironmentBuildError:
            return None
        with cache_errors(request):
            if _cache(request).find(_key(details, request)) is not None:
                return None
        from projrun_backends.environments.conda.reach import silent_channels

        silent = silent_channels(details.channels, details.settings, request)
        if not silent:
            return None
        names = ", ".join(channel.url for channel in silent)
        if request.offline:
            return f"no answer of {names} is known (--offline)"
        if len(silent) == 1:
            return f"the conda channel {names} does not answer"
        return f"the conda channels {names} do not answer"

    def read_options(self, given: GivenOptions) -> CondaOptions:
        """See `CondaOptions`."""
        return CondaOptions.read(given)

    def resolve(self, request: EnvironmentRequest) -> ResolvedEnvironment:
        """Read the file and conda's configuration, compute the key; solve nothing, start no process."""
        details = read_details(request)
        key = _key(details, request)
        cache = _cache(request)
        with cache_errors(request):
            entry = cache.find(key)
        return ResolvedEnvironment(
            manager=self.name,
            summary=_summary(details),
            key=key,
            path=entry / PREFIX if entry else cache.folder(key),
            exists=entry is not None,
            recorded_kind=self.name,
            details=details,
            warnings=details.spec.warnings,
            facts=() if details.lock else tuple(("channel", channel.url) for channel in details.channels),
        )

    def prepare(
        self, request: EnvironmentRequest, resolved: ResolvedEnvironment, *, rebuild: bool, progress: Progress
    ) -> PreparedEnvironment:
        """Build the environment, or find it built. Raises EnvironmentBuildError; leaves nothing half-built."""
        details = resolved.details
        if not isinstance(details, CondaDetails) or resolved.key is None:
            raise TypeError("the environment was resolved by another manager")

        def build(folder: Path) -> None:
            from projrun_backends.environments.conda.build import CondaBuild

            progress(f"building the environment: {resolved.summary}")
            CondaBuild(request, details, folder, progress).run()

        with cache_errors(request):
            entry, built = _cache(request).get_or_build(
                resolved.key,
                build,
                rebuild=rebuild,
                waiting=lambda: progress("waiting for another process that builds the same environment"),
                facts=_facts(request, details),
            )
            lock = (entry / conda_lock.NAME).read_text(encoding="utf-8")
        return _prepared(entry, details, lock, built=built)


def _prepared(entry: Path, details: CondaDetails, lock: str, *, built: bool) -> PreparedEnvironment:
    prefix = entry / PREFIX
    variables, unset = conda_activation.activation_variables(prefix, details.spec.variables)
    return PreparedEnvironment(
        environ=variables,
        unset=unset,
        path_prefix=conda_activation.activation_path(prefix),
        argv_prefix=conda_activation.starter(prefix),
        lock=lock,
        lock_name=conda_lock.NAME,
        built=built,
        build_log=entry / LOG,
    )


def _asked_for(environ: Mapping[str, str]) -> bool:
    try:
        return find_program(environ) is not None
    except EnvironmentBuildError:
        return True  # `resolve` says what is wrong with it


def _summary(details: CondaDetails) -> str:
    how = f"conda ({details.program.path if details.program else 'py-rattler'})"
    pip = details.spec.requirements.packages
    if details.lock is not None:
        return f"{how}, {_count(len(details.lock.packages) + pip, 'package')} locked by {details.spec.source}"
    dependencies = _count(len(details.document.dependencies), "dependency", "dependencies")
    pip_part = f" and {_count(pip, 'pip requirement')}" if pip else ""
    return f"{how}, {dependencies}{pip_part} from {details.spec.source}"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _facts(request: EnvironmentRequest, details: CondaDetails) -> Facts:
    lines = (*(text.value for text in details.document.dependencies), *details.spec.requirements.lines)
    return {
        "manager": CondaEnvironment.name,
        "summary": _summary(details),
        "project": str(request.project_directory),
        "files": tuple(str(file) for file in details.spec.files),
        "channels": tuple(channel.url for channel in details.channels),
        "requirements": tuple(without_credentials(line) for line in lines),
    }


def _key(details: CondaDetails, request: EnvironmentRequest) -> str:
    spec = details.spec._replace(texts=tuple(_deciding_texts(details, request.environ)))
    return environment_key(CondaEnvironment.name, spec, None, package_settings(request.environ))


def _deciding_texts(details: CondaDetails, environ: Mapping[str, str]) -> Iterator[str]:
    yield f"with {details.program.name if details.program else 'rattler'}"
    yield from _machine(environ)
    if details.lock is not None:
        yield details.lock.text
        return
    yield from (f"dependency {text}" for text in details.dependencies)
    yield from (f"channel {channel.url}" for channel in details.channels)
    yield f"priority {details.settings.channel_priority}"
    yield f"pip {details.settings.add_pip}"


def _machine(environ: Mapping[str, str]) -> Iterator[str]:
    """What conda's virtual packages say of a machine, as far as nodes that share a cache folder differ in it."""
    yield from sorted(
        f"{name}={value}" for name, value in environ.items() if name.startswith("CONDA_OVERRIDE_")
    )
    if sys.platform == "linux":
        yield f"libc {os.confstr('CS_GNU_LIBC_VERSION')}"
        yield f"driver {_driver_version()}"
    elif sys.platform == "darwin":
        yield f"darwin {os.uname().release.partition('.')[0]}"


def _driver_version() -> str:
    """The major version of NVIDIA's driver, which decides the CUDA that runs; empty where there is none."""
    try:
        match = re.search(r"\s(\d+)\.\d+", _DRIVER.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return match[1] if match else ""


def _cache(request: EnvironmentRequest) -> ContentCache:
    return ContentCache(request.cache_directory, probe=_PROBE)
