"""Fits an elastic net that tells the alcohol content of a wine from its other measurements."""

import sys

import mlflow
import mlflow.sklearn
import pandas
from mlflow.models import infer_signature
from sklearn.datasets import load_wine
from sklearn.linear_model import ElasticNet
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.model_selection import train_test_split


def main(alpha: str, l1_ratio: str) -> None:
    wines = load_wine(as_frame=True).data
    features, alcohol = wines.drop(columns="alcohol"), wines["alcohol"]
    train_x, test_x, train_y, test_y = train_test_split(features, alcohol, test_size=0.25, random_state=42)

    with mlflow.start_run():
        model = ElasticNet(alpha=float(alpha), l1_ratio=float(l1_ratio), random_state=42)
        model.fit(train_x, train_y)
        predicted = model.predict(test_x)

        # As text: a run keeps the first value of a param, and the runner has recorded what the user typed.
        mlflow.log_params({"alpha": alpha, "l1_ratio": l1_ratio})
        metrics = {
            "rmse": root_mean_squared_error(test_y, predicted),
            "mae": mean_absolute_error(test_y, predicted),
            "r2": r2_score(test_y, predicted),
        }
        mlflow.log_metrics(metrics)
        log_model(model, train_x)

    print(f"Elastic net (alpha={alpha}, l1_ratio={l1_ratio}):")
    for name, value in metrics.items():
        print(f"  {name}: {value:.4f}")


def log_model(model: ElasticNet, train_x: pandas.DataFrame) -> None:
    """Log the fitted model with its signature and an example, and register it."""
    # MLflow 3 renamed the argument.
    name = "name" if int(mlflow.__version__.split(".")[0]) >= 3 else "artifact_path"
    mlflow.sklearn.log_model(
        model,
        **{name: "model"},
        signature=infer_signature(train_x, model.predict(train_x)),
        input_example=train_x.head(3),
        registered_model_name="ElasticnetWineModel",
    )


if __name__ == "__main__":
    main(*sys.argv[1:3])
