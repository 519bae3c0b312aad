"""The Docker daemon, through the docker library: images, networks, and how a container ended."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from projrun.errors import EnvironmentBuildError

if TYPE_CHECKING:
    import docker

_TIMEOUT = 60
_NEVER = "0001-01-01T00:00:00Z"
"""Go's zero time: a container that was never started."""


class Image(NamedTuple):
    """An image that the daemon has."""

    identifier: str
    tags: tuple[str, ...]
    digests: tuple[str, ...]
    """`REPOSITORY@sha256:…` of the registries it came from or was pushed to."""
    environ: Mapping[str, str]
    platform: str


class ContainerState(NamedTuple):
    """What the daemon says about a container."""

    running: bool
    started: bool
    exit_code: int
    error: str
    out_of_memory: bool
    memory_limit: int
    """Bytes; 0 for none."""


class Network(NamedTuple):
    """A network of the daemon."""

    driver: str
    gateways: tuple[str, ...]
    subnets: tuple[str, ...]


class EngineError(EnvironmentBuildError):
    """The daemon refused."""


class MissingError(EngineError):
    """The daemon has no such thing."""


class Engine:
    """A connection to the daemon that the `docker` program would use."""

    def __init__(self, client: docker.APIClient, address: str) -> None:
        self._client = client
        self.address = address
        info: dict[str, Any] = client.info()
        self.rootless = "name=rootless" in (info.get("SecurityOptions") or ())
        system = str(info.get("OperatingSystem", ""))
        self.in_virtual_machine = system == "Docker Desktop" or sys.platform != "linux"
        """The daemon's networks are not this machine's; `host.docker.internal` is this machine there."""

    @classmethod
    def connect(cls, environ: Mapping[str, str], *, timeout: int = _TIMEOUT) -> Engine:
        """The daemon that DOCKER_HOST, DOCKER_CONTEXT or Docker's configuration names.

        Raises EnvironmentBuildError, with what to do, where it cannot be reached.
        """
        import docker

        settings: dict[str, Any] = {}
        address = "Docker's default address"
        try:
            settings = _address(environ)
            address = settings.get("base_url") or "unix:///var/run/docker.sock"
            ssh = address.startswith("ssh://")
            return cls(
                docker.APIClient(**settings, version="auto", timeout=timeout, use_ssh_client=ssh), address
            )
        except (docker.errors.DockerException, OSError, ValueError) as error:
            raise _unreachable(error, address) from None

    @property
    def unproxied(self) -> str:
        """The hosts that Docker's own configuration reaches without a proxy, as NO_PROXY has them."""
        from docker.utils.config import load_general_config

        proxies = load_general_config().get("proxies", {})
        return str(proxies.get(self.address, proxies.get("default", {})).get("noProxy", ""))

    @property
    def remote(self) -> bool:
        """Whether the daemon is on another machine, whose files and networks are not these."""
        local = ("unix://", "npipe://", "http+unix://", "tcp://127.", "tcp://localhost")
        return not self.address.startswith(local)

    def image(self, name: str) -> Image | None:
        """The image of a name, id or digest; None where the daemon does not have it."""
        try:
            with _explained(f"look at the image {name}"):
                return _image(self._client.inspect_image(name))
        except MissingError:
            return None

    def pull(
        self, name: str, platform: str | None, auth: Mapping[str, str] | None
    ) -> Iterator[dict[str, Any]]:
        """Fetch an image: the events, as they arrive. Raises EngineError."""
        from docker.utils import parse_repository_tag

        repository, tag = parse_repository_tag(name)
        with _explained(f"pull the image {name}"):
            yield from self._client.pull(
                repository,
                tag=tag or "latest",
                stream=True,
                decode=True,
                platform=platform,
                auth_config=dict(auth) if auth else None,
            )

    def log_in(self, auth: Mapping[str, str]) -> None:
        """Check the credentials of a registry; they are kept in memory only. Raises EngineError."""
        with _explained(f"log in to the registry {auth.get('registry') or 'docker.io'}"):
            self._client.login(
                auth.get("username", ""),
                auth.get("password"),
                registry=auth.get("registry"),
                reauth=True,
            )

    def build(self, context: IO[bytes], tag: str, *, fresh: bool) -> Iterator[dict[str, Any]]:
        """Build from a tar of the Dockerfile and its files: the events, as they arrive. Raises EngineError."""
        with _explained("build the image"):
            yield from self._client.build(
                fileobj=context,
                custom_context=True,
                tag=tag,
                nocache=fresh,
                rm=True,
                forcerm=True,
                decode=True,
            )

    def remove_image(self, identifier: str) -> None:
        """Remove an image; one that is in use, or not there, is left."""
        from docker.errors import DockerException

        try:
            self._client.remove_image(identifier)
        except DockerException:
            return

    def image_size(self, name: str) -> int:
        """In bytes, with what it shares with others; 0 for one that the daemon does not have."""
        try:
            with _explained(f"look at the image {name}"):
                return int(self._client.inspect_image(name).get("Size") or 0)
        except MissingError:
            return 0

    def users(self, image: str) -> list[str]:
        """The ids of the containers of an image, or of one that was made of it, running or not."""
        with _explained("list containers"):
            found: list[dict[str, Any]] = self._client.containers(all=True, filters={"ancestor": image})
        return [str(one["Id"]) for one in found]

    def network(self, name: str) -> Network:
        """Raises MissingError for a network that the daemon does not have."""
        with _explained(f"look at the network {name}"):
            found: dict[str, Any] = self._client.inspect_network(name)
        pools: list[dict[str, str]] = (found.get("IPAM") or {}).get("Config") or []
        return Network(
            str(found.get("Driver")),
            tuple(pool["Gateway"] for pool in pools if pool.get("Gateway")),
            tuple(pool["Subnet"] for pool in pools if pool.get("Subnet")),
        )

    def container(self, identifier: str) -> ContainerState | None:
        """How a container is; None where the daemon does not have it."""
        try:
            with _explained(f"look at the container {identifier[:12]}"):
                return _state(self._client.inspect_container(identifier))
        except MissingError:
            return None

    def labelled(self, label: str) -> list[str]:
        """The ids of the containers with a label (`NAME=VALUE`), running or not."""
        with _explained("list containers"):
            found: list[dict[str, Any]] = self._client.containers(all=True, filters={"label": label})
        return [str(one["Id"]) for one in found]

    def remove_container(self, identifier: str) -> None:
        """Kill and remove a container with its anonymous volumes; one that is not there is not an error."""
        from docker.errors import APIError

        try:
            with _explained(f"remove the container {identifier[:12]}"):
                self._client.remove_container(identifier, force=True, v=True)
        except MissingError:
            return
        except EngineError as error:
            cause = error.__cause__
            if isinstance(cause, APIError) and cause.status_code == 409:
                return  # the daemon is removing it already
            raise


