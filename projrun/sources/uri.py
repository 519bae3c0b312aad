"""Project URIs as people write them, read once; nothing is fetched. On the hot path: keep it light.

A URI is hostile input: what git or a shell could take for an option or a command is refused here.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal, NamedTuple

from projrun.errors import RequestError, SourceError
from projrun.sources.subdirectory import parse_subdirectory

GIT_SCHEMES = ("http", "https", "ssh", "git")
"""The protocols that a remote git repository may be fetched over; `file` serves local ones."""

_KINDS = "a folder, http(s)://HOST/OWNER/REPOSITORY, ssh://HOST/PATH or git@HOST:OWNER/REPOSITORY"
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TRANSPORT_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.-]*::")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_SECURE_COPY = re.compile(r"(?:(?P<user>[^@:/]+)@)?(?P<host>\[[^]/]+\]|[^@:/\\]{2,}):(?P<path>.+)")
_AUTHORITY = re.compile(r"(?:(?P<user>.*)@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[\w.~-]+)(?::(?P<port>\d+))?")


class ProjectUri(NamedTuple):
    """A project URI that was understood. `location` may hold credentials: people are shown `recorded`."""

    kind: Literal["local", "git", "archive"]
    location: str
    """An absolute path (a folder's, an archive's), as written otherwise, what git fetches from, an archive's URL."""
    subdirectory: str
    recorded: str
    """The URI without credentials, with `#sub/dir`."""
    web_path: str = ""
    """The `REF/DIR` of a web address, not told apart yet: the names of branches may hold slashes."""


def parse_project_uri(text: str, caller_directory: Path) -> ProjectUri:
    """What a URI names (MLPROJECT.md, "Project URIs"); relative paths are relative to `caller_directory`.

    A local path that exists wins over everything that looks like a repository's address. Raises
    RequestError for a path that does not exist and a subfolder that climbs, SourceError for a URI that is
    refused or that projrun cannot fetch.
    """
    _refuse_hostile(text)
    whole = _local_path(text, caller_directory)
    if whole is not None and _is_folder(whole):  # a folder whose name holds a "#"
        return _local(whole, "")
    location, _, fragment = text.partition("#")
    subdirectory = parse_subdirectory(fragment)
    path = _local_path(location, caller_directory)
    if path is not None and (_is_folder(path) or not _is_remote(location)):
        return _local(_existing_folder(path, location), subdirectory)
    return _remote(location, subdirectory)


def redact_uri(uri: str) -> str:
    """A URI as people may see it: no user and password, no query values.

    The user of an ssh address stays, since it is part of the place (`git@host`) and no secret. Works on text
    that is no valid URI too, since it is used in the messages that say so.
    """
    match = _SCHEME.match(uri)
    if match is None:
        if uri.startswith("//"):
            return re.sub(r"^//[^/]*@", "//", uri)
        return re.sub(r"^([^@/:]+):[^@/]*@", r"\1@", uri)
    head, rest = uri[: match.end()], uri[match.end() :]
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    if authority and _AUTHORITY.fullmatch(authority) is None:
        # A password with a slash in it, say, ends the host's part early: what stands before the last @ goes.
        rest = rest.rpartition("@")[2] if "@" in rest else "***"
    rest, sign, fragment = rest.partition("#")
    rest, query = _without_query_values(rest)
    authority, slash, path = rest.partition("/")
    user, at, host = authority.rpartition("@")
    kept = user.partition(":")[0] + at if "ssh" in match.group(1).lower() else ""
    return head + kept + host + slash + path + query + sign + fragment


def _without_query_values(text: str) -> tuple[str, str]:
    base, mark, query = text.partition("?")
    if not mark:
        return base, ""
    items = [item.partition("=") for item in query.split("&")]
    return base, "?" + "&".join(f"{name}=***" if equals else "***" for name, equals, _ in items)


def is_bare_repository(path: Path) -> bool:
    """Whether a folder is itself a git repository with no work tree (git's own test: HEAD, objects, refs)."""
    return _exists(path / "HEAD") and _is_folder(path / "objects") and _is_folder(path / "refs")


def _refuse_hostile(text: str) -> None:
    if not text or text.startswith("#"):
        raise RequestError(
            "the project URI names no project", hint=f"give {_KINDS}; '.' is the current folder"
        )
    if _CONTROL.search(text):
        raise SourceError(f"the project URI {redact_uri(text)!r} has control characters in it")
    if text.startswith("-"):
        raise SourceError(
            f"the project URI {redact_uri(text)!r} starts with '-'",
            hint="write a folder of such a name as './-name'",
        )
    if _TRANSPORT_HELPER.match(text):
        raise SourceError(
            f"{text.partition('::')[0] + '::'!r} runs a command of its own to fetch and is refused",
            hint=f"give {_KINDS}",
        )


