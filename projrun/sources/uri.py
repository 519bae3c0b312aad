"""Project URIs as people write them, read once; nothing is fetched. On the hot path: keep it light.

A URI is hostile input: what git or a shell could take for an option or a command is refused, here or in `address`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote

from projrun.credentials import is_scheme, redact_uri
from projrun.errors import RequestError, SourceError
from projrun.sources.kinds import ARCHIVE_ENDINGS, ARCHIVE_SCHEMES, GIT_SCHEMES, is_archive_name
from projrun.sources.subdirectory import is_folder, parse_subdirectory
from projrun.tuples import NamedTuple
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Literal

    from projrun.sources.address import Address

_KINDS = (
    "a folder, an archive, a .py script, gh:OWNER/REPOSITORY, http(s)://HOST/OWNER/REPOSITORY, ssh://HOST/PATH "
    "or git@HOST:OWNER/REPOSITORY"
)
_CONTROL = r"[\x00-\x1f\x7f]"
_SECURE_COPY = r"(?:[^@:/]+@)?(\[[^]/]+\]|[^@:/\\]{2,}):(.+)"
_SHORTHAND = "gh:"
_QUOTES = "'\""


class ProjectUri(NamedTuple):
    """A parsed project URI. `location` may hold credentials: people are shown `recorded`."""

    kind: Literal["local", "git", "archive"]
    location: str
    """An absolute path (a folder's, an archive's), as written otherwise, what git fetches from, an archive's URL."""
    subdirectory: str
    recorded: str
    """The URI without credentials, with `#sub/dir`."""
    script: str = ""
    """The `.py` file that is named instead of its folder, `location`."""
    web_path: str = ""
    """The `REF/DIR` of a web address, not separated yet: branch names may contain slashes."""


def parse_project_uri(text: str, caller_directory: Path) -> ProjectUri:
    """What a URI names (docs/mlproject.md, "Project URIs"); relative paths are relative to `caller_directory`.

    A local path that exists wins over everything that looks like a repository's address. Quotes around the URI are
    removed, as MLflow does. Raises RequestError for a path that does not exist and a subfolder that leads out,
    SourceError for a URI that is refused or that projrun cannot fetch.
    """
    _refuse_hostile(text)
    whole = _local_path(text, caller_directory)
    found = None if whole is None else _existing(whole, "")  # a folder whose name holds a "#"
    if found:
        return found
    if text[0] in _QUOTES or text[-1] in _QUOTES:
        return parse_project_uri(text.strip(_QUOTES), caller_directory)
    location, _, fragment = text.partition("#")
    path = _local_path(location, caller_directory)
    found = None if path is None else _existing(path, fragment)
    if found:
        return _keep_scheme(found) if _scheme(location) else found
    if path is not None and not _is_remote(location):
        raise _nothing_there(path, location)
    return _remote(location, fragment)


def _keep_scheme(uri: ProjectUri) -> ProjectUri:
    """`TOP/sub` is recorded as `file://TOP#sub`: given again, as `projrun rerun` does, it stays the same."""
    if uri.kind == "local" and uri.subdirectory:
        return uri._replace(recorded=f"file://{uri.recorded}")
    return uri


def is_bare_repository(path: Path) -> bool:
    """Whether a folder is itself a git repository with no work tree (git's own test: HEAD, objects, refs)."""
    return _exists(path / "HEAD") and is_folder(path / "objects") and is_folder(path / "refs")


def _refuse_hostile(text: str) -> None:
    if not text or text.startswith("#"):
        raise RequestError(
            "the project URI has no location", hint=f"give {_KINDS}; '.' is the current folder"
        )
    if not text.isprintable() and re.search(_CONTROL, text):
        raise SourceError(f"the project URI {redact_uri(text)!r} contains control characters")
    if text.startswith("-"):
        raise SourceError(
            f"the project URI {redact_uri(text)!r} starts with '-'",
            hint="write such a folder as './-name'",
        )


def _scheme(location: str) -> str:
    """What comes before `://`; empty where there is none."""
    word, slashes, _ = location.partition("://")
    return word if slashes and is_scheme(word) else ""


def _local_path(location: str, caller_directory: Path) -> Path | None:
    """The path of a plain path or a `file:` URI; None for other schemes."""
    scheme = _scheme(location)
    if not scheme:
        return caller_directory / location
    if scheme.lower() != "file":
        return None
    host, slash, path = location[len(scheme) + 3 :].partition("/")
    written = slash + path
    # MLflow writes such URIs without percent signs for spaces: a path that exists as written is used as written.
    path = written if _exists(Path(written)) else unquote(written)
    if host not in ("", "localhost") or not path or re.search(_CONTROL, path):
        raise SourceError(
            f"{redact_uri(location)!r} is not a folder on this machine", hint="write file:///absolute/path"
        )
    return Path(path)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _is_remote(location: str) -> bool:
    if ":" not in location or _scheme(location):
        return False
    return re.fullmatch(_SECURE_COPY, location) is not None


