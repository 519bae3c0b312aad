"""The uncommitted changes of a run's source, recorded before the run can make more of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from projrun.sources.changes.patch import Patch, take_patch
from projrun.sources.git.work_tree import GitFailure, find_top, read_work_tree

if TYPE_CHECKING:
    from projrun.running.runner import Session
    from projrun.sources.checkout import Checkout

PATCH = "source/dirty.patch"
"""The artifact."""
PATCH_TAG = "projrun.source.patch"
"""`complete`; `partial: ` or `not taken: `, and why."""


def record_changes(session: Session) -> None:
    """The patch as an artifact, and a tag that says whether it is complete. What fails is a warning."""
    warn = session.reporter.warning
    try:
        patch = _patch(session.plan.checkout, session.plan.environ)
        _upload(session, patch)
    except (GitFailure, OSError) as failure:
        reason = failure.strerror if isinstance(failure, OSError) else failure
        warn(f"the uncommitted changes are not recorded: {reason}")
        session.recorder.tag({PATCH_TAG: f"not taken: {reason}"})
        return
    if not patch.complete:
        session.reporter.info(f"not all uncommitted changes are recorded: {patch.summary}")
    session.recorder.tag({PATCH_TAG: patch.summary})


def _patch(checkout: Checkout, environ: Mapping[str, str]) -> Patch:
    top = find_top(checkout.directory)
    if top is None or (checkout.owned and not top.is_relative_to(checkout.root)):
        raise GitFailure("there is no repository in the checkout")
    # None: the changes of a repeated run were put into its checkout.
    tree = checkout.work_tree or read_work_tree(top, checkout.directory, environ)
    if tree.commit is None:
        raise GitFailure(tree.warnings[0] if tree.warnings else "there is no commit")
    return take_patch(top, checkout.directory, tree, environ)


def _upload(session: Session, patch: Patch) -> None:
    file = session.lease.scratch / "dirty.patch"
    file.write_bytes(patch.text)
    try:
        if not session.recorder.artifact(file, PATCH):
            raise GitFailure("the patch could not be stored")
    finally:
        file.unlink()
