"""What systemd hears of the server, and the sockets that it may hand over: sd_notify(3), sd_listen_fds(3)."""

from __future__ import annotations

import os
import socket
from contextlib import suppress

_FIRST = 3
"""The first descriptor that is handed over."""


def notify(state: str) -> None:
    """Tell the supervisor: `READY=1`. Nothing happens where there is none."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):  # in Linux' abstract namespace
        address = f"\0{address[1:]}"
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.sendto(state.encode(), address)


def handed_over() -> list[socket.socket]:
    """The listening sockets of a systemd socket unit; none where this process was not started by one."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = os.environ.get("LISTEN_FDS", "")
    numbers = range(_FIRST, _FIRST + int(count)) if count.isascii() and count.isdecimal() else range(0)
    # asyncio turns Nagle's delay off only where the protocol is named.
    return [
        socket.socket(fileno=number, proto=socket.IPPROTO_TCP)
        if _is_tcp(number)
        else socket.socket(fileno=number)
        for number in numbers
    ]


def _is_tcp(number: int) -> bool:
    with socket.socket(fileno=os.dup(number)) as copy:
        return copy.family in (socket.AF_INET, socket.AF_INET6)
