"""The uncommitted changes of a run's source, recorded before the run can make more of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from projrun.reporting import Reporter
from projrun.sources.changes.patch import Patch, take_patch
from projrun.sources.checkout import Checkout
from projrun.sources.git.work_tree import GitFailure, find_top, read_work_tree

PATCH = "source/dirty.patch"
"""The artifact."""
PATCH_TAG = "projrun.source.patch"
"""`complete`; `partial: ` or `not taken: `, and why."""


def record_changes(
    checkout: Checkout,
    environ: Mapping[str, str],
    *,
    scratch: Path,
    upload: Callable[[Path, str], bool],
    reporter: Reporter,
) -> str:
    """Upload the patch as an artifact, by way of a file in `scratch`; the text of PATCH_TAG. A failure is a warning."""
    try:
        patch = _patch(checkout, environ)
        _upload(patch, scratch / "dirty.patch", upload)
    except (GitFailure, OSError) as failure:
        reason = failure.strerror if isinstance(failure, OSError) else failure
        reporter.warning(f"the uncommitted changes are not recorded: {reason}")
        return f"not taken: {reason}"
    if not patch.complete:
        reporter.info(f"not all uncommitted changes are recorded: {patch.summary}")
    return patch.summary


def _patch(checkout: Checkout, environ: Mapping[str, str]) -> Patch:
    top = find_top(checkout.directory)
    if top is None or (checkout.owned and not top.is_relative_to(checkout.root)):
        raise GitFailure("there is no repository in the checkout")
    # None: the changes of a repeated run were put into its checkout.
    tree = checkout.work_tree or read_work_tree(top, checkout.directory, environ)
    if tree.commit is None:
        raise GitFailure(tree.warnings[0] if tree.warnings else "there is no commit")
    return take_patch(top, checkout.directory, tree, environ)


def _upload(patch: Patch, file: Path, upload: Callable[[Path, str], bool]) -> None:
    file.write_bytes(patch.text)
    try:
        if not upload(file, PATCH):
            raise GitFailure("the patch could not be stored")
    finally:
        file.unlink()
