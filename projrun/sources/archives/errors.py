"""Errors of an archive, before its displayed name is known."""

from __future__ import annotations

_LONGEST_NAME = 120


class UnpackError(Exception):
    """An archive that is refused or damaged; the text goes on from its name: "is refused: ..."."""

    def __init__(self, text: str, *, hint: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint


def refused(name: str, why: str, *, hint: str = "") -> UnpackError:
    """The error for one member."""
    return UnpackError(f"is refused: its member {quoted(name)} {why}", hint=hint)


def quoted(name: str) -> str:
    """A name or a link's target, which are hostile input, made printable and cut to a readable length."""
    return repr(name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "…")


def damaged(why: str) -> UnpackError:
    """The error for content that violates the archive's format."""
    return UnpackError(f"is damaged: {why}", hint="create the archive again, or fetch it again")


def no_files() -> UnpackError:
    """The error for an empty archive."""
    return UnpackError("is refused: it contains no files")
