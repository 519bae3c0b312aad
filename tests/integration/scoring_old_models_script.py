"""Saves models with MLflow 1 or 2, `python scoring_old_models_script.py FOLDER`."""

import sys
from inspect import signature as arguments
from pathlib import Path

import mlflow.pyfunc
import mlflow.sklearn
import pandas as pd
from mlflow.models import infer_signature
from mlflow.models.signature import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from sklearn.linear_model import LinearRegression


class Custom(mlflow.pyfunc.PythonModel):  # type: ignore[misc]  # MLflow's class is not typed
    """Uses a module that is saved with it."""

    def predict(self, context, model_input):  # type: ignore[no-untyped-def]
        """What came."""
        from scoring_told import Told  # type: ignore[import-not-found]  # beside the model

        return Told().predict(model_input)


def main(root: Path) -> None:
    """Save all of them."""
    table = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [1.0, 0.0, 1.0, 0.0]})
    model = LinearRegression().fit(table, [1.0, 2.0, 3.0, 4.0])
    mlflow.sklearn.save_model(
        model,
        str(root / "sklearn"),
        signature=infer_signature(table, model.predict(table)),
        pip_requirements=["scikit-learn"],
    )
    code = str(Path(__file__).with_name("scoring_told.py"))
    word = "code_paths" if "code_paths" in arguments(mlflow.pyfunc.save_model).parameters else "code_path"
    every = ModelSignature(Schema([ColSpec(kind, kind.name) for kind in DataType]))
    mlflow.pyfunc.save_model(
        str(root / "every"),
        python_model=Custom(),
        signature=every,
        pip_requirements=["pandas"],
        **{word: [code]},
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
