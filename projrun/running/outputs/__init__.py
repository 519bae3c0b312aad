"""What is recorded of a command without its help. Nothing of it is imported for projects that ask for nothing."""
