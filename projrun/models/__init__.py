"""MLflow models: what an MLmodel file says, where a model is, and serving it from its own environment."""
