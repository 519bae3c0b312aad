"""The script's git repository, as MLflow's client names it."""

from __future__ import annotations

import os
import sys

from .environment import without_password


def git_tags() -> dict[str, str]:
    """The commit, the branch and the address of the first remote; what there is of them."""
    said = _git("rev-parse", "HEAD", "--abbrev-ref", "HEAD")
    if len(said) != 2:  # no repository, no commit, or no git
        return {}
    tags = {"mlflow.source.git.commit": said[0]}
    if said[1] != "HEAD":
        tags["mlflow.source.git.branch"] = said[1]
    remotes = _git("config", "--get-regexp", r"^remote\..*\.url$")
    if remotes:
        tags["mlflow.source.git.repoURL"] = without_password(remotes[0].partition(" ")[2])
    return tags


def _git(*words: str) -> list[str]:
    """The lines that git prints about the script's folder; none where it fails."""
    import subprocess

    script = sys.argv[0] if sys.argv else ""
    folder = os.path.dirname(os.path.abspath(script)) if script else os.getcwd()
    try:
        found = subprocess.run(
            ["git", "-C", folder, *words], capture_output=True, text=True, timeout=2, check=True
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return []
    return found.stdout.splitlines()
