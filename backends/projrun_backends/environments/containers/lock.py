"""`image.lock.json`: exactly which image a run used, as a text that `--locked` takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from projrun.errors import RequestError

NAME = "image.lock.json"
_HINT = f"give the artifact environment/{NAME} of a run"


class ImageLock(NamedTuple):
    """An image by content: by its id on one machine, by its digest wherever the registry is reached."""

    image: str
    """Its name, for people."""
    id: str
    digest: str | None = None
    platform: str = ""
    base: str | None = None
    """The digest, else the id, of the image that `--build-image` copied the code over."""

    @property
    def text(self) -> str:
        """The file's text."""
        return json.dumps(self._asdict(), indent=2) + "\n"


def read_lock(file: Path) -> ImageLock:
    """Raises RequestError for a file that is not such a lock."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        lock = ImageLock(**found)
    except OSError as error:
        raise RequestError(f"--locked: {file}: {error.strerror}", hint=_HINT) from None
    except (ValueError, TypeError):
        raise RequestError(f"--locked: {file} is not the lock of an image", hint=_HINT) from None
    texts = (lock.image, lock.id, lock.digest or "", lock.platform, lock.base or "")
    if not all(isinstance(text, str) for text in texts) or not lock.id.startswith("sha256:"):
        raise RequestError(f"--locked: {file} is not the lock of an image", hint=_HINT)
    return lock
