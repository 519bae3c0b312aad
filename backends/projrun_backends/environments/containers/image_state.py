"""What can be said of a Docker run before it starts: asked of the daemon where it answers, changing nothing."""

from __future__ import annotations

from typing import NamedTuple

from projrun.environments.protocol import EnvironmentRequest
from projrun.errors import EnvironmentBuildError
from projrun_backends.environments.containers.arguments import Arguments
from projrun_backends.environments.containers.engine import Engine, Image
from projrun_backends.environments.containers.network import network_name
from projrun_backends.environments.containers.user import container_user
from projrun_backends.environments.options import ContainerOptions

_TIMEOUT = 5


class Outlook(NamedTuple):
    """For the plan."""

    image: Image | None
    remark: str
    facts: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...] = ()

    @classmethod
    def take(cls, arguments: Arguments, image_name: str, request: EnvironmentRequest) -> Outlook:
        """A daemon that does not answer is an error only when it is needed."""
        network = ("network", network_name(arguments))
        try:
            engine = Engine.connect(request.environ, timeout=_TIMEOUT)
            image = engine.image(image_name)
        except EnvironmentBuildError as error:
            return cls(None, f" ({error.message})", (network,))
        remark = "" if image is not None else ", to be pulled"
        return cls(
            image, remark, (*_facts(image, arguments, engine, request), network), _warnings(engine, request)
        )


def _facts(
    image: Image | None, arguments: Arguments, engine: Engine, request: EnvironmentRequest
) -> list[tuple[str, str]]:
    facts = []
    if image is not None:
        facts.append(("image", image.identifier))
    user = container_user(arguments, request.environ, rootless=engine.rootless)
    chosen = arguments.value("user")
    facts.append(("user", f"{user.uid}:{user.gid}" if user else chosen or "the image's own"))
    return facts


def _warnings(engine: Engine, request: EnvironmentRequest) -> tuple[str, ...]:
    if not engine.remote or request.options_as(ContainerOptions).build_image:
        return ()
    text = f"the Docker daemon at {engine.address} is on another machine, which does not have the project's folder;"
    return (f"{text} --build-image copies it",)
