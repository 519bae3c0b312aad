"""`projrun server`: the application as a program of its own, with what surrounds it."""
