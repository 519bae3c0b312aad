"""The image of a run: existing, pulled, built with the code in it, or named by a lock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from projrun.environments.protocol import EnvironmentRequest, Progress
from projrun.errors import EnvironmentBuildError
from projrun_backends.environments.containers.arguments import Arguments
from projrun_backends.environments.containers.engine import Engine, EngineError, Image
from projrun_backends.environments.containers.lock import ImageLock
from projrun_backends.environments.containers.user import User
from projrun_backends.environments.options import ContainerOptions

_TAIL = 20
_UNNAMED = "docker-project"
"""MLflow's name for the image of a project without one."""


class Wanted(NamedTuple):
    """Which image, and how to obtain it."""

    name: str
    """As the project says it."""
    arguments: Arguments
    lock: ImageLock | None
    user: User | None
    rebuild: bool


class Obtained(NamedTuple):
    """An existing image."""

    image: Image
    uri: str
    """The tag `mlflow.docker.image.uri`."""
    lock: ImageLock
    built: bool
    has_code: bool
    """True where the project's code is in it."""


class BuildLog:
    """What the daemon says while it pulls and builds: shown, and kept."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.lines: list[str] = []
        self.built = ""
        """The id of the image that was built."""

    def follow(self, events: Iterator[dict[str, Any]]) -> None:
        """Write them down. Raises EngineError for the event that says what went wrong."""
        for event in events:
            if "error" in event:
                self._line(str(event["error"]))
                raise EngineError(str(event["error"]).strip())
            if isinstance(event.get("aux"), dict):
                self.built = str(event["aux"].get("ID", self.built))
            if "progress" in event:
                continue  # hundreds of bars a second
            text = str(event.get("stream") or event.get("status") or "")
            for line in text.splitlines():
                self._line(f"{event['id']}: {line}" if event.get("id") else line)

    @property
    def tail(self) -> str:
        """The last lines."""
        return "\n".join(self.lines[-_TAIL:])

    def _line(self, line: str) -> None:
        shown = "".join(letter for letter in line if letter.isprintable()).strip()
        if shown:
            self.lines.append(shown)
            self._progress(shown)


def obtain(engine: Engine, wanted: Wanted, request: EnvironmentRequest, log: BuildLog) -> Obtained:
    """Find, pull or build. Raises EnvironmentBuildError with the daemon's last lines; leaves nothing half-built."""
    if wanted.lock is not None:
        return _locked(engine, wanted, wanted.lock, request, log)
    image, pulled = _base(engine, wanted, request, log)
    if request.options_as(ContainerOptions).build_image:
        return _built(engine, wanted, image, request, log)
    return Obtained(image, wanted.name, _lock(wanted.name, image), pulled, has_code=False)


def _base(engine: Engine, wanted: Wanted, request: EnvironmentRequest, log: BuildLog) -> tuple[Image, bool]:
    image = engine.image(wanted.name)
    # What no registry has cannot be fetched again.
    again = wanted.rebuild and image is not None and bool(image.digests)
    if image is not None and not again and wanted.arguments.pull != "always":
        return image, False
    if wanted.arguments.pull == "never":
        raise EnvironmentBuildError(
            f"the image {wanted.name} is not on this machine",
            hint=f"run `docker pull {wanted.name}`, or remove -A pull=never",
        )
    return _pulled(engine, wanted.name, wanted, request, log), True


def _pulled(engine: Engine, name: str, wanted: Wanted, request: EnvironmentRequest, log: BuildLog) -> Image:
    login = request.options_as(ContainerOptions).registry_login
    if login:
        engine.log_in(login)
    try:
        log.follow(engine.pull(name, wanted.arguments.value("platform"), login or None))
    except EngineError as error:
        raise EnvironmentBuildError(
            f"the image {name} is not on this machine and cannot be pulled",
            hint="check its name and the registry's address; `docker login` for a private one; or build it here",
            detail=_once(error.message, log),
        ) from None
    image = engine.image(name)
    if image is None:
        raise EnvironmentBuildError(f"the image {name} was pulled but cannot be found", hint="try again")
    return image


