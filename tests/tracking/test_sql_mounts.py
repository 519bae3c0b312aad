"""Network file systems, found in the text of /proc/self/mountinfo."""

from __future__ import annotations

from pathlib import Path

import pytest

from projrun.tracking.sql.mounts import network_file_system

MOUNTINFO = r"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:21 / /proc rw,nosuid shared:2 - proc proc rw
30 22 0:40 / /home rw,relatime shared:5 - nfs4 filer:/home rw,vers=4.2
31 30 0:41 / /home/local rw,relatime shared:6 - xfs /dev/sdb1 rw
32 22 0:42 / /mnt/with\040space rw - cifs //server/share rw
33 22 0:43 / /mnt/remote rw master:3 - fuse.sshfs me@there: rw
34 22 0:44 / /mnt/sealed rw - fuse.gocryptfs /x rw
35 22 0:45 / /scratch rw - lustre 10.0.0.1@tcp:/fs rw
36 22 0:46 / /over rw - nfs old:/x rw
37 22 0:47 / /over rw - ext4 /dev/sdc1 rw
a line that is none
38 22 0:48
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", None),
        ("/var/lib", None),
        ("/home", "nfs4"),
        ("/home/someone/.local/share/projrun", "nfs4"),
        ("/home/local/x", None),
        ("/homes/x", None),
        ("/mnt/with space/x", "cifs"),
        ("/mnt/remote", "fuse.sshfs"),
        ("/mnt/sealed/x", None),
        ("/scratch/x", "lustre"),
        ("/over/x", None),
    ],
)
def test_type_is_that_of_the_mount_below(folder: str, kind: str | None) -> None:
    assert network_file_system(Path(folder), MOUNTINFO) == kind


def test_symlink_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    mountinfo = f"1 0 0:1 / / rw - ext4 x rw\n2 1 0:2 / {tmp_path}/real rw - smb3 x rw\n"
    assert network_file_system(tmp_path / "link" / "below", mountinfo) == "smb3"


def test_no_mountinfo_is_no_network() -> None:
    assert network_file_system(Path("/"), "") is None
