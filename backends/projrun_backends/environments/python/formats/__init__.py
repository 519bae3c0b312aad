"""Formats of other tools that say what to install: Poetry projects, `pylock.toml`, scripts with an inline block."""
