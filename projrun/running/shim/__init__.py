"""What is put on the path of a command: `on_path/`, from which its Python redirects `mlflow.run` to projrun."""
