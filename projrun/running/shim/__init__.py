"""What is put on the path of a command: first `on_path/`, from which its Python redirects `mlflow.run` to projrun; last
`on_path_last/`, with `projrun.log` for environments without projrun.
"""