def _address(environ: Mapping[str, str]) -> dict[str, Any]:
    """The docker library's own rules for DOCKER_HOST, then the client program's for contexts."""
    from docker.context import ContextAPI
    from docker.utils import kwargs_from_env

    if environ.get("DOCKER_HOST"):
        return dict(kwargs_from_env(environment=dict(environ)))
    context = ContextAPI.get_context(environ.get("DOCKER_CONTEXT"))
    if context is None or not context.Host:
        return {}
    settings: dict[str, Any] = {"base_url": context.Host}
    if context.TLSConfig is not None:
        settings["tls"] = context.TLSConfig
    return settings


def _image(found: dict[str, Any]) -> Image:
    variables = (found.get("Config") or {}).get("Env") or []
    return Image(
        found["Id"],
        tuple(found.get("RepoTags") or ()),
        tuple(found.get("RepoDigests") or ()),
        dict(variable.split("=", 1) for variable in variables if "=" in variable),
        f"{found.get('Os', '')}/{found.get('Architecture', '')}",
    )


def _state(found: dict[str, Any]) -> ContainerState:
    state: dict[str, Any] = found["State"]
    return ContainerState(
        running=bool(state.get("Running")),
        started=state.get("StartedAt") != _NEVER,
        exit_code=int(state.get("ExitCode", 0)),
        error=str(state.get("Error") or ""),
        out_of_memory=bool(state.get("OOMKilled")),
        memory_limit=int((found.get("HostConfig") or {}).get("Memory") or 0),
    )


@contextmanager
def _explained(what: str) -> Iterator[None]:
    import requests
    from docker import errors

    try:
        yield
    except errors.NotFound as error:
        raise MissingError(f"Docker could not {what}: {error.explanation or error}") from error
    except errors.APIError as error:
        raise EngineError(f"Docker could not {what}: {error.explanation or error}") from error
    except (errors.DockerException, requests.RequestException, OSError) as error:
        raise EngineError(f"Docker could not {what}: {_last_words(error)}") from error


def _unreachable(error: Exception, address: str) -> EnvironmentBuildError:
    cause = _system_error(error)
    if isinstance(cause, PermissionError):
        return EnvironmentBuildError(
            f"no permission to use Docker at {address}",
            hint="add yourself to the group `docker` (sudo usermod -aG docker $USER) and log in again",
        )
    return EnvironmentBuildError(
        f"the Docker daemon cannot be reached at {address}: {_last_words(cause or error)}",
        hint="start it (systemctl start docker, or Docker Desktop), or set DOCKER_HOST",
    )


def _system_error(error: BaseException) -> OSError | None:
    """The system's own error in what the library wraps many times, as argument or as cause."""
    waiting: list[object] = [error]
    for _ in range(50):
        if not waiting:
            return None
        one = waiting.pop(0)
        if isinstance(one, OSError) and one.errno is not None and one.strerror:
            return one
        if isinstance(one, BaseException):
            waiting += [*one.args, one.__cause__, one.__context__]
        if isinstance(one, tuple):
            waiting += one
    return None


def _last_words(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).strip().rpartition("\n")[2] or type(error).__name__
