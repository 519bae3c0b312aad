"""The record of a run: what it says, who keeps it, and runs that were lost."""
