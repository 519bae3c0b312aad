"""A model that was loaded, and its answers to requests."""

from __future__ import annotations

import importlib
import inspect
import traceback

from .bodies import CHANGED, Parsed, parse_csv, parse_json, parse_parquet
from .enforcing import enforce
from .errors import BAD_REQUEST, MlflowException
from .params import enforce_params, parse_params
from .predictions import encode
from .types import Schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Answer = tuple[dict[str, Any], bytes]

JSON, CSV, PARQUET = "application/json", "text/csv", "application/vnd.apache.parquet"


class Model:
    """Answers as MLflow's scoring server does, without importing it."""

    def __init__(self, predict: Callable[..., Any], signature: dict[str, Any] | None, version: str) -> None:
        """`predict` takes the data, and `params` where it has such an argument; `signature` is the MLmodel file's."""
        signature = signature or {}
        inputs, params = signature.get("inputs"), signature.get("params")
        self.version = version
        self.errors = (MlflowException,)
        self._schema = Schema(inputs) if inputs else None
        _import_pandas(self._schema)
        self._params = parse_params(params) if params else None
        self._names = {param.name for param in self._params or ()}
        self._predict = predict
        taken = inspect.signature(predict).parameters.get("params")
        self._takes_params = taken is not None and taken.kind != inspect.Parameter.VAR_KEYWORD

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """The model's predictions for data as its signature has it. Raises MlflowException for any other."""
        if self._schema is not None:
            data = enforce(data, self._schema)
        params = enforce_params(params, self._params)
        return self._predict(data, params=params) if self._takes_params else self._predict(data)

    def answer(self, content_type: str, body: bytes) -> Answer:
        """The head and the body of the answer to a request for predictions."""
        kind, refusal = _kind(content_type)
        if refusal:
            return {"status": 415, "type": "text/plain"}, refusal.encode()
        try:
            parsed = self._parsed(kind, body)
            return {"status": 200, "type": JSON}, encode(self._predictions(parsed), is_bare=parsed.is_bare)
        except MlflowException as error:
            return self.refusal(error)

    def refusal(self, error: MlflowException) -> Answer:
        """The head and the body of the answer that an error is."""
        return error.answer()

    def _parsed(self, kind: str, body: bytes) -> Parsed:
        if kind == JSON:
            return parse_json(body, self._schema, self._names)
        return Parsed(parse_csv(body, self._schema) if kind == CSV else parse_parquet(body))

    def _predictions(self, parsed: Parsed) -> Any:
        try:
            return self.predict(parsed.data, parsed.params)
        except MlflowException as error:
            error.message = "Failed to predict data '{}'. \nError: {}".format(parsed.data, error.message)
            raise
        except Exception:
            raise MlflowException(
                "Encountered an unexpected error while evaluating the model. Verify that the serialized input "
                "Dataframe is compatible with the model for inference.",
                BAD_REQUEST,
                stack_trace=traceback.format_exc(),
            ) from None


def _import_pandas(schema: Schema | None) -> None:
    """Not in the first request. Tensors do without; where nothing is known, it is there or not."""
    if schema is not None and schema.is_tensors:
        return
    try:
        importlib.import_module("pandas")
    except ModuleNotFoundError:
        if schema is not None:
            raise


def _kind(content_type: str) -> tuple[str, str]:
    """The kind of a body, and why it is refused where it is."""
    kind, *others = [part.strip() for part in content_type.split(";")]
    told = dict(part.partition("=")[::2] for part in others)
    if told.pop("charset", "utf-8").lower() != "utf-8":
        return kind, "The scoring server only supports UTF-8"
    if told:
        return kind, "Unrecognized content type parameters: {}. {}".format(", ".join(told), CHANGED)
    known = [CSV, JSON, PARQUET]
    if kind not in known:
        return kind, "This predictor only supports the following content types: Types: {}. Got '{}'.".format(
            known, content_type
        )
    return kind, ""
