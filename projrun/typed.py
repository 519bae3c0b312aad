"""Names of `typing` for modules that every run imports: importing `typing` takes a twentieth of a start.

A contract is a plain class at run time. What only annotations name is imported under TYPE_CHECKING.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol as Protocol
    from typing import cast as cast
else:

    class Protocol:
        """The base of a contract: what has its members fulfils it."""

    def cast(kind, value):
        """The value itself."""
        return value
