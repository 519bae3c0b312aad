"""The conformance kits: what a store, a backend or an environment manager must do, as tests to subclass."""

from __future__ import annotations

import pytest

# Their assertions then say what was compared, as those of a test file do.
pytest.register_assert_rewrite(
    "projrun.testing.artifacts",
    "projrun.testing.histories",
    "projrun.testing.models",
    "projrun.testing.run_store_logging",
    "projrun.testing.run_store_runs",
    "projrun.testing.run_store_search",
    "projrun.testing.run_store",
)
