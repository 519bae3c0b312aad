"""A local folder as a project: the user's own, read and never changed. On the hot path."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from projrun.errors import RequestError
from projrun.sources.checkout import Checkout
from projrun.sources.git.work_tree import WorkTreeInquiry, find_top, read_work_tree
from projrun.sources.options import FetchOptions
from projrun.sources.subdirectory import enter_subdirectory
from projrun.sources.uri import ProjectUri, parse_project_uri


def asked_ahead(
    uri: str,
    caller_directory: Path,
    environ: Mapping[str, str],
    shield: Callable[[], AbstractContextManager[None]],
) -> AbstractContextManager[WorkTreeInquiry | None]:
    """What `FetchOptions.inquiry` takes, for the `with` block; None unless the URI names a folder of a work tree.

    Mistakes in the URI are left for `fetch` to find.
    """
    try:
        parsed = parse_project_uri(uri, caller_directory)
        if parsed.kind == "local":
            _, directory = _folders(parsed)
            top = find_top(directory)
            if top is not None:
                return WorkTreeInquiry(top, directory, environ, shield)
    except RequestError:
        pass
    return nullcontext()


def local_checkout(uri: ProjectUri, options: FetchOptions) -> Checkout:
    """The folder itself, with git's state of it in a work tree; RequestError for a bad subfolder."""
    root, directory = _folders(uri)
    plain = Checkout(uri.recorded, root, directory, uri.subdirectory, uri.script)
    top = find_top(directory)
    if top is None:
        return plain
    asked = options.inquiry
    if asked is not None and asked.directory == directory:
        state = asked.state()
    else:
        state = read_work_tree(top, directory, options.environ)
    return plain._replace(
        uri=recorded_name(uri, directory, top),
        commit=state.commit,
        branch=state.branch,
        repository=state.repository,
        dirty=state.dirty,
        work_tree=state,
        warnings=state.warnings,
    )


def _folders(uri: ProjectUri) -> tuple[Path, Path]:
    """The real paths of the folder and of the project's folder in it; RequestError for a bad subfolder."""
    root = Path(os.path.realpath(uri.location))
    return root, enter_subdirectory(root, uri.subdirectory, uri.location)


def recorded_name(uri: ProjectUri, directory: Path, top: Path) -> str:
    """What MLflow records for a folder of a work tree: `file://TOP#FOLDER`; `PATH#sub` stays what it is."""
    if uri.subdirectory:  # the part after `file://` is the top
        at_top = os.path.realpath(uri.location) == str(top)
        return uri.recorded if at_top else uri.recorded.removeprefix("file://")
    folder = directory.relative_to(top).parts
    written = Path(uri.recorded)
    if written.parts[len(written.parts) - len(folder) :] == folder:
        # A link above the top stays in the name, as it does in MLflow's.
        above = Path(*written.parts[: len(written.parts) - len(folder)])
        top = above if Path(os.path.realpath(above)) == top else top
    shown = f"file://{top}" + (f"#{'/'.join(folder)}" if folder else "")
    return shown.encode("utf-8", "backslashreplace").decode()
