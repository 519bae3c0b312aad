"""Commands that work with a model's files and its environment."""
