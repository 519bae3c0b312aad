"""The differential probe: the same requests sent to a real `mlflow server` and to our application."""
