"""From a project URI to a checkout: the first stage of a run. On the hot path for local folders."""

from __future__ import annotations

import os
from pathlib import Path

from projrun.errors import RequestError
from projrun.sources.checkout import Checkout
from projrun.sources.git.work_tree import find_top, read_repository
from projrun.sources.local import local_checkout, recorded_name
from projrun.sources.options import FetchOptions
from projrun.sources.places import copies
from projrun.sources.subdirectory import enter_subdirectory, is_folder
from projrun.sources.uri import ProjectUri, parse_project_uri
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.sources.cached_tree import CachedTree


def fetch(uri: str, version: str | None, options: FetchOptions) -> Checkout:
    """The project that a URI names, at a version: a branch, a tag or a commit, or an archive's `sha256:HASH`.

    A local folder is used in place. Everything else comes from the cache, fetched into it first if needed, and the
    run gets its own copy (`Checkout.owned`, to be given to `discard`) unless the options say otherwise. Raises
    RequestError for an invalid URI, subfolder or version, SourceError if fetching failed or is
    refused; then nothing is left behind.
    """
    parsed = parse_project_uri(uri, options.caller_directory)
    if parsed.kind == "local" and version is None:
        return local_checkout(parsed, options)
    if parsed.web_path and version is not None:
        raise RequestError(
            f"--version {version!r} conflicts with {parsed.web_path!r} in the address",
            hint=f"remove --version, or give {parsed.recorded.partition('#')[0]}#FOLDER",
        )
    from projrun.sources.trusted_folders import prepare_cache

    prepare_cache(options.cache)
    if parsed.kind == "archive":
        from projrun.sources.archives.fetch import fetch_archive

        return _checkout(_remote(parsed, version), fetch_archive(parsed.location, version, options), options)
    from projrun.sources.git.fetch import fetch_repository
    from projrun.sources.version import check_version

    checked = None if version is None else check_version(version)
    if parsed.kind == "local":
        plain, location = _local_version(parsed, checked, options)
    else:
        plain, location = _remote(parsed, checked), parsed.location
    return _checkout(plain, fetch_repository(location, checked, options, web_path=parsed.web_path), options)


def discard(checkout: Checkout) -> None:
    """Remove what was checked out for this run alone, read-only files too; the user's own folder never."""
    if checkout.owned is not None:
        from projrun.cache.locked_folders import remove_held

        remove_held(checkout.owned)


def _remote(uri: ProjectUri, version: str | None) -> Checkout:
    repository = uri.recorded.partition("#")[0] if uri.kind == "git" else None
    return Checkout(uri.recorded, Path(), Path(), uri.subdirectory, repository=repository, version=version)


def _local_version(uri: ProjectUri, version: str | None, options: FetchOptions) -> tuple[Checkout, str]:
    """A version of the user's repository, from a copy: the user's work tree is not touched (docs/mlproject.md)."""
    place = Path(os.path.realpath(uri.location))
    top = find_top(place)
    if top is None:
        raise RequestError(
            f"--version needs a git repository, and {uri.location} is a plain folder",
            hint="remove --version",
        )
    folder = (place.relative_to(top) / uri.subdirectory).as_posix()
    plain = Checkout(
        recorded_name(uri, place, top),
        Path(),
        Path(),
        "" if folder == "." else folder,
        uri.script,
        repository=read_repository(top, options.environ),
        version=version,
    )
    return plain, top.as_uri()


def _checkout(plain: Checkout, fetched: CachedTree, options: FetchOptions) -> Checkout:
    from projrun.sources.trusted_folders import check_owned

    check_owned(fetched.tree.parent)  # the entry, which only its owner may enter
    plain = _within(plain, fetched.subdirectory)._replace(
        commit=fetched.commit,
        branch=fetched.branch,
        version=fetched.version or plain.version,
        digest=fetched.digest,
        cached=fetched.tree,
        warnings=fetched.warnings,
        notes=fetched.notes,
    )
    shown = plain.uri.partition("#")[0] + (f" at {plain.version}" if plain.version else "")
    tree = fetched.tree.resolve()
    plain = plain._replace(subdirectory=_below_top(plain.subdirectory, fetched.top, tree))
    directory = enter_subdirectory(tree, plain.subdirectory, shown)  # before anything is copied
    if not options.own_copy:
        return plain._replace(root=tree, directory=directory)
    from projrun.sources.copies.run_copies import make_copy

    facts = {"source": plain.uri, "commit": plain.commit, "digest": plain.digest}
    root = make_copy(tree, copies(options.cache).resolve(), facts)
    if plain.commit and plain.branch:
        from projrun.sources.git.checkouts import enter_branch

        enter_branch(root, plain.commit, plain.branch)
    return plain._replace(root=root, directory=root / directory.relative_to(tree), owned=root)


def _below_top(subdirectory: str, top: str, tree: Path) -> str:
    """An archive's folder from the tree: its path may begin with the single top folder, as in MLflow, or not."""
    first, _, rest = subdirectory.partition("/")
    return rest if top and first == top and is_folder(tree / rest) else subdirectory


def _within(plain: Checkout, folder: str) -> Checkout:
    """With the folder that a web address names, which becomes a part of the recorded URI."""
    if not folder:
        return plain
    subdirectory = "/".join(part for part in (folder, plain.subdirectory) if part)
    return plain._replace(uri=f"{plain.uri.partition('#')[0]}#{subdirectory}", subdirectory=subdirectory)
