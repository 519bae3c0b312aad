"""Logged models of MLflow 3 in SQL."""
