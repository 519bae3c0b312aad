"""Loading a model and answering requests, in the model's Python. `load_model` says how.

Python 3.7 or newer, its standard library, and what the model's environment has; nothing of projrun.
"""
