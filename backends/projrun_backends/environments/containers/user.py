"""The user of the command in the container: the caller, so that no file ends up owned by root."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from projrun_backends.environments.containers.arguments import Arguments

HOME = "/mlflow/home"


class User(NamedTuple):
    """A user and group of this machine; the image may not know them."""

    uid: int
    gid: int
    name: str

    @property
    def words(self) -> tuple[str, ...]:
        """The user, and their home folder, which is removed with the container."""
        options = f"rw,exec,nosuid,nodev,mode=0700,uid={self.uid},gid={self.gid}"
        return ("--user", f"{self.uid}:{self.gid}", "--tmpfs", f"{HOME}:{options}")

    @property
    def variables(self) -> dict[str, str]:
        """What programs ask for that look nothing up in /etc/passwd."""
        return {"HOME": HOME, "USER": self.name, "LOGNAME": self.name}


def container_user(arguments: Arguments, environ: Mapping[str, str], *, rootless: bool) -> User | None:
    """None where the image's own user is right: for root, a rootless daemon (whose root is the caller), `-A user`."""
    if os.getuid() == 0 or rootless or arguments.value("user") is not None:
        return None
    uid = os.getuid()
    return User(uid, os.getgid(), environ.get("USER") or environ.get("LOGNAME") or str(uid))
