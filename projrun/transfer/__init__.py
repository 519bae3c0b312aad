"""Whole stores, brought into another one: what `projrun import` and `projrun export` do."""
