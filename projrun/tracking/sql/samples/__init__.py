"""Samples of histories: summaries of long series, and the points that they lead to."""
