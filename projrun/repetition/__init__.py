"""Carrying a recorded run out again: what its record says becomes a request, and what differs is told."""
