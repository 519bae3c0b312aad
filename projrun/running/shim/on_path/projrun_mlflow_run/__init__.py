"""What MLflow loads when it is imported: a provider of no tags, which redirects `mlflow.run` to projrun.

Everything in this folder runs in the command's own Python, 3.6 or later, with the standard library alone.
"""

import sys


class RunContext(object):  # Python 2 reads this module, too, and does nothing
    """A context provider of MLflow that is never in context."""

    def __init__(self):
        # type: () -> None
        if sys.version_info >= (3, 6):
            from .redirect import install

            install()

    def in_context(self):
        # type: () -> bool
        """There are no tags from here."""
        return False

    def tags(self):
        # type: () -> dict[str, str]
        """None."""
        return {}
