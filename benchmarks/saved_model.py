"""Saves the model that `scripts/bench serving` serves: `python saved_model.py FOLDER < BODY`, with the model's own Python.

A linear model with a signature of the columns of BODY, as in MLflow's tutorial: most of what an answer takes is the server's.
"""

import json
import sys

import mlflow
import pandas as pd  # type: ignore[import-untyped]
from sklearn.linear_model import ElasticNet

table = pd.DataFrame(**json.load(sys.stdin)["dataframe_split"])
model = ElasticNet(alpha=0.01).fit(table, table.sum(axis=1))
signature = mlflow.models.infer_signature(table, model.predict(table))
mlflow.sklearn.save_model(model, sys.argv[1], signature=signature)
