"""Saves the models that the tests of the scoring server serve: `python scoring_models_script.py FOLDER`."""

import os
import sys
import time
from pathlib import Path

import mlflow
import numpy as np  # type: ignore[import-not-found]
import pandas as pd  # type: ignore[import-untyped]
from mlflow.models import ModelSignature, infer_signature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema, TensorSpec
from sklearn.linear_model import LinearRegression


class Obedient(mlflow.pyfunc.PythonModel):  # type: ignore[misc]  # MLflow's class is not typed
    """Does what the first cell of the column `command` says."""

    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        """Its own process's number, or what became of it."""
        word, _, value = str(model_input["command"][0]).partition(" ")
        if word == "sleep":
            time.sleep(float(value))
        elif word == "die":
            os._exit(3)
        elif word == "raise":
            raise ValueError(value)
        elif word == "print":
            print(value)
        elif word == "set":
            return {1, 2}
        return [os.getpid()]


class Rows(mlflow.pyfunc.PythonModel):  # type: ignore[misc]  # MLflow's class is not typed
    """Doubles the column `x`, in a call that takes long for 0.5, and says how many rows it has."""

    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        """One prediction a row, unless `how` says otherwise."""
        print(f"rows {len(model_input)}", flush=True)
        values, how = model_input["x"], params["how"]
        time.sleep(0.6 if values[0] == 0.5 else 0.05)
        if 666 in set(values):
            os._exit(3)
        if 13 in set(values) or (how == "single" and len(values) > 1):
            raise ValueError("not with me")
        if how == "centred":
            return list(values - values.mean())
        if how == "mean":
            return [values.mean()]
        return [value * 2 for value in values]


class Broken(mlflow.pyfunc.PythonModel):  # type: ignore[misc]  # MLflow's class is not typed
    """Cannot be loaded."""

    def load_context(self, context):  # type: ignore[no-untyped-def]
        """As a model does whose file is missing."""
        raise RuntimeError("the weights are not there")

    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        """Never called."""
        return []


class Told(mlflow.pyfunc.PythonModel):  # type: ignore[misc]  # MLflow's class is not typed
    """Answers with what it was given, types included."""

    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        """In texts, which every version of pandas writes alike."""
        if isinstance(model_input, pd.DataFrame):
            types = {str(name): str(kind) for name, kind in model_input.dtypes.items()}
            told = {
                "types": types,
                "rows": [[repr(cell) for cell in row] for row in model_input.values.tolist()],
            }
        elif isinstance(model_input, dict):
            told = {
                key: [str(getattr(value, "dtype", type(value))), repr(value)]
                for key, value in model_input.items()
            }
        else:
            told = {
                "kind": type(model_input).__name__,
                "type": str(getattr(model_input, "dtype", "")),
                "is": repr(model_input),
            }
        return {"told": told, "params": params}


EVERY = Schema(
    [
        ColSpec(kind, kind.name, required=kind != DataType.string)
        for kind in (
            DataType.boolean, DataType.integer, DataType.long, DataType.float, DataType.double, DataType.string,
            DataType.binary, DataType.datetime,
        )
    ]
)  # fmt: skip
PARAMS = ParamSchema(
    [ParamSpec("depth", DataType.integer, 3), ParamSpec("words", DataType.string, ["a"], (-1,))]
)
TABLE = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [1.0, 0.0, 1.0, 0.0]})


def main(root: Path) -> None:
    """Save all of them."""
    model = LinearRegression().fit(TABLE, [1.0, 2.0, 3.0, 4.0])
    mlflow.sklearn.save_model(model, root / "sklearn", signature=infer_signature(TABLE, model.predict(TABLE)))
    mlflow.sklearn.save_model(model, root / "example", input_example=TABLE.head(1))
    save = mlflow.pyfunc.save_model
    save(root / "obedient", python_model=Obedient())
    how = ParamSchema([ParamSpec("how", DataType.string, "")])
    save(root / "rows", python_model=Rows(), signature=ModelSignature(None, None, how))
    save(root / "broken", python_model=Broken())
    save(root / "plain", python_model=Told())
    save(root / "every", python_model=Told(), signature=ModelSignature(EVERY, None, PARAMS))
    tensor = Schema([TensorSpec(np.dtype("float32"), (-1, 2))])
    save(root / "tensor", python_model=Told(), signature=ModelSignature(tensor))
    named = Schema([TensorSpec(np.dtype("int64"), (-1, 2), "x"), TensorSpec(np.dtype("float64"), (-1,), "y")])
    save(root / "tensors", python_model=Told(), signature=ModelSignature(named))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
