"""Requirement lines as pip reads them: `-r` and `-c` files followed, local paths made absolute."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote

from projrun.credentials import without_credentials
from projrun.errors import RequestError
from projrun.project.files import exists, is_allowed, is_file, is_inside
from projrun.project.text import read_text
from projrun.tuples import NamedTuple

_VARIABLE = r"\$\{([A-Z0-9_]+)\}"
_OPTION = r"(--[a-z][a-z-]*|-[a-zA-Z])(?:\s*=\s*|\s+|(?=\S)|$)(.*)"
_NAMED = r"(?s)([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(\[[^\]]*\])?\s*(.*)"
_SPECIFIERS = r"\(?\s*(?:===|==|>=|<=|!=|~=|<|>)\s*\w[\s\w.,<>=!~*+\-]*\)?"
_URL = r"[A-Za-z][A-Za-z0-9+.-]*://\S+"
_EXTRAS = r"\[[\w\s,.-]*\]$"
_PLAIN_PATH = r"[\w@%+=:,./\\~-]+"
_ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2")
_MOST_FILES = 200
_INCLUDES = {"-r": "-r", "--requirement": "-r", "-c": "-c", "--constraint": "-c"}


class LocalDependency(NamedTuple):
    """A dependency on a folder or file of this machine."""

    path: Path
    editable: bool
    origin: str
    """`requirements.txt:3`, for messages."""


class Requirements(NamedTuple):
    """Lines to hand to an installer: nothing in them depends on a working folder."""

    lines: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    local: tuple[LocalDependency, ...] = ()
    files: tuple[Path, ...] = ()
    """The files that were followed."""
    warnings: tuple[str, ...] = ()

    @property
    def packages(self) -> int:
        """How many packages are asked for."""
        return sum(1 for line in self.lines if not line.startswith("-") or line.startswith("-e "))


class Line(NamedTuple):
    """A logical line and where it was written."""

    text: str
    origin: str


def read_requirements_file(
    file: Path, project: Path, environ: Mapping[str, str], within: Path | None = None
) -> Requirements:
    """A requirements file and all that it includes; RequestError names file and line.

    Of a fetched project they must be in its checkout, `within`. The lines of files outside the project are not shown.
    """
    reader = _Reader(project, environ, within)
    reader.read_file(file, constraints=False)
    return reader.result()


def read_requirement_lines(
    lines: Iterable[Line],
    folder: Path,
    project: Path,
    environ: Mapping[str, str],
    within: Path | None = None,
) -> Requirements:
    """Lines of a list in an environment file in `folder`."""
    reader = _Reader(project, environ, within)
    for line in lines:
        reader.read_line(line, folder, constraints=False)
    return reader.result()


def referenced_variables(lines: Iterable[str]) -> frozenset[str]:
    """The `${NAME}`s that pip fills in from the environment: how files name credentials."""
    return frozenset(name for line in lines for name in re.findall(_VARIABLE, line))


def refuse_outside(requirements: Iterable[Requirements], within: Path | None, project: Path) -> None:
    """RequestError for a local dependency that lies outside `within`, the checkout of a fetched project."""
    for one in (local for each in requirements for local in each.local):
        if not is_allowed(one.path, within):
            raise RequestError(
                f"{one.origin}: {display_name(one.path, project)} leaves the fetched project",
                hint="name a folder or file of the same repository or archive",
            )


class _UnshownError(RequestError):
    """It shows nothing of a file outside the project."""


class _Reader:
    def __init__(self, project: Path, environ: Mapping[str, str], within: Path | None) -> None:
        self._project = project
        self._within = within
        self._environ = environ
        self._lines: list[str] = []
        self._constraints: list[str] = []
        self._local: list[LocalDependency] = []
        self._files: list[tuple[Path, bool]] = []
        self._warnings: list[str] = []

    def result(self) -> Requirements:
        files = tuple(dict.fromkeys(file for file, _ in self._files))
        return Requirements(
            tuple(self._lines), tuple(self._constraints), tuple(self._local), files, tuple(self._warnings)
        )

    def read_file(self, file: Path, *, constraints: bool) -> None:
        file = Path(os.path.normpath(file))
        if (file, constraints) in self._files:
            return
        self._files.append((file, constraints))
        name = display_name(file, self._project)
        if len(self._files) > _MOST_FILES:
            raise RequestError(f"{name}: more than {_MOST_FILES} requirements files include each other")
        outside = not is_inside(self._project, file)
        for number, text in logical_lines(read_text(file, name)):
            try:
                self.read_line(Line(text, f"{name}:{number}"), file.parent, constraints=constraints)
            except _UnshownError:
                raise
            except RequestError:
                if not outside:
                    raise
                raise _UnshownError(
                    f"{name}:{number}: not a line of a requirements file",
                    hint="it is not shown, since the file is outside the project",
                ) from None

    def read_line(self, line: Line, folder: Path, *, constraints: bool) -> None:
        text = without_comment(line.text).strip()
        if not text:
            return
        line = line._replace(text=text)
        if text.startswith("-"):
            self._read_option(line, folder, constraints=constraints)
        else:
            self._keep(self._requirement(line, folder), constraints=constraints)

    def _read_option(self, line: Line, folder: Path, *, constraints: bool) -> None:
        match = re.match(_OPTION, line.text)
        name, value = (match[1], _unquoted(match[2].strip())) if match else (line.text, "")
        if name in _INCLUDES:
            self._include(line, value, folder, constraints=constraints or _INCLUDES[name] == "-c")
        elif name in ("-e", "--editable"):
            self._keep(f"-e {self._editable(line, value, folder)}", constraints=constraints)
        elif name in ("-f", "--find-links"):
            self._keep(f"--find-links {self._find_links(line, value, folder)}", constraints=False)
        else:
            self._keep(line.text, constraints=False)

    def _keep(self, text: str, *, constraints: bool) -> None:
        (self._constraints if constraints else self._lines).append(text)

    def _include(self, line: Line, value: str, folder: Path, *, constraints: bool) -> None:
        if not value:
            raise RequestError(f"{line.origin}: {line.text!r} has no file name")
        value = self._expand(value)
        if "://" in value and not value.startswith("file:"):
            self._keep(f"{'-c' if constraints else '-r'} {value}", constraints=False)
            self._warnings.append(
                f"{line.origin}: {without_credentials(value)} is read when the environment is built;"
                " later changes to it are not detected"
            )
            return
        relative = _path_of_url(value) if value.startswith("file:") else value
        found = self._first_existing(relative, (folder, self._project))
        if found is None:
            raise RequestError(f"{line.origin}: file {value!r} not found", hint=f"looked in {folder}")
        if not is_file(found):
            raise RequestError(f"{line.origin}: {value!r} is not a file")
        if not is_allowed(found, self._within):
            raise _UnshownError(
                f"{line.origin}: {value!r} leaves the fetched project",
                hint="name a file of the same repository or archive",
            )
        self.read_file(found, constraints=constraints)

    def _editable(self, line: Line, value: str, folder: Path) -> str:
        if not value:
            raise RequestError(f"{line.origin}: {line.text!r} has no folder name")
        if "://" in value and not value.startswith("file:"):
            return value
        return self._local_requirement(line, value, folder, editable=True)

    def _requirement(self, line: Line, folder: Path) -> str:
        text = line.text
        body, marker = _split_marker(text)
        named = re.fullmatch(_NAMED, body)
        if named and named[3].startswith("@"):
            return self._direct_reference(line, named, marker, folder)
        if _is_path(body):
            return self._local_requirement(line, body, folder, editable=False) + marker
        if not re.fullmatch(_URL, body):
            _check_named(line, named)
        return text

    def _direct_reference(self, line: Line, named: re.Match[str], marker: str, folder: Path) -> str:
        target = named[3][1:].strip()
        if not target:
            raise RequestError(f"{line.origin}: {line.text!r} has nothing after the @")
        if "://" in target and not target.startswith("file:"):
            return line.text
        path = self._local_path(line, target, folder)
        self._local.append(LocalDependency(path, False, line.origin))
        return f"{named[1]}{named[2] or ''} @ {path.as_uri()}{marker}"

    def _local_requirement(self, line: Line, value: str, folder: Path, *, editable: bool) -> str:
        value, marker = _split_marker(value)
        extras = re.search(_EXTRAS, value)
        path = self._local_path(line, value[: extras.start()] if extras else value, folder)
        self._local.append(LocalDependency(path, editable, line.origin))
        text = str(path) if re.fullmatch(_PLAIN_PATH, str(path)) else path.as_uri()
        return f"{text}{extras[0] if extras else ''}{marker}"

    def _local_path(self, line: Line, value: str, folder: Path) -> Path:
        plain = self._expand(value).partition("#")[0]
        plain = _path_of_url(plain) if plain.startswith("file:") else plain
        found = self._first_existing(plain, (self._project, folder))
        if found is None:
            raise RequestError(
                f"{line.origin}: no file or folder {value!r}", hint=f"looked in {self._project}"
            )
        return found

    def _find_links(self, line: Line, value: str, folder: Path) -> str:
        if "://" in value:
            return value
        found = self._first_existing(self._expand(value), (folder, self._project))
        if found is None:
            return value
        if found.is_relative_to(self._project):
            # The project's own wheels count by content: its folder may be another one each time.
            self._local.append(LocalDependency(found, False, line.origin))
        return str(found)

    def _expand(self, text: str) -> str:
        return re.sub(_VARIABLE, lambda match: self._environ.get(match[1], match[0]), text)

    def _first_existing(self, value: str, folders: Iterable[Path]) -> Path | None:
        for folder in folders:
            path = Path(os.path.normpath(folder / os.path.expanduser(value)))  # noqa: PTH111 - Path raises for ~nobody
            if exists(path):
                return path
        return None


def logical_lines(text: str) -> Iterable[tuple[int, str]]:
    """Lines with backslash continuations joined, and the number of the first; comments are kept."""
    pending, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        start = start if pending else number
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            pending += line[:-1] + " "
            continue
        yield start, pending + line
        pending = ""
    if pending:
        yield start, pending


def without_comment(line: str) -> str:
    """The line without ` # …`, as pip reads it; in one pass, however many spaces there are."""
    found = re.search(r"(?:^|\s)#", line) if "#" in line else None
    return line[: found.start()].rstrip() if found else line


def display_name(file: Path, project: Path) -> str:
    """How messages call a file: relative to the project if it is inside."""
    return str(file.relative_to(project)) if file.is_relative_to(project) else str(file)


def _unquoted(text: str) -> str:
    quoted = len(text) > 1 and text[0] in "'\"" and text[-1] == text[0]
    return text[1:-1] if quoted else text


def _split_marker(text: str) -> tuple[str, str]:
    match = re.search(r";|\s--(?:hash|config-settings|global-option)\b", text)
    if match is None:
        return text, ""
    return text[: match.start()].rstrip(), f" {text[match.start() :].strip()}"


def _is_path(text: str) -> bool:
    bare = re.sub(_EXTRAS, "", text)
    if bare in (".", "..") or bare.startswith(("./", "../", ".\\", "/", "~/", "file:")):
        return True
    return "://" not in bare and ("/" in bare or bare.lower().endswith(_ARCHIVES))


def _check_named(line: Line, named: re.Match[str] | None) -> None:
    if named is None or (named[3] and not re.fullmatch(_SPECIFIERS, named[3])):
        shown = without_credentials(line.text)
        raise RequestError(
            f"{line.origin}: {shown!r} is not a requirement", hint="write it as pip expects it: name==1.2.3"
        )


def _path_of_url(url: str) -> str:
    path = unquote(url.removeprefix("file:"))
    if path.startswith("//"):
        _, _, rest = path[2:].partition("/")
        path = f"/{rest}"
    return path
