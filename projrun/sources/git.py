"""Fetching a commit of a git repository. Imported only when a repository is to be fetched."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from projrun.errors import SourceError
from projrun.sources.access import Access, access_to
from projrun.sources.fetched import Fetched
from projrun.sources.git_process import Git
from projrun.sources.git_process import GitError as _GitError
from projrun.sources.options import FetchOptions
from projrun.sources.places import checkouts
from projrun.sources.uri import redact_uri
from projrun.sources.version import is_commit, is_full_commit, is_reference_name
from projrun.suggestions import did_you_mean

_PROTOCOLS = "http:https:ssh:git:file"
_EVERYTHING = (
    "+refs/heads/*:refs/remotes/origin/*",
    "+refs/tags/*:refs/tags/*",
    "+refs/remotes/*:refs/projrun/*",  # what a local repository knows of its own remotes
)
_HINTS = (
    (
        ("resolve host", "connect to", "timed out", "unreachable", "unable to connect"),
        "is the address right?",
    ),
    (
        ("Authentication failed", "could not read", "Permission denied", "returned error: 403", "publickey"),
        "the repository asks for credentials: set up a git credential helper or an ssh key for it",
    ),
    (("Host key verification",), "connect to that host with ssh once, to accept its key"),
    (("not found", "does not exist", "not appear to be a git"), "is the address right, and may you read it?"),
    (("dubious ownership",), "someone else owns that folder; see `git help config`, safe.directory"),
    (("No space left",), "free some space, or set PROJRUN_CACHE_DIR to another disk"),
)


class _Target(NamedTuple):
    """What to fetch, and what to check out then."""

    refspecs: tuple[str, ...]
    """What holds the commit at depth 1; empty where only the whole history can tell."""
    start: str
    """What names the commit once it is fetched."""
    branch: str | None = None
    """The branch to be on; else no branch (a detached HEAD)."""


def fetch_repository(
    location: str, version: str | None, options: FetchOptions, *, web_path: str = ""
) -> Fetched:
    """The checkout of a version (a branch, a tag, a commit, full or short; None: the default branch).

    `web_path` is the `REF/DIR` of a web address, where REF may hold slashes. Raises SourceError with git's own words.
    """
    shown = redact_uri(location)
    folder = checkouts(options.cache) / os.urandom(8).hex()
    folder.mkdir(parents=True, mode=0o700)
    repository = _Repository(access_to(location, options.environ), folder, options.environ)
    try:
        repository.create()
        target = _find(repository, version, shown)
        _fetch_target(repository, target)
        commit = _resolve(repository, target, version, shown)
        _check_out(repository, commit, target.branch)
        return Fetched(folder, commit, target.branch, version)
    except _GitError as error:
        raise _failure(shown, str(error)) from None


class _Repository:
    """The new repository, and the git that works in it."""

    def __init__(self, access: Access, folder: Path, environ: Mapping[str, str]) -> None:
        self._git = Git(folder / ".git", environ, work_tree=folder, access=access, protocols=_PROTOCOLS)

    def create(self) -> None:
        """An empty repository without hooks whose remote is the project's."""
        self.run("init", "--quiet", "--template=")
        self.run("remote", "add", "--", "origin", self._git.access.url)

    def run(self, *words: str) -> str:
        return self._git.run(*words)

    def references(self, *patterns: str) -> dict[str, str]:
        """The remote's references and what they point to; `symbolic HEAD` is the default branch's reference."""
        lines = self.run("ls-remote", "--quiet", "--symref", "--end-of-options", "origin", *patterns)
        pairs = [line.partition("\t") for line in lines.splitlines()]
        found = {name: value for value, _, name in pairs if not value.startswith("ref: ")}
        symbolic = {f"symbolic {name}": value[5:] for value, _, name in pairs if value.startswith("ref: ")}
        return {**found, **symbolic}


def _find(repository: _Repository, version: str | None, shown: str) -> _Target:
    if version is None:
        return _default_branch(repository, shown)
    branch, tag, tracking = f"refs/heads/{version}", f"refs/tags/{version}", f"refs/remotes/origin/{version}"
    found = repository.references(branch, tag, tracking)
    if branch in found:
        return _Target((f"+{branch}:{tracking}",), tracking, version)
    if tag in found:
        return _Target((f"+{tag}:{tag}",), f"{tag}^{{commit}}")
    if tracking in found:
        return _Target((f"+{tracking}:{tracking}",), tracking, version)
    if is_commit(version):
        return _Target((version.lower(),) if is_full_commit(version) else (), f"{version}^{{commit}}")
    raise _unknown_version(repository, version, shown)


def _default_branch(repository: _Repository, shown: str) -> _Target:
    found = repository.references("HEAD")
    if "HEAD" not in found:
        raise SourceError(f"{shown} has no commit on its default branch", hint="name a branch with --version")
    branch = found.get("symbolic HEAD", "").removeprefix("refs/heads/")
    tracking = "refs/remotes/origin/HEAD"
    # The name is the server's to choose: as hostile as the user's text.
    return _Target((f"+HEAD:{tracking}",), tracking, branch if is_reference_name(branch) else None)


def _unknown_version(repository: _Repository, version: str, shown: str) -> SourceError:
    references = repository.references("refs/heads/*", "refs/tags/*")
    names = {name.split("/", 2)[2].removesuffix("^{}") for name in references}
    return SourceError(
        f"{shown} has no branch, tag or commit {version!r}{did_you_mean(version, names)}",
        hint="a commit must be on a branch or a tag, to be found by its hash" if is_commit(version) else "",
    )


def _fetch_target(repository: _Repository, target: _Target) -> None:
    words = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules")
    if target.refspecs:
        try:
            repository.run(*words, "--depth=1", "--end-of-options", "origin", *target.refspecs)
            return
        except _GitError:  # a server that knows no shallow fetch, or gives out no commit by its hash
            pass
    complete = target.refspecs if target.start.startswith("refs/") else _EVERYTHING
    repository.run(*words, "--end-of-options", "origin", *complete)


def _resolve(repository: _Repository, target: _Target, version: str | None, shown: str) -> str:
    try:
        return repository.run("rev-parse", "--verify", target.start).strip()
    except _GitError as error:
        if version is None or "ambiguous" in str(error):
            raise
        raise _unknown_version(repository, version, shown) from None


def _check_out(repository: _Repository, commit: str, branch: str | None) -> None:
    words = ("checkout", "--quiet", "--force", "--no-recurse-submodules")
    place = ("--detach",) if branch is None else ("--no-track", "-B", branch)
    repository.run(*words, *place, commit, "--")


def _failure(shown: str, said: str) -> SourceError:
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["git failed and said nothing"]
    reasons = [line for word in ("fatal:", "error:") for line in lines if line.startswith(word)]
    reason = (reasons or lines[-1:])[0]
    hint = next((hint for words, hint in _HINTS if any(word in said for word in words)), "")
    detail = "\n".join(lines) if lines != [reason] else ""
    return SourceError(f"could not fetch {shown}: {reason}", hint=hint, detail=detail)
