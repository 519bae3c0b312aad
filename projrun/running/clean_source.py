"""`--require-clean`: for which runs it counts."""

from __future__ import annotations

from projrun.running.record.parent import PARENT_RUN_ID
from projrun.running.request import Context
from projrun.sources.changes.cleanliness import check_clean
from projrun.sources.checkout import Checkout


def require_clean(checkout: Checkout, context: Context) -> None:
    """Refuse uncommitted changes with RequestError, where the setting is on."""
    rule = context.settings.get("require-clean")
    if rule is None or not context.settings.enabled("require-clean"):
        return
    # The steps of a run inherit its variables, and find what the steps before them wrote into the project's folder.
    if rule.origin == "--require-clean" or not context.environ.get(PARENT_RUN_ID):
        check_clean(checkout, rule.origin)
