"""What is wrong with an archive, before it is known how the archive is shown to people."""

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
    """A name or a link's target, which are hostile input, with nothing in it that prints strangely or has no end."""
    return repr(name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "…")


def damaged(why: str) -> UnpackError:
    """The error for content that is not what an archive's format asks for."""
    return UnpackError(f"is damaged: {why}", hint="make the archive anew, or fetch it again")


def no_files() -> UnpackError:
    """The error for an archive of nothing."""
    return UnpackError("is refused: it holds no files")
