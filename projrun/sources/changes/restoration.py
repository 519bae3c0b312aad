"""Applying a run's recorded uncommitted changes to the own copy of the checkout of a new run.

A patch comes from a tracking server: it is hostile input. It may change files below the checkout's top, and
nothing else; it is applied whole or not at all.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from projrun.errors import SourceError
from projrun.sources.checkout import Checkout
from projrun.sources.copies.leftovers import identities
from projrun.sources.git.command import git_environ

_TIMEOUT = 120.0
_REMEDY = "skip it with --without-patch"
_SETTINGS = (("apply.ignoreWhitespace", "no"), ("apply.whitespace", "nowarn"))
"""What a user's configuration could otherwise change in the files."""
_WORDS = ("apply", "--whitespace=nowarn", "-p1")
_NAME = re.compile(rb"[0-9]+\t[0-9]+\t|-\t-\t")


def apply_patch(checkout: Checkout, patch: Path, environ: Mapping[str, str]) -> Checkout:
    """The checkout with the changes in it; paths in the patch are relative to its top.

    Only for a checkout that the run owns. Raises SourceError for a patch that does not fit, or that would touch
    anything but files below the checkout's top; then nothing is changed.
    """
    if checkout.owned is None:
        raise SourceError(
            "the uncommitted changes of the run cannot be applied to your own folder", hint=_REMEDY
        )
    text = patch.read_bytes()
    if not re.search(rb"(?m)^diff --git ", text):  # it only lists what it omits
        return checkout
    top = checkout.root.resolve()
    names = _names(top, patch, text, environ)
    _check_names(top, names, makes_links=re.search(rb"(?m)^new (?:file )?mode 120000$", text) is not None)
    _git(top, patch, environ)
    return checkout._replace(dirty=True, patched=identities(top, names))


def _names(top: Path, patch: Path, text: bytes, environ: Mapping[str, str]) -> list[str]:
    """The files that a patch is about, as git reads it; a rename would have a second name that git does not list."""
    if re.search(rb"(?m)^(?:rename|copy) (?:from|to) ", text):
        raise SourceError(
            "the run's uncommitted changes rename files, which projrun's diffs never do", hint=_REMEDY
        )
    listed = _git(top, patch, environ, "--numstat", "-z")
    names = [os.fsdecode(_NAME.sub(b"", item, count=1)) for item in listed.split(b"\0") if item]
    return [name.removeprefix(f"{top.name}/") for name in names]


def _check_names(top: Path, names: list[str], *, makes_links: bool) -> None:
    """git refuses `..`, absolute paths and `.git` itself; a link on the way is refused here.

    A patch may make a link and then write through it: old versions of git did (CVE-2023-23946).
    """
    changed = set(names)
    for name in names:
        parents = [parent.as_posix() for parent in Path(name).parents][:-1]
        if any((top / parent).is_symlink() or (makes_links and parent in changed) for parent in parents):
            raise SourceError(
                f"the run's uncommitted changes reach through a link, to {name!r}, and are refused",
                hint=_REMEDY,
            )


def _git(top: Path, patch: Path, environ: Mapping[str, str], *words: str) -> bytes:
    """`git apply`, as outside of any repository: the configuration of one is not read, nor its index changed."""
    place = {"GIT_CEILING_DIRECTORIES": str(top.parent.parent)}
    settings = git_environ({**environ, **place}, protocols="none", settings=_SETTINGS)
    argv = ["git", *_WORDS, *words, f"--directory={top.name}", "--", str(patch)]
    try:
        done = subprocess.run(
            argv, cwd=top.parent, env=settings, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT,
            check=False,
        )  # fmt: skip
    except OSError as error:
        raise SourceError(f"git cannot be started: {error.strerror}", hint="install git") from None
    except subprocess.TimeoutExpired:
        raise SourceError(
            f"git took longer than {_TIMEOUT:.0f} s to apply the run's uncommitted changes", hint=_REMEDY
        ) from None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").replace(f"{top.name}/", "").strip()
        raise SourceError("the run's uncommitted changes cannot be applied", hint=_REMEDY, detail=said)
    return done.stdout
