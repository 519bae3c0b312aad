"""The differential probe: requests sent to a real `mlflow server` and to ours are answered alike.

What is answered otherwise on purpose is said beside the request, with a reason in `probe/allowed.py`. It is compared
too: a difference that is gone fails.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing

import pytest

from projrun.server.endpoint import Endpoint
from projrun.tracking.sql.store import SqlStore
from tests.integration.probe.allowed import ALLOWED
from tests.integration.probe.comparing import differences
from tests.integration.probe.reading import read_calls, scenarios
from tests.integration.probe.sending import Server

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Our server, as a client that does not see its files."""
    database = tmp_path_factory.mktemp("probe") / "projrun.db"
    with Endpoint.open(lambda: SqlStore.open(database)) as endpoint:
        yield endpoint.uri_at("127.0.0.1")


@pytest.mark.parametrize("scenario", scenarios())
def test_same_answers(scenario: str, ours: str, mlflow3_server: str) -> None:
    calls, unique = read_calls(scenario), f"p{uuid.uuid4().hex[:8]}"
    with (
        closing(Server(mlflow3_server, unique)) as theirs_server,
        closing(Server(ours, unique)) as our_server,
    ):
        pairs = zip(calls, theirs_server.send(calls), our_server.send(calls), strict=True)
    report = []
    for call, theirs, own in pairs:
        found = differences(theirs, own)
        if found and not call.allowed:
            report += [call.line[:300], *(f"    {line}" for line in found)]
        if call.allowed and not found:
            report.append(f"no longer different: {call.line[:300]}")
    assert not report, "\n".join(report)


def test_what_differs_has_a_reason() -> None:
    named = {call.allowed for scenario in scenarios() for call in read_calls(scenario)} - {""}
    assert named == ALLOWED.keys()
    assert len(ALLOWED) <= 10
    assert sum(len(read_calls(scenario)) for scenario in scenarios()) >= 400
