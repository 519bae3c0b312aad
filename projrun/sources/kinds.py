"""What can be fetched at all: the protocols of repositories and archives, and the endings of archives' names."""

from __future__ import annotations

GIT_SCHEMES = ("http", "https", "ssh", "git")
"""The protocols that a remote git repository may be fetched over; `file` serves local ones."""

ARCHIVE_SCHEMES = ("http", "https", "s3", "gs", "abfss")
ARCHIVE_ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


def is_archive_name(path: str) -> bool:
    """Whether a path, or a URL's path, names an archive that projrun can unpack."""
    return path.lower().endswith(ARCHIVE_ENDINGS)
