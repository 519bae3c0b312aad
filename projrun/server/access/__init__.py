"""Who may do what: signing in, permissions, and MLflow's routes for users. Only servers with users import it."""
