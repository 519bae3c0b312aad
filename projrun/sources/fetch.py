"""From a project URI to a checkout: the first stage of a run. On the hot path for local folders."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from projrun.errors import RequestError, SourceError
from projrun.sources.checkout import Checkout
from projrun.sources.local import local_checkout, recorded_name
from projrun.sources.subdirectory import enter_subdirectory
from projrun.sources.uri import ProjectUri, parse_project_uri
from projrun.sources.work_tree import find_top, read_repository


def fetch(
    uri: str,
    *,
    version: str | None,
    checkouts_directory: Path,
    environ: Mapping[str, str],
    caller_directory: Path,
) -> Checkout:
    """The project that a URI names, at a version: a branch, a tag or a commit.

    A local folder is used where it is; a repository, and a version of a local one, is checked out into a
    folder of its own below `checkouts_directory` (`Checkout.owned`, to be given to `discard`). Raises
    RequestError for a URI, subfolder or version that cannot be meant, SourceError where fetching failed; then
    nothing is left behind.
    """
    parsed = parse_project_uri(uri, caller_directory)
    if parsed.kind == "local" and version is None:
        return local_checkout(parsed, environ)
    from projrun.sources.version import check_version

    checked = None if version is None else check_version(version)
    if parsed.kind == "local":
        return _fetch_local_version(parsed, checked, checkouts_directory, environ)
    return _fetch_remote(parsed, checked, checkouts_directory, environ)


def discard(checkout: Checkout) -> None:
    """Remove what was checked out for this run alone, read-only files too; the user's own folder never."""
    if checkout.owned is not None:
        remove_folder(checkout.owned)


def remove_folder(folder: Path) -> None:
    """Remove a folder with all it holds, read-only folders too. Never fails: what cannot be removed stays."""
    from shutil import rmtree

    rmtree(folder, ignore_errors=True)
    if not folder.exists():
        return
    _make_writable(folder)
    for path, folders, files in os.walk(folder):
        for name in (*folders, *files):
            _make_writable(Path(path, name))
    rmtree(folder, ignore_errors=True)


def _make_writable(path: Path) -> None:
    if not path.is_symlink():  # what a link leads to is not ours
        with suppress(OSError):
            path.chmod(0o700)


def _fetch_remote(
    uri: ProjectUri, version: str | None, checkouts_directory: Path, environ: Mapping[str, str]
) -> Checkout:
    shown = uri.recorded.partition("#")[0]
    plain = Checkout(uri.recorded, Path(), Path(), uri.subdirectory, repository=shown, version=version)
    return _check_out(plain, uri.location, checkouts_directory, environ)


def _fetch_local_version(
    uri: ProjectUri, version: str | None, checkouts_directory: Path, environ: Mapping[str, str]
) -> Checkout:
    """A version of the user's repository, from a copy: the user's work tree is not touched (MLPROJECT.md)."""
    place = Path(os.path.realpath(uri.location))
    top = find_top(place)
    if top is None:
        raise RequestError(
            f"--version needs a git repository, and {uri.location} is a plain folder",
            hint="leave --version away",
        )
    folder = (place.relative_to(top) / uri.subdirectory).as_posix()
    plain = Checkout(
        recorded_name(uri, place, top),
        Path(),
        Path(),
        "" if folder == "." else folder,
        repository=read_repository(top, environ),
        version=version,
    )
    return _check_out(plain, top.as_uri(), checkouts_directory, environ)


def _check_out(
    plain: Checkout, location: str, checkouts_directory: Path, environ: Mapping[str, str]
) -> Checkout:
    from projrun.sources.git import fetch_repository

    with _new_folder(checkouts_directory) as root:
        fetched = fetch_repository(location, plain.version, root, environ)
        shown = plain.uri.partition("#")[0] + (f" at {plain.version}" if plain.version else "")
        return plain._replace(
            root=root,
            directory=enter_subdirectory(root, plain.subdirectory, shown),
            commit=fetched.commit,
            branch=fetched.branch,
            owned=root,
            warnings=_submodule_warnings(root, shown),
        )


def _submodule_warnings(root: Path, shown: str) -> tuple[str, ...]:
    return (f"the submodules of {shown} are not fetched",) if (root / ".gitmodules").exists() else ()


@contextmanager
def _new_folder(checkouts_directory: Path) -> Iterator[Path]:
    """A folder that only its owner may enter, with a name that nobody can foresee; removed on any error."""
    try:
        checkouts_directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = checkouts_directory.resolve() / os.urandom(8).hex()
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise SourceError(
            f"cannot make a folder for the checkout in {checkouts_directory}: {error.strerror}",
            hint="set PROJRUN_CACHE_DIR to a folder that can be written",
        ) from error
    try:
        yield folder
    except BaseException:
        remove_folder(folder)
        raise
