"""Saves the model that `scripts/bench serving` serves, in its own Python: `python saved_model.py FOLDER < BODY`.

A linear model with a signature of BODY's columns, as in MLflow's tutorial: what a server adds is most of an answer.
"""

import json
import sys

import mlflow
import pandas as pd
from sklearn.linear_model import ElasticNet

table = pd.DataFrame(**json.load(sys.stdin)["dataframe_split"])
model = ElasticNet(alpha=0.01).fit(table, table.sum(axis=1))
signature = mlflow.models.infer_signature(table, model.predict(table))
mlflow.sklearn.save_model(model, sys.argv[1], signature=signature)
