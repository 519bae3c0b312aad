"""The scoring server: HTTP in this process, the model in worker processes of its own environment."""
