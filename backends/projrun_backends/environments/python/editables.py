"""Editable dependencies (`-e .`) where they cannot be editable: what is installed is a copy.

The folder of a fetched project is removed after the run, but the environment stays in the cache.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from projrun.environments.protocol import EnvironmentRequest
from projrun.errors import EnvironmentBuildError
from projrun_backends.environments.python.requirements import Requirements
from projrun_backends.environments.python.spec import EnvironmentSpec

_EDITABLE_REPOSITORY = r"-e\s+(?=[a-z]+\+[a-z]+:)"


def of_this_request(spec: EnvironmentSpec, request: EnvironmentRequest) -> EnvironmentSpec:
    """The spec as it is, for a folder of the user's own; for a fetched project with copies, and a warning for each.

    The commit is then part of the key: a package may read its version from git, or a file that the key leaves out.
    """
    if not request.temporary_checkout:
        return spec
    everything = (*spec.build_requirements.local, *spec.requirements.local)
    # A project of uv's own is editable by convention: no file says so.
    unsaid = (spec.uv_project, spec.locked_project)
    written = [
        one for one in everything if one.editable and not spec.locked_project and one.path not in unsaid
    ]
    commit = f" of commit {request.commit[:7]}" if request.commit else ""
    warnings = (
        f"{one.origin}: installed as a copy{commit}, not editable: the folder of a fetched project is temporary"
        for one in written
    )
    key = (f"commit {request.commit}",) if written and request.commit else ()
    return spec._replace(
        build_requirements=_copied(spec.build_requirements),
        requirements=_copied(spec.requirements),
        texts=(*spec.texts, *key),
        warnings=(*spec.warnings, *warnings),
    )


def require_copies(frozen: str) -> None:
    """EnvironmentBuildError for what uv installed as a link to a fetched project's folder, which is removed."""
    links = [line for line in frozen.splitlines() if line.startswith("-e ")]
    if links:
        raise EnvironmentBuildError(
            f"uv installed {Path(links[0]).name} as editable, from the temporary folder of a fetched project",
            hint="update uv (`pip install --upgrade uv`), or remove `editable = true` from the project's files",
        )


def without_editable_repositories(spec: EnvironmentSpec) -> EnvironmentSpec:
    """`-e git+https://…` as uv takes it. A clone in the cache would never be edited anyway."""
    requirements = (spec.build_requirements, spec.requirements)
    build, wanted = (
        one._replace(lines=tuple(re.sub(_EDITABLE_REPOSITORY, "", line) for line in one.lines))
        for one in requirements
    )
    return spec._replace(build_requirements=build, requirements=wanted)


@contextmanager
def left_clean(spec: EnvironmentSpec, request: EnvironmentRequest) -> Iterator[None]:
    """Remove what building a fetched project's package leaves in its folder: it would look like the run's result."""
    everything = (*spec.build_requirements.local, *spec.requirements.local)
    folders = [one.path for one in everything if request.temporary_checkout and one.path.is_dir()]
    before = set(_products(folders))
    try:
        yield
    finally:
        for path in set(_products(folders)) - before:
            with suppress(OSError):
                import shutil

                shutil.rmtree(path)


def _products(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        for pattern in ("build", "*.egg-info", "*/*.egg-info"):
            yield from folder.glob(pattern)


def _copied(requirements: Requirements) -> Requirements:
    lines = list(requirements.lines)
    for one in requirements.local:
        starts = (f"-e {one.path}", f"-e {one.path.as_uri()}")
        lines = [line.removeprefix("-e ") if line.startswith(starts) else line for line in lines]
    copies = tuple(one._replace(editable=False) for one in requirements.local)
    return requirements._replace(lines=tuple(lines), local=copies)
