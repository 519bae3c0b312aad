"""The Dockerfile of a model's image.

Two stages: the first installs projrun and builds the model's environment, where package indexes and their passwords are
known; the second has only the results. projrun and the model's environment lie beside each other, as on a machine.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import NamedTuple

INDEX_VARIABLES = (
    "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_DEFAULT_TIMEOUT",
    "UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL",
)  # fmt: skip
"""What says where packages come from: arguments of the first stage."""
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
"""Arguments that every Dockerfile has, and no image keeps."""
PORT = 8080
"""Where cloud hosts call a model."""
_USER = 10001
_PING = (
    "import os; from urllib.request import urlopen; "
    "urlopen('http://127.0.0.1:' + os.environ['MLFLOW_PORT'] + '/ping', timeout=4)"
)


class Recipe(NamedTuple):
    """What decides the text."""

    base: str
    """The image with the model's Python."""
    server_base: str
    """The image with projrun's Python in /usr/local, where the model's is too old; else empty."""
    wheel: str
    """The file name."""
    extras: tuple[str, ...]
    """projrun's, for building the environment."""
    options: tuple[str, ...]
    """Those of `projrun models env`."""
    has_certificates: bool


def dockerfile(recipe: Recipe) -> str:
    """The text."""
    return "".join(f"{line}\n" for line in (*_build(recipe), "", *_result(recipe)))


def _build(recipe: Recipe) -> Iterator[str]:
    python = "/opt/python/bin/python3" if recipe.server_base else "python3"
    wheel = f"/tmp/build/{recipe.wheel}"  # noqa: S108 - in the image
    extras = f"[{','.join(recipe.extras)}]" if recipe.extras else ""
    yield "# Serves a model: docker build --tag NAME FOLDER && docker run --publish 8080:8080 NAME"
    yield f"ARG BASE={recipe.base}"
    if recipe.server_base:
        yield f"ARG SERVER_BASE={recipe.server_base}"
        yield "FROM ${SERVER_BASE} AS server"
    yield "FROM ${BASE} AS build"
    yield from (f"ARG {name}" for name in INDEX_VARIABLES)
    if recipe.server_base:
        yield "COPY --from=server /usr/local /opt/python"
    yield "COPY build /tmp/build"
    if recipe.has_certificates:
        names = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
        yield f"ENV {' '.join(f'{name}=/tmp/build/ca.pem' for name in names)}"
    yield f"RUN {python} -m venv --without-pip /opt/projrun && {python} -m venv /tmp/tools \\"
    yield f"    && /tmp/tools/bin/python -m pip --python /opt/projrun/bin/python install --quiet {wheel}"
    # What builds environments does not come into the image: its folder adds to what projrun has.
    yield "RUN for folder in /tmp/tools/lib/python3*/site-packages; do \\"
    yield '        echo /opt/projrun/lib/python3*/site-packages > "$folder/projrun.pth"; done \\'
    yield f'    && /tmp/tools/bin/python -m pip install --quiet "{wheel}{extras}"'
    yield "COPY model /opt/model"
    yield "ENV PROJRUN_HOME=/tmp/home PROJRUN_CACHE_DIR=/opt/cache GIT_PYTHON_REFRESH=quiet"
    words = shlex.join(["models", "env", "-m", "/opt/model", *recipe.options])
    yield f'RUN folder="$(PATH="/tmp/tools/bin:$PATH" /tmp/tools/bin/python -m projrun {words})" \\'
    yield '    && ln -s "$folder" /opt/cache/environment && chmod -R a+rX /opt/cache /opt/projrun'


def _result(recipe: Recipe) -> Iterator[str]:
    yield "FROM ${BASE}"
    if recipe.server_base:
        yield "COPY --from=build /opt/python /opt/python"
    yield "COPY --from=build /opt/projrun /opt/projrun"
    yield "COPY --from=build /opt/cache /opt/cache"
    yield "COPY model /opt/model"
    yield "ENV PROJRUN_MODEL_URI=/opt/model PROJRUN_ENV=/opt/cache/environment HOME=/tmp \\"
    yield f"    MLFLOW_HOST=0.0.0.0 MLFLOW_PORT={PORT} GIT_PYTHON_REFRESH=quiet PYTHONUNBUFFERED=1"
    yield f"EXPOSE {PORT}"
    yield f"USER {_USER}:{_USER}"
    yield "HEALTHCHECK --interval=15s --timeout=5s --start-period=120s \\"
    yield f"    CMD {json.dumps(['/opt/projrun/bin/python', '-c', _PING])}"
    yield 'ENTRYPOINT ["/opt/projrun/bin/projrun", "models"]'
    yield 'CMD ["serve"]'
