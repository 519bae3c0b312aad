"""Bodies of requests, parsed as MLflow's scoring protocol 2.0 says."""

from __future__ import annotations

import json
import traceback
from collections import defaultdict
from io import BytesIO, StringIO

import numpy as np

from .errors import BAD_REQUEST, MlflowException, MlflowInvalidInputException
from .frames import to_frame
from .nested import enforce_array, enforce_map, enforce_object
from .types import Array, Map, Object, Scalar, Schema, Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMATS = {"dataframe_records", "dataframe_split", "instances", "inputs"}
_ONE_OF = "The input must be a JSON dictionary with exactly one of the input fields {}".format(FORMATS)
CHANGED = (
    "IMPORTANT: The MLflow Model scoring protocol has changed in MLflow version 2.0. If you are seeing this error, you "
    "are likely using an outdated scoring request format. To resolve the error, either update your request format or "
    "adjust your MLflow Model's requirements file to specify an older version of MLflow (for example, change the "
    "'mlflow' requirement specifier to 'mlflow==1.30.0'). If you are making a request using the MLflow client (e.g. "
    "via `mlflow.pyfunc.spark_udf()`), upgrade your MLflow client to a version >= 2.0 in order to use the new request "
    "format. For more information about the updated MLflow Model scoring protocol in MLflow 2.0, see "
    "https://mlflow.org/docs/latest/models.html#deploy-mlflow-models."
)
_BARE = ("messages", "prompt", "input")
"""Keys of requests to language models: these bodies, and their answers, are taken as they are."""


class Parsed:
    """What a request gives to the model."""

    def __init__(self, data: Any, params: Any = None, is_bare: bool = False) -> None:
        """`is_bare` where the answer is not wrapped, either."""
        self.data = data
        self.params = params
        self.is_bare = is_bare


def parse_csv(body: bytes, schema: Schema | None) -> Any:
    """The table in a text. Raises MlflowException."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MlflowInvalidInputException(
            "Ensure that input is a valid UTF-8 encoded string. Error: '{!r}'".format(error)
        ) from None
    try:
        import pandas as pd

        types = dict(zip(schema.names, schema.pandas_types())) if schema else None
        return pd.read_csv(StringIO(text), dtype=types)
    except Exception as error:
        raise _no_table(error, "CSV-formatted", "pandas.DataFrame.to_csv()") from None


def parse_parquet(body: bytes) -> Any:
    """The table in a file of Parquet. Raises MlflowException."""
    try:
        import pandas as pd

        return pd.read_parquet(BytesIO(body))
    except Exception as error:
        raise _no_table(error, "Parquet", "pandas.DataFrame.to_parquet()") from None


def _no_table(error: Exception, form: str, writer: str) -> MlflowException:
    return MlflowException(
        "Failed to parse input as a Pandas DataFrame. Ensure that the input is a valid {} Pandas DataFrame produced "
        "using the `{}` method. Error: '{}'".format(form, writer, error),
        BAD_REQUEST,
        stack_trace=traceback.format_exc(),
    )


def parse_json(body: bytes, schema: Schema | None, known_params: set[str]) -> Parsed:
    """What the body says. Raises MlflowException."""
    given = _decoded(body)
    if any(key in given for key in _BARE):
        params = {key: given.pop(key) for key in list(given) if key in known_params}
        return Parsed(given, params, is_bare=True)
    form = FORMATS.intersection(given)
    if len(form) != 1:
        raise MlflowException(
            "{}. Received dictionary with input fields: {}. {}".format(
                _ONE_OF, [key for key in given if key in FORMATS], CHANGED
            ),
            BAD_REQUEST,
        )
    key = form.pop()
    value = given[key]
    said = given.get("params")
    if key.startswith("dataframe_"):
        return Parsed(to_frame(value, key[len("dataframe_") :], schema), said)
    try:
        return Parsed(_of_rows(value, schema) if key == "instances" else convert(value, schema), said)
    except MlflowException:
        raise
    except Exception as error:
        raise MlflowInvalidInputException(
            "Ensure that the input is a valid JSON-formatted string.\nError: {!r}".format(error)
        ) from error


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body)
    except ValueError as error:  # of JSON, or of UTF-8
        raise MlflowInvalidInputException(
            "Ensure that input is a valid JSON formatted string. Error: '{!r}'\nInput: \n{!r}\n".format(
                error, body
            )
        ) from None
    if isinstance(given, dict):
        return given
    if isinstance(given, list):
        raise MlflowInvalidInputException(_ONE_OF + ". Received a list.")
    raise MlflowInvalidInputException("{}. Received unexpected input type '{}.".format(_ONE_OF, type(given)))


def _of_rows(given: Any, schema: Schema | None) -> Any:
    """`instances`: rows, which become columns where they have names."""
    if isinstance(given, list) and given and isinstance(given[0], dict):
        specs = schema.by_name if schema else {}
        columns = defaultdict(list)
        for row in given:
            for name, value in row.items():
                columns[name].append(_converted(value, specs.get(name)))
        data = {name: np.array(values) for name, values in columns.items()}
    else:
        data = convert(given, schema)
    if isinstance(data, dict):
        _check_lengths(data, schema)
    return data


def _check_lengths(data: dict[str, Any], schema: Schema | None) -> None:
    names = {name for name, value in data.items() if isinstance(value, (list, np.ndarray))}
    if schema and schema.has_names:
        names &= {name for name in schema.required if not isinstance(schema.by_name[name].type, Array)}
    if len({len(data[name]) for name in names}) > 1:
        raise MlflowInvalidInputException("The length of values for each input/column name are not the same")


def convert(given: Any, schema: Schema | None) -> Any:
    """`inputs`: as they are, with arrays of NumPy for lists. Raises MlflowException."""
    specs = schema.by_name if schema else {}
    if schema is not None:
        if len(specs) == 1 and isinstance(given, list) and not any(isinstance(each, dict) for each in given):
            given = {next(iter(specs)): given}
        elif not schema.has_names and not (isinstance(given, list) or np.isscalar(given)):
            raise MlflowInvalidInputException(
                "Failed to parse input data. This model contains an un-named  model signature which expects a single "
                "n-dimensional array or a single value as input, however, an input of type {} was found.".format(
                    type(given)
                )
            )
    if isinstance(given, dict):
        return {name: _converted(value, specs.get(name)) for name, value in given.items()}
    if isinstance(given, list) and all(isinstance(each, dict) for each in given):
        return [{name: _converted(value, specs.get(name)) for name, value in row.items()} for row in given]
    spec = schema.inputs[0] if schema else None
    try:
        return _converted(given, spec)
    except Exception as error:
        if isinstance(given, list):
            raise
        raise MlflowInvalidInputException(
            "Failed to convert data `{}` to type `{}` defined in the model signature.".format(given, spec)
        ) from error


def _converted(value: Any, spec: Any) -> Any:
    try:
        if spec is None:
            return np.array(value)
        if isinstance(spec, Tensor):
            return np.array(value, dtype=spec.type)
        if isinstance(spec.type, Scalar):
            if isinstance(value, (list, np.ndarray)):
                return np.array(value, spec.type.numpy)
            return np.array([value], spec.type.numpy)[0]
        if isinstance(spec.type, Array):
            return np.array(enforce_array(value, spec.type, spec.required))
        if isinstance(spec.type, Object):
            return enforce_object(value, spec.type, spec.required)
        if isinstance(spec.type, Map):
            return enforce_map(value, spec.type, spec.required)
        return value
    except Exception as error:
        raise MlflowInvalidInputException(str(error)) from None
