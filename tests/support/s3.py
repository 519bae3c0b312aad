"""A stand-in for S3 that speaks its API: moto's server, in an environment of its own."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.support.virtualenvs import built_environment

_MOTO = ("moto[s3]>=5,<6", "flask>=3,<4", "flask-cors>=5,<7")
_SERVE = """
import sys
from werkzeug.serving import make_server
from moto.server import DomainDispatcherApplication, create_backend_app
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
print(server.server_port, flush=True)
server.serve_forever()
"""


class S3(NamedTuple):
    """A running server."""

    address: str

    @property
    def variables(self) -> Mapping[str, str]:
        """What makes projrun, mlflow and boto use it."""
        return {
            "MLFLOW_S3_ENDPOINT_URL": self.address,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


@contextmanager
def s3_server() -> Iterator[S3]:
    """A server without buckets, which ends with the context."""
    python: Path = built_environment("moto", _MOTO)
    server = subprocess.Popen(
        [str(python), "-c", _SERVE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert server.stdout is not None and server.stderr is not None
    errors: list[str] = []
    stream = server.stderr
    reading = threading.Thread(target=lambda: errors.extend(stream), daemon=True)
    reading.start()
    try:
        port = server.stdout.readline().strip()
        if not port:
            raise RuntimeError("moto's server did not start:\n" + "".join(errors[-30:]))
        yield S3(f"http://127.0.0.1:{port}")
    finally:
        server.terminate()
        server.wait(60)
        server.stdout.close()
        reading.join(10)
        server.stderr.close()
