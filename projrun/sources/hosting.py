"""URLs of hosting sites' pages, read as a repository and a location in it.

The addresses are those of github.com, of GitLab on any host, and of bitbucket.org. Imported only for what is fetched.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from projrun.credentials import redact_uri
from projrun.errors import RequestError
from projrun.sources.address import Address
from projrun.sources.kinds import is_archive_name
from projrun.sources.version import is_commit, is_reference_name

_GITHUB = ("github.com", "www.github.com")
_BITBUCKET = ("bitbucket.org", "www.bitbucket.org")
_WWW = r"(?i)(//|@)www\.(?=(?:github\.com|bitbucket\.org)(?::\d+)?$)"
_OWNER = r"[A-Za-z0-9][A-Za-z0-9_-]*"
_REPOSITORY = r"(?!\.{1,2}$)[A-Za-z0-9_.][A-Za-z0-9_.-]*"
_FOLDER_PAGES = ("tree", "src")
_COMMIT_PAGES = ("commit", "commits")
_FILE_PAGES = ("blob", "blame")


class WebAddress(NamedTuple):
    """A page of a hosting site that shows a folder of a repository."""

    repository: str
    """The URL without `.git`, with the credentials that were written."""
    path: str
    """`REF/DIR`, not separated; empty for the default branch's top."""


class _Page(NamedTuple):
    repository: str
    """The path of the repository, as it is written."""
    word: str
    """`tree`, `commit`, `blob`…"""
    rest: str


def expand_shorthand(location: str) -> str:
    """`gh:OWNER/REPOSITORY` as the repository's URL; RequestError where it is not of that form."""
    owner, _, name = location.removeprefix("gh:").removesuffix("/").partition("/")
    name = name.removesuffix(".git")
    if not (re.fullmatch(_OWNER, owner) and re.fullmatch(_REPOSITORY, name)):
        raise RequestError(
            f"{redact_uri(location)!r} is not gh:OWNER/REPOSITORY",
            hint="a folder in it is gh:OWNER/REPOSITORY#FOLDER, a branch --version BRANCH; "
            "a host called gh is ssh://gh/PATH",
        )
    return f"https://github.com/{owner}/{name}"


def read_web_address(location: str, address: Address) -> WebAddress | None:
    """The repository and the place in it that a page's address names; None for any other address.

    `address` is the location, read. Raises RequestError for a page that shows no folder, and for an invalid
    location.
    """
    if address.protocol not in ("http", "https"):
        return None
    path = address.path.partition("?")[0]
    site = re.sub(_WWW, r"\1", location[: len(location) - len(address.path)])
    page = _page(address.host, path.rstrip("/"))
    if page is None:
        return None
    repository = site + page.repository.removesuffix(".git")
    if page.word in _FOLDER_PAGES:
        return WebAddress(repository, _checked_path(unquote(page.rest), location))
    if page.word in _COMMIT_PAGES and is_commit(page.rest):
        return WebAddress(repository, page.rest)
    if page.word not in _FILE_PAGES and is_archive_name(path):
        return None  # what the site packs for a download
    raise RequestError(
        f"{redact_uri(location)!r} is not the URL of a folder",
        hint=f"give the folder's page, or {redact_uri(repository)}#FOLDER",
    )


def _page(host: str, path: str) -> _Page | None:
    repository, mark, rest = path.partition("/-/")
    if mark and repository.strip("/"):  # GitLab, wherever it is installed
        word, _, rest = rest.partition("/")
        return _Page(repository, word, rest)
    if host not in _GITHUB and host not in _BITBUCKET:
        return None
    match = re.fullmatch(r"(/+[^/]+/+[^/]+)/+([^/]+)(?:/+(.*))?", path)
    return None if match is None else _Page(match[1], match[2], match[3] or "")


def _checked_path(path: str, location: str) -> str:
    """The `REF/DIR` without empty parts; both end in git's arguments, and DIR in a path."""
    parts = [part for part in path.split("/") if part]
    if not parts:
        return ""
    hostile = re.search(r"[\x00-\x1f\x7f\\]", path) or {".", ".."} & set(parts)
    if hostile or not is_reference_name(parts[0]):
        raise RequestError(
            f"{redact_uri(location)!r} has no branch, tag or commit with a folder",
            hint="give the URL of a folder's page",
        )
    return "/".join(parts)
