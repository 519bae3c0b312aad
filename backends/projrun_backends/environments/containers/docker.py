"""`--env-manager=docker`: the command runs in a container of the project's image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from projrun.environments.protocol import (
    Capabilities,
    EnvironmentRequest,
    GivenOptions,
    PreparedEnvironment,
    Progress,
    ResolvedEnvironment,
)
from projrun.errors import EnvironmentBuildError, RequestError
from projrun_backends.environments.containers.arguments import parse_arguments
from projrun_backends.environments.containers.lock import read_lock
from projrun_backends.environments.containers.mounts import CODE, Mount, project_volumes
from projrun_backends.environments.containers.spec import DockerSpec
from projrun_backends.environments.containers.variables import check_variables
from projrun_backends.environments.executables import path_folders, program
from projrun_backends.environments.options import ContainerOptions

_PATIENCE = 3
"""Seconds for an answer of the daemon where nothing needs it now."""


class DockerEnvironment:
    """Needs the program docker and a daemon."""

    name = "docker"
    capabilities = Capabilities(
        kinds=frozenset({"docker_env"}),
        cached=False,
        containers=True,
        locks=frozenset({"image"}),
        resources=frozenset({"memory", "cpus", "gpus"}),
    )

    needs = "the program docker, which is not on PATH"
    installation = "see https://docs.docker.com/engine/install/"

    def available(self, environ: Mapping[str, str]) -> bool:
        """Whether the program docker is on this machine."""
        return find_docker(environ) is not None

    def tool(self, environ: Mapping[str, str]) -> Path | None:
        """Where docker is."""
        return find_docker(environ)

    def check(self, environ: Mapping[str, str]) -> None:
        """Whether the daemon answers. Raises EnvironmentBuildError, with what to do."""
        from projrun_backends.environments.containers.engine import Engine

        Engine.connect(environ, timeout=_PATIENCE)

    def read_options(self, given: GivenOptions) -> ContainerOptions:
        """See `ContainerOptions`."""
        return ContainerOptions.read(given)

    def resolve(self, request: EnvironmentRequest) -> ResolvedEnvironment:
        """Check `docker_env` and `-A`, and ask the daemon, if it answers, whether the image exists."""
        from projrun_backends.environments.containers.image_state import Outlook

        spec = _spec(request)
        outlook = Outlook.take(spec.arguments, _image_name(spec), request)
        return ResolvedEnvironment(
            manager=self.name,
            summary=_summary(spec, request) + outlook.remark,
            key=_key(spec, request),
            exists=outlook.image is not None and not request.options_as(ContainerOptions).build_image,
            recorded_kind=self.name,
            details=spec,
            warnings=outlook.warnings,
            facts=(*_facts(spec, request), *outlook.facts),
        )

    def prepare(
        self, request: EnvironmentRequest, resolved: ResolvedEnvironment, *, rebuild: bool, progress: Progress
    ) -> PreparedEnvironment:
        """Find, pull or build the image; find out how its container reaches this machine."""
        from projrun_backends.environments.containers.preparation import prepare

        assert isinstance(resolved.details, DockerSpec)  # noqa: S101 - it comes from resolve, above
        return prepare(resolved.details, request, rebuild=rebuild, progress=progress)


def find_docker(environ: Mapping[str, str]) -> Path | None:
    """The client program on PATH."""
    return next(filter(None, (program(folder, "docker") for folder in path_folders(environ))), None)


def _spec(request: EnvironmentRequest) -> DockerSpec:
    docker = request.reference.docker
    if docker is None:
        raise RequestError("the project has no docker_env", hint="choose another --env-manager")
    arguments = parse_arguments(request.options_as(ContainerOptions).docker_args)
    check_variables(docker, arguments, request)
    volumes = project_volumes(docker, request.project_directory, request.environ)
    lock = read_lock(request.lock_file) if request.lock_file else None
    return DockerSpec(_require_docker(request.environ), docker, volumes, arguments, lock)


def _require_docker(environ: Mapping[str, str]) -> Path:
    found = find_docker(environ)
    if found is None:
        raise EnvironmentBuildError(
            "docker is not installed: no such program on PATH",
            hint="see https://docs.docker.com/engine/install/",
        )
    return found


def _image_name(spec: DockerSpec) -> str:
    return spec.lock.id or spec.lock.image if spec.lock else spec.docker.image


def _summary(spec: DockerSpec, request: EnvironmentRequest) -> str:
    locked = f", locked by {request.lock_file}" if spec.lock else ""
    return f"docker, image {spec.lock.name if spec.lock else spec.docker.image}{locked}"


def _key(spec: DockerSpec, request: EnvironmentRequest) -> str:
    """Which image it is; the daemon keeps it, not projrun's cache."""
    from hashlib import sha256

    build_image = request.options_as(ContainerOptions).build_image
    build = f"{request.project_directory} {request.commit}" if build_image else ""
    return sha256(
        "\n".join([spec.docker.image, build, spec.lock.text if spec.lock else ""]).encode()
    ).hexdigest()


def _facts(spec: DockerSpec, request: EnvironmentRequest) -> Iterator[tuple[str, str]]:
    if spec.lock is not None:
        yield "image", f"locked to {spec.lock.id or spec.lock.image}"
    options = request.options_as(ContainerOptions)
    if options.build_image:
        from projrun_backends.environments.containers.images import image_tag

        yield "image", f"{image_tag(request.project_name, request.commit)}, built with the code at {CODE}"
    else:
        yield "mount", str(Mount(request.project_directory, CODE))
    yield from (("mount", volume) for volume in spec.volumes)
    names = [*spec.docker.copied_variables, *(name for name, _ in spec.docker.set_variables)]
    names += [name for name, _ in spec.arguments.variables]
    if names:
        yield "variables", ", ".join(names)
    if options.pass_credentials:
        yield "credentials", "those of AWS, Google Cloud and Azure that are set here"
    yield from (("docker run", option.word) for option in spec.arguments.options)
