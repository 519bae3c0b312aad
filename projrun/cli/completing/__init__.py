"""What a shell offers after Tab. It is asked of the command itself, by a variable."""