def _built(
    engine: Engine, wanted: Wanted, base: Image, request: EnvironmentRequest, log: BuildLog
) -> Obtained:
    from tempfile import TemporaryFile

    from projrun_backends.environments.containers.build_context import dockerfile, write_context

    tag = image_tag(request.project_name, request.commit)
    with TemporaryFile() as context:
        try:
            write_context(request.project_directory, dockerfile(base.identifier, wanted.user), context)
            context.seek(0)
            log.follow(engine.build(context, tag, fresh=wanted.rebuild))
        except (EngineError, OSError) as error:
            _remove_intermediates(engine, log, base)
            raise _build_failure(tag, error, log) from None
    # By its id: a run at the same time may have given the name to another.
    image = engine.image(log.built or tag)
    if image is None:
        raise EnvironmentBuildError(f"the image {tag} was built but cannot be found", hint="try again")
    lock = ImageLock(tag, image.identifier, base=next(iter(base.digests), base.identifier))
    return Obtained(image, tag, lock, built=True, has_code=True)


def _build_failure(tag: str, error: EngineError | OSError, log: BuildLog) -> EnvironmentBuildError:
    message = error.message if isinstance(error, EngineError) else f"{error.filename}: {error.strerror}"
    return EnvironmentBuildError(
        f"the image {tag} could not be built",
        hint="list what the image does not need in .dockerignore",
        detail=_once(message, log),
    )


def _remove_intermediates(engine: Engine, log: BuildLog, base: Image) -> None:
    """The classic builder keeps the layers of a build that failed, as images without a name."""
    for line in reversed(log.lines):
        match = re.fullmatch(r"---> ([0-9a-f]{12})", line)
        if match and not base.identifier.startswith(f"sha256:{match[1]}"):
            engine.remove_image(match[1])


def _locked(
    engine: Engine, wanted: Wanted, lock: ImageLock, request: EnvironmentRequest, log: BuildLog
) -> Obtained:
    image, pulled = engine.image(lock.id or lock.image), False
    if image is None and lock.image:
        image, pulled = _pulled(engine, lock.image, wanted, request, log), True
    if image is not None:
        complete = lock._replace(id=image.identifier)
        return Obtained(image, lock.name, complete, pulled, has_code=bool(lock.base))
    if not lock.base or not request.options_as(ContainerOptions).build_image:
        raise EnvironmentBuildError(
            f"the locked image {lock.name} ({lock.id[:19]}) is not on this machine, and the lock names no registry",
            hint="copy it here (docker save, docker load), or push it to a registry and lock it again",
        )
    base = engine.image(lock.base)
    if base is None:
        base = _pulled(engine, lock.base, wanted, request, log)
    return _built(engine, wanted, base, request, log)


def image_tag(name: str | None, commit: str | None) -> str:
    """`<project name>:<first 7 of the commit>`, MLflow's; in the letters that Docker allows."""
    repository = re.sub(r"[^a-z0-9/]+", "-", (name or _UNNAMED).lower())
    repository = "/".join(part.strip("-") for part in repository.split("/") if part.strip("-"))
    return f"{repository or _UNNAMED}:{commit[:7]}" if commit else repository or _UNNAMED


def _lock(name: str, image: Image) -> ImageLock:
    from docker.utils import parse_repository_tag

    repository = parse_repository_tag(name)[0]
    named = [digest for digest in image.digests if digest.partition("@")[0] == repository]
    return ImageLock(name, image.identifier, next(iter((*named, *image.digests)), ""))


def _once(message: str, log: BuildLog) -> str:
    return log.tail if log.lines and log.lines[-1].strip() in message else f"{log.tail}\n{message}".strip()
