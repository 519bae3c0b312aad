"""The record of a run: its description, its recorder, and lost runs."""
