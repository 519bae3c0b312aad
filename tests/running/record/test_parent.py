"""How a run is recorded on this machine first, and which options of the command line have no effect."""

from __future__ import annotations

from pathlib import Path

import pytest

from projrun.running.record.parent import TrackingTarget, journaling, unused_journaling
from projrun.settings import Settings
from projrun.tracking.uri import parse_tracking_uri

OFFLINE, BUFFER = "offline-tracking", "tracking-buffer"
SERVER, FILE = "http://127.0.0.1:5000", "sqlite:////tmp/runs.db"


@pytest.mark.parametrize(
    ("options", "variables", "uri", "said"),
    [
        ({OFFLINE}, {}, SERVER, ""),
        ({BUFFER}, {}, SERVER, ""),
        ({OFFLINE, BUFFER}, {}, SERVER, "--tracking-buffer: no effect, as the run is recorded offline"),
        ({BUFFER}, {"PROJRUN_OFFLINE_TRACKING"}, SERVER, "--tracking-buffer: no effect"),
        ({OFFLINE}, {"PROJRUN_TRACKING_BUFFER"}, SERVER, ""),
        ({OFFLINE}, {}, FILE, f"--offline-tracking: no effect, as {FILE} is no tracking server"),
        ({OFFLINE, BUFFER}, {}, FILE, "--offline-tracking and --tracking-buffer: no effect"),
        (set(), {"PROJRUN_TRACKING_BUFFER", "PROJRUN_OFFLINE_TRACKING"}, FILE, ""),
    ],
)
def test_an_option_without_effect_is_named(
    options: set[str], variables: set[str], uri: str, said: str
) -> None:
    environ = dict.fromkeys(variables, "1")
    settings = Settings(dict.fromkeys(options, "1"), environ, Path("/no/such/file"))
    target = parse_tracking_uri(uri)
    tracking = TrackingTarget(target, "", journaling(settings, environ, target))
    warned = unused_journaling(settings, tracking)
    assert warned.startswith(said) if said else warned == ""
