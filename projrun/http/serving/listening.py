"""The sockets of the server: where it listens, and why it cannot."""

from __future__ import annotations

import errno
import resource
import socket
from ipaddress import ip_address

from projrun.errors import RequestError

_BACKLOG = 2048
"""Connections that wait to be accepted: many clients start at once."""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a host."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, port: int) -> list[socket.socket]:
    """Listen on every address of a host, on one port. Raises RequestError where that cannot be."""
    listeners: list[socket.socket] = []
    try:
        for family, address in _addresses(host, port):
            listeners.append(
                _listener(family, (address, listeners[0].getsockname()[1] if listeners else port))
            )
    except OSError as error:
        for listener in listeners:
            listener.close()
        raise _refusal(host, port, error) from None
    return listeners


def allow_connections() -> None:
    """As many as the system lets this user have: the usual limit is 1,024 open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = min(hard, 65536) if hard != resource.RLIM_INFINITY else 65536
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def url(listener: socket.socket, scheme: str = "http") -> str:
    """The address of a listener, for people of this machine."""
    name = listener.getsockname()
    if listener.family not in (socket.AF_INET, socket.AF_INET6):
        return f"unix:{name}"
    host, port = name[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"{scheme}://{shown}:{port}"


def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, str]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))


def _listener(family: socket.AddressFamily, address: tuple[str, int]) -> socket.socket:
    # asyncio turns Nagle's delay off (44 ms a request) only where the protocol is named.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # A port that the last server has just left is free; one in use is refused all the same.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def _refusal(host: str, port: int, error: OSError) -> RequestError:
    if isinstance(error, socket.gaierror):
        return RequestError(f"--host: {host!r} is not an address of this machine: {error.strerror}")
    if error.errno == errno.EADDRINUSE:
        return RequestError(
            f"port {port} of {host} is in use by another program", hint=f"choose another: --port {port + 1}"
        )
    if error.errno == errno.EACCES:
        return RequestError(
            f"this user may not listen on port {port}", hint="choose one above 1023, such as --port 5000"
        )
    return RequestError(f"cannot listen on {host}, port {port}: {error.strerror}")
