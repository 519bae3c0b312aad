"""Code run as a user who is not root: whom file modes stop."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

UID = 65533


def give(*paths: Path) -> None:
    """Make them the plain user's, where the tests run as root."""
    if os.geteuid() == 0:
        for path in paths:
            os.chown(path, UID, UID, follow_symlinks=False)


def python_as_plain_user(imports: str, code: str, *, folder: Path) -> str:
    """What the code prints; it runs in `folder`. The imports are made first: the user may not read this Python."""
    become = f"os.setgroups([]); os.setgid({UID}); os.setuid({UID})" if os.geteuid() == 0 else ""
    script = f"import fcntl, os, shutil\nfrom pathlib import Path\n{imports}\n{become}\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
