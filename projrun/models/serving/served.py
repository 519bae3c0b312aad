"""What is served, and how."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from projrun.tuples import NamedTuple


class ServedModel(NamedTuple):
    """A model in a folder, and the Python of its environment."""

    name: str
    folder: Path
    """The folder with the file MLmodel."""
    command: tuple[str, ...]
    """What starts that Python; the worker's script and its arguments follow."""
    environ: Mapping[str, str]
    version: str = ""
    """Of the registered model, where it is known to be one."""


class ServingOptions(NamedTuple):
    """How a server answers."""

    workers: int = 1
    """Processes that have the model loaded."""
    timeout: float = 60.0
    """Seconds for a request, those that it waits for a worker included; MLflow's default."""
    max_body: int = 0
    """Bytes of a request's body, at most `max_queue`; 0 for that."""
    max_batch: int = 1
    """Rows of requests that wait at the same time and are answered together; 1 for none."""
    max_queue: int = 256_000_000
    """Bytes of all bodies that the server holds; further requests are refused."""
    max_waiting: int = 1000
    """Requests that wait for a worker; further ones are refused."""
    follow: float = 0.0
    """Seconds between two looks at where an address leads."""
    grace: float = 8.0
    """Seconds that requests under way have at the end: Docker kills after ten."""
