"""What `--version` may be: a branch, a tag or a commit, as git names them."""

from __future__ import annotations

import re

from projrun.errors import RequestError

_COMMIT = re.compile(r"[0-9a-fA-F]{4,64}")
_FULL_COMMIT = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|^[-./]|[./]$|^@$|^$")


def is_reference_name(text: str) -> bool:
    """Whether git allows it as the name of a branch or a tag (`git help check-ref-format`), and no option."""
    return _FORBIDDEN.search(text) is None


def check_version(text: str) -> str:
    """The version unchanged; RequestError for what git could take for an option or an expression."""
    if not is_reference_name(text):
        raise RequestError(
            f"--version {text!r} is not the name of a branch, a tag or a commit",
            hint="give a name such as 'main' or 'v1.2', or a commit's hash, full or short",
        )
    return text


def is_commit(text: str) -> bool:
    """Whether it may be a commit's hash, full or short."""
    return _COMMIT.fullmatch(text) is not None


def is_full_commit(text: str) -> bool:
    """Whether it is a commit's whole hash (SHA-1 or SHA-256)."""
    return _FULL_COMMIT.fullmatch(text) is not None
