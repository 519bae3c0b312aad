"""The tracking store over MLflow's REST API. `requests` is imported here and nowhere else (95 ms)."""
