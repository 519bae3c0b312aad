"""MLflow's search language: filter strings and orderings, read into values for a store."""
