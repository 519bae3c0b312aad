"""What goes on beside a command that takes long. Nothing of it is imported for short ones."""
