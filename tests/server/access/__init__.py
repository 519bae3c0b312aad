"""Servers with users: who signs in, and who may do what."""
