"""What a container sees of this machine: the project, its volumes, files that the run names."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from projrun.environments.protocol import METRICS, Launch
from projrun.errors import RequestError
from projrun.project.model import DockerEnv
from projrun_backends.environments.containers.arguments import Arguments

CODE = "/mlflow/projects/code"
"""Where the project is in the container: MLflow's folder."""

_REFERENCE = re.compile(r"\$(?:\{(?P<braced>[A-Za-z_]\w*)\}|(?P<bare>[A-Za-z_]\w*)|\(pwd\))")


class Mount(NamedTuple):
    """A file or folder of this machine, and where the container sees it."""

    source: Path
    target: str
    read_only: bool = False

    @property
    def word(self) -> str:
        """The value of `--mount`, which is a line of CSV."""
        fields = ["type=bind", f"source={self.source}", f"target={self.target}"]
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow([*fields, *(["readonly"] if self.read_only else [])])
        return text.getvalue()

    def __str__(self) -> str:
        return f"{self.source} at {self.target}{', read-only' if self.read_only else ''}"


def project_volumes(docker: DockerEnv, directory: Path, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The project's `volumes` as `docker run` takes them.

    MLflow hands them to a shell, so `$HOME`, `$(pwd)` (the project's folder) and `~/` mean something there;
    a folder below `./` or `../` is relative to the project. Raises RequestError for an unset variable.
    """
    return tuple(_volume(text, directory, environ) for text in docker.volumes)


def _volume(text: str, directory: Path, environ: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match["braced"] or match["bare"] or "PWD"
        if name == "PWD":
            return str(directory)
        if name not in environ:
            raise RequestError(
                f"docker_env: the volume {text!r} needs the variable {name}, which is not set",
                hint=f"export {name}=…",
            )
        return environ[name]

    expanded = _REFERENCE.sub(value, text)
    if expanded.startswith("~/"):
        expanded = environ.get("HOME", "~") + expanded[1:]
    source, colon, rest = expanded.partition(":")
    if colon and (source in (".", "..") or source.startswith(("./", "../"))):
        return f"{(directory / source).resolve()}:{rest}"
    return expanded


def targets(volumes: Iterable[str], arguments: Arguments) -> frozenset[str]:
    """The places in the container that the project's volumes and `-A` fill."""
    found = {_volume_target(text) for text in (*volumes, *arguments.values("volume"))}
    for text in arguments.values("mount"):
        for field in next(csv.reader([text]), []):
            key, _, value = field.partition("=")
            if key in ("target", "dst", "destination"):
                found.add(value)
    found.update(text.partition(":")[0] for text in arguments.values("tmpfs"))
    return frozenset(str(PurePosixPath(target)) for target in found)


def _volume_target(text: str) -> str:
    parts = text.split(":")
    return parts[0] if len(parts) == 1 else parts[1]


def run_mounts(launch: Launch, *, with_project: bool) -> list[Mount]:
    """The project's folder, the files that parameters name, and a file-based artifact location.

    A parameter's file is seen at the path that the command line holds: read-only, unless it is the project's.
    """
    mounts = [Mount(launch.directory, CODE)] if with_project else []
    for path in launch.downloads:
        if path.exists():
            inside = path.is_relative_to(launch.directory)
            mounts.append(Mount(path, str(path), read_only=not (inside and with_project)))
    metrics = launch.variables.get(METRICS)
    if metrics and with_project:  # the engine sees this machine's files
        Path(metrics).touch(mode=0o600)
        mounts.append(Mount(Path(metrics), metrics))
    artifacts = None if launch.own_endpoint else _artifact_folder(launch)
    if artifacts is not None:
        mounts.append(Mount(artifacts, str(artifacts)))
    return mounts


def without_targets(mounts: Iterable[Mount], taken: frozenset[str]) -> list[Mount]:
    """The first mount of each place; none where the user mounted something else."""
    chosen: dict[str, Mount] = {}
    for mount in mounts:
        if mount.target not in taken:
            chosen.setdefault(mount.target, mount)
    return list(chosen.values())


def _artifact_folder(launch: Launch) -> Path | None:
    """The folder of the experiment's artifacts, models included, where a server keeps them in files."""
    parts = urlsplit(launch.artifact_uri)
    if parts.scheme not in ("", "file") or parts.netloc not in ("", "localhost"):
        return None
    folder = Path(unquote(parts.path) if parts.scheme else launch.artifact_uri)
    if folder.parts[-2:] == (launch.variables.get("MLFLOW_RUN_ID"), "artifacts"):
        folder = folder.parent.parent
    if not folder.is_absolute():
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None  # a folder of the server's machine, not of this one
    return folder
