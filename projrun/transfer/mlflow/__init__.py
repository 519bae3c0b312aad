"""MLflow's own stores, read without MLflow and never written."""
