"""The runs' own copies of checkouts."""
