"""Python environments, built by uv or virtualenv."""
