"""`--pass-credentials`: the variables and files by which cloud libraries identify the user."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from projrun.directories import home_folder
from projrun_backends.environments.containers.mounts import Mount

FOLDER = "/mlflow/credentials"
"""Where the files are in the container, whatever its HOME."""

_VARIABLES = re.compile(
    r"AWS_\w+|MLFLOW_S3_\w+|GOOGLE_\w+|GCLOUD_\w+|GCP_\w+|CLOUDSDK_\w+|GCSFS_\w+|AZURE_\w+|MLFLOW_GCS_\w+|WASB\w*"
)

_FILES = {
    "AWS_SHARED_CREDENTIALS_FILE": ".aws/credentials",
    "AWS_CONFIG_FILE": ".aws/config",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "",
    "AWS_CA_BUNDLE": "",
    "GOOGLE_APPLICATION_CREDENTIALS": ".config/gcloud/application_default_credentials.json",
    "AZURE_CONFIG_DIR": ".azure",
    "AZURE_CLIENT_CERTIFICATE_PATH": "",
    "AZURE_FEDERATED_TOKEN_FILE": "",
}
"""Variables that name a file, and the place below the home folder where it is when they are not set."""

_TRACKING_FILES = ("MLFLOW_TRACKING_SERVER_CERT_PATH", "MLFLOW_TRACKING_CLIENT_CERT_PATH")


class Credentials(NamedTuple):
    """What goes into the container."""

    variables: Mapping[str, str] = {}
    mounts: tuple[Mount, ...] = ()

    def __repr__(self) -> str:
        return f"Credentials({', '.join(self.variables)})"  # a traceback must not show them


def cloud_credentials(environ: Mapping[str, str]) -> Credentials:
    """The caller's credentials for AWS, Google Cloud and Azure; files are mounted read-only."""
    variables = {name: value for name, value in environ.items() if _VARIABLES.fullmatch(name)}
    defaults = {name: home_folder(environ) / place for name, place in _FILES.items() if place}
    return _with_files(variables, {name: defaults.get(name) for name in _FILES})


def tracking_certificates(environ: Mapping[str, str]) -> Credentials:
    """The certificates that MLflow's client needs for its server."""
    variables = {name: environ[name] for name in _TRACKING_FILES if name in environ}
    return _with_files(variables, dict.fromkeys(_TRACKING_FILES))


def _with_files(variables: dict[str, str], files: Mapping[str, Path | None]) -> Credentials:
    mounts = []
    for name, default in files.items():
        source = Path(variables[name]).absolute() if variables.get(name) else default
        if source is not None and source.exists():
            variables[name] = f"{FOLDER}/{name.lower()}/{source.name}"
            mounts.append(Mount(source, variables[name], read_only=True))
    return Credentials(variables, tuple(mounts))
