"""What a Python script says of its command line and of what it needs, read from its syntax tree: nothing is run."""
