"""`--tracking-buffer`: the command logs to a store of this machine, which a thread replicates to the server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from starlette.types import ASGIApp

from projrun.errors import ProjrunError
from projrun.journal.journal import Journal
from projrun.journal.replication import Replication
from projrun.running.session import Session
from projrun.server.endpoint import Endpoint
from projrun.server.forwarding import Buffered
from projrun.tracking.entities import Run
from projrun.tracking.open import open_store
from projrun.tracking.rest.upstream import RestUpstream
from projrun.tracking.runs import Deadline, RunStore


@contextmanager
def buffering_endpoint(session: Session, addresses: Sequence[str]) -> Iterator[Endpoint]:
    """The endpoint of the run. At the end, what the server does not have waits in the run's folder."""
    plan, folder, run = session.plan, session.lease.folder, _recorded(session)
    with Journal(folder) as journal:
        journal.adopt(run)
    upstream = RestUpstream(plan.tracking.uri.text, plan.environ)

    def around(application: ASGIApp) -> ASGIApp:
        return Buffered(application, upstream, run.run_id)

    def target(deadline: Deadline) -> RunStore:
        return open_store(plan.tracking.uri, plan.environ, warn=lambda text: None, deadline=deadline)

    def view() -> RunStore:
        return Journal(folder).view(run)

    with (
        Replication(folder, target) as replication,
        Endpoint.open(view, addresses, session.lease.note_created, around) as endpoint,
    ):
        yield endpoint
    for text in replication.refused:
        session.reporter.warning(f"not recorded, and not tried again: {text}")


def _recorded(session: Session) -> Run:
    """The run as its server has it now, else as it was created."""
    try:
        return session.store.get_run(session.recorder.run.run_id)
    except ProjrunError:
        return session.recorder.run
