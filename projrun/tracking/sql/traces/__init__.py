"""Traces in SQL."""
