"""Times a model without a server, run by the model's own Python: `python bare_model.py MODEL CALLS < BODY`.

A call parses the body into a table, lets the model of `mlflow.pyfunc` predict, and writes the predictions as JSON.
Prints the seconds of each.
"""

import json
import sys
import time

import mlflow
import pandas as pd

model = mlflow.pyfunc.load_model(sys.argv[1])
body = sys.stdin.buffer.read()


def answer() -> str:
    """The predictions for the body."""
    split = json.loads(body)["dataframe_split"]
    table = pd.DataFrame(split["data"], columns=split["columns"])
    return json.dumps({"predictions": model.predict(table).tolist()})


took = []
for _ in range(int(sys.argv[2])):
    began = time.perf_counter()
    answer()
    took.append(time.perf_counter() - began)
print(json.dumps(took[len(took) // 5 :]))