def _local_path(location: str, caller_directory: Path) -> Path | None:
    """The path that a plain path or a `file:` URI stands for; None for other schemes."""
    match = _SCHEME.match(location)
    if match is None:
        return caller_directory / location
    if match.group(1).lower() != "file":
        return None
    from urllib.parse import unquote

    host, slash, path = location[match.end() :].partition("/")
    written = slash + path
    # MLflow writes such URIs without percent signs for spaces: what exists as it is written is meant so.
    path = written if _is_folder(Path(written)) else unquote(written)
    if host not in ("", "localhost") or not path or _CONTROL.search(path):
        raise SourceError(
            f"{redact_uri(location)!r} names no folder on this machine", hint="write file:///absolute/path"
        )
    return Path(path[1:] if os.name == "nt" else path)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name that is too long, a folder that may not be entered
        return False


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _is_remote(location: str) -> bool:
    return _SCHEME.match(location) is None and _SECURE_COPY.fullmatch(location) is not None


def _existing_folder(path: Path, location: str) -> Path:
    if _is_folder(path):
        return path
    _refuse_archive(location)
    if _exists(path):
        raise RequestError(
            f"{redact_uri(location)!r} is a file, not a project's folder",
            hint=f"give its folder and -e {path.name}",
        )
    raise RequestError(f"there is no folder {redact_uri(location)!r}", hint=f"a project is {_KINDS}")


def _refuse_archive(location: str) -> None:
    if location.partition("?")[0].lower().endswith(_ARCHIVES):
        raise SourceError(
            f"{redact_uri(location)!r} is an archive: archives come in a later release",
            hint="unpack it and give the folder",
        )


def _local(path: Path, subdirectory: str) -> ProjectUri:
    # MLflow records the absolute path; one with ".." may pass through links, so only the real one is right.
    place = os.path.realpath(path) if ".." in path.parts else str(path.absolute())
    shown = place + (f"#{subdirectory}" if subdirectory else "")
    # A name that is no UTF-8 could not be recorded.
    recorded = shown.encode("utf-8", "backslashreplace").decode()
    if is_bare_repository(path):
        return ProjectUri("git", Path(place).as_uri(), subdirectory, f"file://{recorded}")
    return ProjectUri("local", place, subdirectory, recorded)


def _remote(location: str, subdirectory: str) -> ProjectUri:
    _refuse_archive(location)
    address, secure_copy = _SCHEME.match(location), _SECURE_COPY.fullmatch(location)
    if address is not None:
        _check_address(location, address)
        location = address.group().lower() + location[address.end() :]
    elif secure_copy is not None:
        _check_secure_copy(location, secure_copy)
    recorded = redact_uri(location) + (f"#{subdirectory}" if subdirectory else "")
    return ProjectUri("git", location, subdirectory, recorded)


def _check_address(location: str, match: re.Match[str]) -> None:
    if match.group(1).lower() not in GIT_SCHEMES:
        raise SourceError(
            f"projrun cannot fetch {redact_uri(location)!r}: {match.group(1)!r} is no protocol it knows",
            hint=f"give {_KINDS}",
        )
    authority, _, path = location[match.end() :].partition("/")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None or parts["host"].startswith("-") or (parts["user"] or "").startswith("-"):
        raise SourceError(
            f"{redact_uri(location)!r} names no host", hint="write it as https://HOST/OWNER/REPOSITORY"
        )
    if not path.strip("/"):
        raise SourceError(f"{redact_uri(location)!r} names a host and no repository on it")


def _check_secure_copy(location: str, match: re.Match[str]) -> None:
    word = match["host"].lower()
    # `git:` and `ssh:` may be names of hosts; `https:me:password@host` would show the password to ssh.
    if word in ("http", "https") or (word in (*GIT_SCHEMES, "file") and match["path"].startswith("/")):
        raise SourceError(f"'{match['host']}:' needs two slashes", hint=f"write it as {match['host']}://...")
    if any((match[part] or "").startswith("-") for part in ("user", "host", "path")):
        raise SourceError(
            f"{redact_uri(location)!r} has a part that starts with '-'", hint="ssh would read it as an option"
        )
