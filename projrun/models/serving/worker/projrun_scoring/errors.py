"""Errors in the shape of MLflow's, with its codes and HTTP statuses."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

JSON = "application/json"
BAD_REQUEST, INVALID, INTERNAL = "BAD_REQUEST", "INVALID_PARAMETER_VALUE", "INTERNAL_ERROR"
_STATUS = {BAD_REQUEST: 400, INVALID: 400, INTERNAL: 500}
_CLASS = {BAD_REQUEST: INVALID, INVALID: INVALID, INTERNAL: "CLIENT_INTERNAL_ERROR"}
_SQLSTATE = {INVALID: "KAM00", "CLIENT_INTERNAL_ERROR": "XXM00", "SCHEMA_ENFORCEMENT_FAILED": "KAM01"}
SCHEMA = "SCHEMA_ENFORCEMENT_FAILED"
"""The class of an error about data that does not fit the signature."""


class MlflowException(Exception):
    """What a request is refused with. Texts of other errors name this class, so it is called as MLflow's is."""

    def __init__(
        self, message: object, code: str = INTERNAL, error_class: str = "", stack_trace: str | None = None
    ) -> None:
        """`stack_trace` goes to the client, as MLflow sends it."""
        super().__init__(str(message))
        self.message = str(message)
        self.code = code
        self.error_class = error_class or _CLASS[code]
        self.stack_trace = stack_trace

    def answer(self) -> tuple[dict[str, Any], bytes]:
        """The head and the body of the answer."""
        told = {
            "error_code": self.code,
            "message": self.message,
            "sqlstate": _SQLSTATE[self.error_class],
            "error_class": self.error_class,
        }
        if self.stack_trace is not None:
            told["stack_trace"] = self.stack_trace
        return {"status": _STATUS[self.code], "type": JSON}, json.dumps(told).encode()


class MlflowInvalidInputException(MlflowException):
    """A request that cannot be understood."""

    def __init__(self, message: object) -> None:
        """MLflow's words before those of `message`."""
        super().__init__("Invalid input. {}".format(message), BAD_REQUEST)
