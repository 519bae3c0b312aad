"""The record of uncommitted changes: the patch as an artifact, and what it lacks as a tag."""

from __future__ import annotations

from projrun.running.session import Session
from projrun.sources.changes.record import PATCH_TAG, record_changes


def record_patch(session: Session) -> None:
    """Record them, unless the run is continued and is of another source."""
    plan, recorder = session.plan, session.recorder
    if recorder.before is not None:
        from projrun.running.record.continuation import has_source

        if not has_source(recorder.before, plan.checkout):
            return
    with session.reporter.activity("recording the uncommitted changes"):
        summary = record_changes(
            plan.checkout,
            plan.environ,
            scratch=session.lease.scratch,
            upload=recorder.artifact,
            reporter=session.reporter,
        )
    recorder.tag({PATCH_TAG: summary})
