"""The version, which modules read without importing the package root."""

__version__ = "0.1.0"
