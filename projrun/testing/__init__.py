"""The conformance kits: what a store, a backend or an environment manager must do, as tests to subclass."""

from __future__ import annotations

import pkgutil

import pytest

# Their assertions then say what was compared, as those of a test file do.
pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)))
