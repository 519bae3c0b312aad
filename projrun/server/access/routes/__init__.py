"""MLflow's routes for users, permissions and roles."""
