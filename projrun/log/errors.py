"""What can be wrong, for who asks; recording itself never raises."""

from __future__ import annotations


class LogError(Exception):
    """A question that cannot be answered, or a call that makes no sense; recording itself never raises."""


class AwayError(Exception):
    """The server cannot be reached, or cannot answer now: what was to be sent may be sent later."""


class RefusedError(LogError):
    """The server says no, and would say it again."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
