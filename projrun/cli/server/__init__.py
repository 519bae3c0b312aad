"""`projrun server` and what belongs to it."""
