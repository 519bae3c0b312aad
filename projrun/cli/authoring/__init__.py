"""Commands for who writes a project."""
