"""Saves the models that the tests of the scoring server serve: `python scoring_models_script.py FOLDER`."""

import sys
from functools import partial
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import ModelSignature, infer_signature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema, TensorSpec
from mlflow.types.schema import AnyType, Array, Map, Object, Property
from sklearn.linear_model import LinearRegression, LogisticRegression


class Custom(mlflow.pyfunc.PythonModel):  # type: ignore[misc]  # MLflow's class is not typed
    """Uses a module that is saved with it."""

    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        """What came."""
        from scoring_told import Told  # type: ignore[import-not-found]  # beside the model

        return Told().predict(model_input, params)


class Back(mlflow.pyfunc.PythonModel):  # type: ignore[misc]  # MLflow's class is not typed
    """Gives back what it was given."""

    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        """What came."""
        return model_input


class Broken(mlflow.pyfunc.PythonModel):  # type: ignore[misc]  # MLflow's class is not typed
    """Cannot be loaded."""

    def load_context(self, context):  # type: ignore[no-untyped-def]
        """As a model does whose file is missing."""
        raise RuntimeError("the weights are not there")

    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        """Never called."""
        return []


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
PERSON = Object([Property("name", DataType.string), Property("age", DataType.long, required=False)])
NESTED = Schema(
    [
        ColSpec(Array(DataType.long), "longs"),
        ColSpec(Array(Array(DataType.double)), "lists", required=False),
        ColSpec(PERSON, "person"),
        ColSpec(Array(PERSON), "people", required=False),
        ColSpec(Map(DataType.string), "map", required=False),
        ColSpec(AnyType(), "any", required=False),
        ColSpec(DataType.double, "number", required=False),
    ]
)
UNNAMED = Schema([ColSpec(DataType.double), ColSpec(DataType.string)])
TEXT = Schema([ColSpec(DataType.string)])
TOLD, OBEDIENT, ROWS, SUMS = (
    str(Path(__file__).with_name(f"scoring_{name}.py")) for name in ("told", "obedient", "rows", "sums")
)
TENSOR = Schema([TensorSpec(np.dtype("float32"), (-1, 2))])
TENSORS = Schema([TensorSpec(np.dtype("int64"), (-1, 2), "x"), TensorSpec(np.dtype("float64"), (-1,), "y")])
TABLE = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [1.0, 0.0, 1.0, 0.0]})


def main(root: Path) -> None:
    """Save all of them."""
    model = LinearRegression().fit(TABLE, [1.0, 2.0, 3.0, 4.0])
    signature = infer_signature(TABLE, model.predict(TABLE))
    needed = ["scikit-learn"]
    mlflow.sklearn.save_model(model, root / "sklearn", signature=signature, pip_requirements=needed)
    mlflow.sklearn.save_model(model, root / "example", input_example=TABLE.head(1), pip_requirements=needed)
    classes = LogisticRegression().fit(TABLE, [0, 1, 0, 1])
    mlflow.sklearn.save_model(
        classes,
        root / "pickled",
        serialization_format="cloudpickle",
        pyfunc_predict_fn="predict_proba",
        pip_requirements=needed,
    )
    save = partial(mlflow.pyfunc.save_model, pip_requirements=["pandas"])
    save(root / "sums", loader_module="scoring_sums", code_paths=[SUMS], signature=signature)
    save(root / "obedient", loader_module="scoring_obedient", code_paths=[OBEDIENT])
    how = ParamSchema([ParamSpec("how", DataType.string, "")])
    takes = ModelSignature(None, None, how)
    save(root / "rows", loader_module="scoring_rows", code_paths=[ROWS], signature=takes)
    save(root / "broken", python_model=Broken())
    every = ModelSignature(EVERY, None, PARAMS)
    save(root / "custom", python_model=Custom(), code_paths=[TOLD], signature=every)
    for name, signature in {
        "plain": None,
        "every": every,
        "nested": ModelSignature(NESTED),
        "unnamed": ModelSignature(UNNAMED),
        "text": ModelSignature(TEXT),
        "mixed": ModelSignature(Schema([ColSpec(DataType.double, "a"), ColSpec(DataType.string, "b")])),
        "tensor": ModelSignature(TENSOR),
        "tensors": ModelSignature(TENSORS),
    }.items():
        save(root / name, loader_module="scoring_told", code_paths=[TOLD], signature=signature)
    numbers = Schema(EVERY.inputs[:5])
    backs = {"back": EVERY, "back-numbers": numbers, "back-tensor": TENSOR, "back-tensors": TENSORS}
    for name, schema in backs.items():
        save(root / name, python_model=Back(), signature=ModelSignature(schema, schema))
    kinds = root / "kinds.json"
    kinds.write_text('["a", 1, null]')
    save(root / "given", loader_module="scoring_told", code_paths=[TOLD], data_path=kinds)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
