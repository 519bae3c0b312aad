"""What runs in the model's Python: `model_worker.py`, a script that imports nothing of projrun."""
