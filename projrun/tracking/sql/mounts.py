"""Is a folder on a network file system? SQLite's write-ahead log is unsafe there (sqlite.org/wal.html)."""

from __future__ import annotations

import os
import re
from pathlib import Path

_NETWORK_TYPES = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fhgfs", "glusterfs", "gpfs", "lustre", "ncpfs"}
    | {
        "nfs",
        "nfs3",
        "nfs4",
        "ocfs2",
        "orangefs",
        "pvfs2",
        "smb",
        "smb2",
        "smb3",
        "smbfs",
        "vboxsf",
        "wekafs",
    }
)
_NETWORK_FUSE = frozenset(
    {"afp", "beegfs", "ceph", "cephfs", "gcsfuse", "glusterfs", "goofys", "hdfs", "juicefs", "lustre"}
    | {"mount-s3", "nfs", "rclone", "s3fs", "sshfs", "weka"}
)
_OCTAL = r"\\([0-7]{3})"


def network_file_system(folder: Path, mountinfo: str | None = None) -> str | None:
    """The type of the network file system that holds `folder`, or None.

    `mountinfo` is the text of `/proc/self/mountinfo` (proc_pid_mountinfo(5)), read where not given;
    where there is none (macOS) the answer is None.
    """
    text = _read_mountinfo() if mountinfo is None else mountinfo
    kind = _type_of_mount(os.path.realpath(folder), text)
    return kind if _is_network(kind) else None


def _read_mountinfo() -> str:
    try:
        return Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def _type_of_mount(folder: str, mountinfo: str) -> str:
    """The type of the mount that holds `folder`; of two on one point, the later hides the other."""
    longest, kind = -1, ""
    for line in mountinfo.splitlines():
        before, separator, after = line.partition(" - ")
        fields = before.split(" ")
        if not separator or len(fields) < 5:
            continue
        point = fields[4]
        if "\\" in point:
            point = re.sub(_OCTAL, lambda match: chr(int(match[1], 8)), point)
        if _is_inside(folder, point) and len(point) >= longest:
            longest, kind = len(point), after.split(" ", 1)[0]
    return kind


def _is_inside(folder: str, point: str) -> bool:
    return folder == point or folder.startswith(point.rstrip("/") + "/")


def _is_network(kind: str) -> bool:
    base, _, program = kind.partition(".")
    return kind in _NETWORK_TYPES or (base in ("fuse", "fuseblk") and program in _NETWORK_FUSE)