def _existing(path: Path, fragment: str) -> ProjectUri | None:
    folder = is_folder(path)
    if not folder and not fragment and _is_script(path):
        around = _existing(path.parent, "")
        return around._replace(script=path.name) if around and around.kind == "local" else None
    if not folder and not (is_archive_name(path.name) and _exists(path)):
        return None
    subdirectory = parse_subdirectory(fragment)
    # MLflow records the absolute path; one with ".." may pass through links, so only the real one is right.
    place = os.path.realpath(path) if ".." in path.parts else str(path.absolute())
    # A name that is no UTF-8 could not be recorded.
    recorded = _with_subdirectory(place, subdirectory).encode("utf-8", "backslashreplace").decode()
    if not folder:
        return ProjectUri("archive", place, subdirectory, recorded)
    if is_bare_repository(path):
        return ProjectUri("git", Path(place).as_uri(), subdirectory, f"file://{recorded}")
    return ProjectUri("local", place, subdirectory, recorded)


def _is_script(path: Path) -> bool:
    try:
        return path.name.endswith(".py") and path.is_file()
    except OSError:
        return False


def _nothing_there(path: Path, location: str) -> RequestError:
    shown = redact_uri(location)
    if _exists(path):
        return RequestError(
            f"{shown!r} is a file, not a project's folder",
            hint=f"give its folder and -e {path.name}; an archive ends in {', '.join(ARCHIVE_ENDINGS)}",
        )
    kind = "archive" if is_archive_name(location) else "script" if location.endswith(".py") else "folder"
    hint = f"a project is {_KINDS}"
    if re.fullmatch(r"[A-Za-z0-9][\w-]*/[\w.-]+", location):
        hint = f"for the repository on GitHub, give gh:{location}"
    return RequestError(f"there is no {kind} {shown!r}", hint=hint)


def _with_subdirectory(text: str, subdirectory: str) -> str:
    return text + (f"#{subdirectory}" if subdirectory else "")


def _remote(location: str, fragment: str) -> ProjectUri:
    from projrun.sources.address import read_address
    from projrun.sources.hosting import expand_shorthand, read_web_address

    if location.startswith(_SHORTHAND):
        return _git(expand_shorthand(location), fragment)
    _refuse_missing_slashes(location)
    address = read_address(location)
    if "://" in location:
        location = address.protocol + location[len(address.protocol) :]
    web = read_web_address(location, address)
    if web is not None:
        return _git(web.repository, fragment)._replace(web_path=web.path)
    kind = _kind(location, address)
    # What follows a "#" may be the end of a password: only now is it known not to be.
    subdirectory = parse_subdirectory(fragment)
    return ProjectUri(kind, location, subdirectory, _with_subdirectory(redact_uri(location), subdirectory))


def _git(repository: str, fragment: str) -> ProjectUri:
    """A hosting site's repository. GitLab sends git on to the address that ends in `.git`: ask there at once."""
    subdirectory = parse_subdirectory(fragment)
    recorded = _with_subdirectory(redact_uri(repository), subdirectory)
    return ProjectUri("git", f"{repository}.git", subdirectory, recorded)


def _kind(location: str, address: Address) -> Literal["git", "archive"]:
    path = address.path.partition("?")[0]
    if not path.strip("/"):
        raise SourceError(
            f"{redact_uri(location)!r} has a host but no repository",
            hint="give its path, too: https://HOST/OWNER/REPOSITORY",
        )
    if is_archive_name(path) and address.protocol in ARCHIVE_SCHEMES:
        return "archive"
    if address.protocol in GIT_SCHEMES:
        return "git"
    raise _unknown_protocol(redact_uri(location), address.protocol)


def _unknown_protocol(shown: str, protocol: str) -> SourceError:
    if protocol in ARCHIVE_SCHEMES:
        return SourceError(
            f"{shown!r} is not an archive", hint=f"its name must end in {', '.join(ARCHIVE_ENDINGS)}"
        )
    hint = f"give {_KINDS}"
    if protocol.startswith("git+"):  # pip's way
        hint = f"write it as {protocol[4:]}://, and what follows the @ as --version"
    return SourceError(f"projrun cannot fetch {shown!r}: {protocol!r} is not supported", hint=hint)


def _refuse_missing_slashes(location: str) -> None:
    word, _, path = location.partition(":")
    known = word.lower()
    # `git:` and `ssh:` may be names of hosts; `https:me:password@host` would show the password to ssh.
    if not path.startswith("//") and (
        known in ("http", "https") or (known in (*GIT_SCHEMES, "file") and path.startswith("/"))
    ):
        raise SourceError(f"'{word}:' needs two slashes", hint=f"write it as {word}://...")
