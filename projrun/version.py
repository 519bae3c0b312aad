"""The version, where nobody needs the package root for it."""

__version__ = "0.1.0"
