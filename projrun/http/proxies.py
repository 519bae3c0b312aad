"""Which proxy a request goes through: the variables that requests and curl read, from a given environment."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import SplitResult


def proxies_for(address: SplitResult, environ: Mapping[str, str]) -> dict[str, str]:
    """requests' `proxies` for an address: lower-case variables first, none where NO_PROXY names the host."""
    if _bypassed(address, _variable("no_proxy", environ)):
        return {}
    proxies = {scheme: _variable(f"{scheme}_proxy", environ) for scheme in ("http", "https", "all")}
    return {scheme: proxy for scheme, proxy in proxies.items() if proxy}


def _variable(name: str, environ: Mapping[str, str]) -> str:
    return environ.get(name) or environ.get(name.upper()) or ""


def _bypassed(address: SplitResult, no_proxy: str) -> bool:
    host = (address.hostname or "").lower().rstrip(".")
    patterns = (pattern.strip().lower() for pattern in no_proxy.split(","))
    return any(_matches(host, address.port, pattern) for pattern in patterns if pattern)


def _matches(host: str, port: int | None, pattern: str) -> bool:
    if pattern == "*":
        return True
    if _in_network(host, pattern):
        return True
    name, colon, wanted_port = pattern.rpartition(":")
    if colon and wanted_port.isdigit() and ":" not in name:
        if str(port) != wanted_port:
            return False
        pattern = name
    domain = pattern.removeprefix("*").lstrip(".")
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _in_network(host: str, pattern: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(pattern.strip("[]"), strict=False)
    except ValueError:
        return False
