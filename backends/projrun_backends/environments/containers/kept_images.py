"""The images that `--build-image` made: a mark of each in the cache says when a run used it, and holds it meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from projrun.cache.contents import Footprint, Item, contents
from projrun.cache.entries import ContentCache
from projrun.errors import EnvironmentBuildError
from projrun_backends.environments.containers.engine import Engine
from projrun_backends.environments.containers.images import Obtained

KIND = "image"
_PATIENCE = 10
"""Seconds for an answer of the daemon."""


def hold_image(cache: Path, engine: Engine, obtained: Obtained) -> None:
    """Mark an image as used now; it is not removed before this process ends. Raises OSError."""
    facts = {"tag": obtained.uri, "address": engine.address, "base": obtained.lock.base}
    _marks(cache).get_or_build(_key(obtained.image.identifier), lambda entry: None, facts=facts)


class KeptImages:
    """Those of one user, in the daemon that made them."""

    def __init__(self, cache: Path, environ: Mapping[str, str]) -> None:
        self._marks = _marks(cache)
        self._environ = environ
        self._engine: Engine | None = None

    def items(self, warn: Callable[[str], None]) -> Sequence[Item]:
        """The images that runs made; says where the daemon does not answer."""
        marked = contents(self._marks)
        if not marked:
            return ()
        try:
            self._engine = Engine.connect(self._environ, timeout=_PATIENCE)
            return tuple(
                _measured(item, self._engine)
                for item in marked
                if item.facts.get("address", self._engine.address) == self._engine.address
            )
        except EnvironmentBuildError as error:
            warn(f"images of --build-image are not looked at: {error.message}")
            return ()

    def remove(self, item: Item) -> bool:
        """The image, then its mark: what is cut short is seen the next time."""
        return self._marks.remove(item.entry, lambda: self._removed(item))

    def _removed(self, item: Item) -> bool:
        assert self._engine is not None  # noqa: S101 - `items` came before
        identifier = f"sha256:{item.entry.key}"
        try:
            image = self._engine.image(identifier)
            if image is None:
                return True
            if _is_used(item, self._engine):
                return False
            for name in (*image.tags, identifier):
                self._engine.remove_image(name)
            return self._engine.image(identifier) is None
        except EnvironmentBuildError:
            return False


def _measured(item: Item, engine: Engine) -> Item:
    """With the space that its removal frees: without the image that it was made of."""
    facts = {**item.facts, "kind": KIND}
    identifier = f"sha256:{item.entry.key}"
    if engine.image(identifier) is None:
        return item._replace(facts=facts, entry=item.entry._replace(state="broken"))
    size = engine.image_size(identifier)
    base = str(item.facts.get("base", ""))
    own = max(size - engine.image_size(base), 0) if base else size
    return item._replace(
        facts=facts, footprint=Footprint(own, {}), in_use=item.in_use or _is_used(item, engine)
    )


def _is_used(item: Item, engine: Engine) -> bool:
    """Whether a container uses it, running or not, or it has been given another name."""
    image = engine.image(f"sha256:{item.entry.key}")
    repository = str(item.facts.get("tag", "")).rpartition(":")[0] or str(item.facts.get("tag", ""))
    foreign = [tag for tag in (image.tags if image else ()) if tag.rpartition(":")[0] != repository]
    return bool(foreign) or bool(engine.users(f"sha256:{item.entry.key}"))


def _marks(cache: Path) -> ContentCache:
    return ContentCache(cache / "images")


def _key(identifier: str) -> str:
    return identifier.removeprefix("sha256:")
