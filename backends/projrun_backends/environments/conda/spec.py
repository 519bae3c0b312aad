"""What a project's conda.yaml asks for, with the user's configuration of conda and a lock where one is given."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from projrun.credentials import without_credentials
from projrun.environments.protocol import EnvironmentRequest
from projrun.errors import EnvironmentBuildError, RequestError
from projrun_backends.environments.conda.channels import Channel, ChannelNames
from projrun_backends.environments.conda.lock import CondaLock, current_platform, read_lock
from projrun_backends.environments.conda.programs import CondaProgram, find_program, rattler_installed
from projrun_backends.environments.conda.settings import CondaSettings, conda_settings
from projrun_backends.environments.python.conda_files import CondaDocument, read_conda_document
from projrun_backends.environments.python.editables import of_this_request
from projrun_backends.environments.python.requirements import (
    Requirements,
    display_name,
    read_requirement_lines,
    refuse_outside,
)
from projrun_backends.environments.python.spec import EnvironmentSpec
from projrun_backends.environments.translation.match_specs import package_name

PREFIX = "env"
"""The folder of the environment in its entry of the cache."""


class CondaDetails(NamedTuple):
    """`ResolvedEnvironment.details`: all that a build needs."""

    spec: EnvironmentSpec
    """What pip is to install, and the file's variables."""
    document: CondaDocument
    """What conda is to install, as the author wrote it: conda's programs read it by their own rules."""
    dependencies: tuple[str, ...]
    """The same with channels by their address, for py-rattler."""
    channels: tuple[Channel, ...]
    settings: CondaSettings
    program: CondaProgram | None
    """None: py-rattler."""
    platform: str
    directory: Path
    """Of the file: relative channels begin there."""
    lock: CondaLock | None
    """What is to be installed instead."""

    def __repr__(self) -> str:
        """Short, and without channels and requirement lines, which may hold credentials: plans are shown."""
        return f"<conda environment of {self.spec.source}>"


def read_details(request: EnvironmentRequest) -> CondaDetails:
    """Read the file, the lock and conda's configuration.

    Raises RequestError for mistakes in them, EnvironmentBuildError if nothing can build it.
    """
    file = request.reference.file
    if file is None:
        raise RequestError(
            "a conda environment needs a file", hint="name it in the MLproject: conda_env: conda.yaml"
        )
    program = find_program(request.environ)
    if program is None and not rattler_installed():
        raise EnvironmentBuildError(
            "a conda environment needs py-rattler or conda, and neither is installed",
            hint="pip install 'projrun[conda]', or name conda, mamba or micromamba with --conda-exe",
        )
    name = display_name(file, request.project_directory)
    document = read_conda_document(file, name)
    if not document.dependencies and not document.pip_lines:
        raise RequestError(f"{name} has no dependencies", hint="list at least python=3.11")
    settings = conda_settings(request.environ)
    names = ChannelNames(settings, request.environ, file.parent)
    platform = current_platform()
    lock = read_lock(request.lock_file, platform) if request.lock_file else None
    return CondaDetails(
        spec=_pip_spec(request, document, lock, file, name),
        document=document,
        dependencies=tuple(names.spec(text) for text in with_pip(document)),
        channels=names.of(document),
        settings=settings,
        program=program,
        platform=platform,
        directory=file.parent,
        lock=lock,
    )


def _pip_spec(
    request: EnvironmentRequest, document: CondaDocument, lock: CondaLock | None, file: Path, name: str
) -> EnvironmentSpec:
    project = request.project_directory
    wanted = read_requirement_lines(
        document.pip_lines, file.parent, project, request.environ, request.checkout_root
    )
    refuse_outside((wanted,), request.checkout_root, project)
    spec = EnvironmentSpec(
        source=name,
        requirements=wanted,
        variables=document.variables,
        files=tuple(dict.fromkeys([file, *wanted.files])),
        warnings=document.warnings + wanted.warnings,
    )
    if lock is not None and request.lock_file is not None:
        spec = _locked_spec(spec, lock, request.lock_file, request)
    return of_this_request(spec, request)


def _locked_spec(
    spec: EnvironmentSpec, lock: CondaLock, file: Path, request: EnvironmentRequest
) -> EnvironmentSpec:
    """The file's own options keep their credentials, which a lock does not hold."""
    pinned = read_requirement_lines(lock.pip_lines, file.parent, request.project_directory, request.environ)
    options = [
        line for line in spec.requirements.lines if line.startswith("-") and not line.startswith("-e ")
    ]
    known = {without_credentials(line) for line in options}
    lines = [*options, *(line for line in pinned.lines if line not in known)]
    has_packages = any(not line.startswith("-") or line.startswith("-e ") for line in lines)
    return spec._replace(
        source=str(file),
        requirements=pinned._replace(lines=tuple(lines)) if has_packages else Requirements(),
        files=(*spec.files, file, *pinned.files),
        pinned=True,
    )


def with_pip(document: CondaDocument) -> list[str]:
    """The dependencies; pip among them where there is something for it to do, as conda adds it."""
    texts = [text.value for text in document.dependencies]
    named = any(package_name(text) == "pip" for text in texts)
    return texts if named or not document.pip_lines else [*texts, "pip"]
