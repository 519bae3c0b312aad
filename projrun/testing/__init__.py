"""The conformance kits: what a store, a backend or an environment manager must do, as tests to subclass."""

from __future__ import annotations

import pytest

# Their assertions then say what was compared, as those of a test file do.
pytest.register_assert_rewrite(
    "projrun.testing.tracking_artifacts",
    "projrun.testing.tracking_logging",
    "projrun.testing.tracking_runs",
    "projrun.testing.tracking_search",
    "projrun.testing.tracking_store",
)
