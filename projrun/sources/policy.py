"""The user's trust policy: which hosts and protocols may be fetched from, and whether versions must be pinned.

On the hot path: a value and three questions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from projrun.errors import RequestError, SourceError
from projrun.settings import Setting, Settings
from projrun.suggestions import did_you_mean

PROTOCOLS = ("https", "http", "ssh", "git", "file", "s3", "gs", "abfss")
"""What projrun can fetch over, and what `allowed-protocols` may name; `file` is this machine."""

_DEFAULT_PORTS = {"https": "443", "http": "80", "ssh": "22", "git": "9418"}


class TrustPolicy:
    """What `allowed-hosts`, `allowed-protocols` and `require-pinned` say. Each refusal names its rule.

    Each setting counts wherever it is set: a variable can tighten what `config.toml` says, never loosen it.
    """

    def __init__(
        self, hosts: Iterable[Setting] = (), protocols: Iterable[Setting] = (), pinned: Iterable[Setting] = ()
    ) -> None:
        """Raises RequestError for an invalid or misleading pattern or protocol."""
        self.hosts = tuple(hosts)
        """Comma-separated patterns such as `github.com, *.example.org, localhost:8080`; all must allow a host."""
        self.protocols = tuple(protocols)
        """Comma-separated words of PROTOCOLS; all must allow a protocol."""
        self.pinned = tuple(pinned)
        """What demands that only a full commit (or an archive's sha256) is fetched."""
        for setting in self.hosts:
            _check_patterns(setting)
        for setting in self.protocols:
            _check_protocols(setting)

    @classmethod
    def of(cls, settings: Settings) -> TrustPolicy:
        """Raises RequestError for an invalid setting, wherever it is set."""
        return cls(
            settings.each("allowed-hosts"),
            settings.each("allowed-protocols"),
            [setting for setting in settings.each("require-pinned") if settings.is_true(setting)],
        )

    def rules(self) -> Iterator[tuple[str, Setting]]:
        """Each rule in force, with the name of its setting."""
        yield from (("allowed-hosts", setting) for setting in self.hosts)
        yield from (("allowed-protocols", setting) for setting in self.protocols)
        yield from (("require-pinned", setting) for setting in self.pinned)

    def check_place(self, protocol: str, host: str) -> None:
        """Raises SourceError, which names the rule, for a protocol or a host that is not allowed.

        Takes what `place_of` gives: a URL's scheme, lower-case (`ssh` for `git@host:path`, `file` for this
        machine, where `host` is empty and no rule of hosts applies), and `HOST` or `HOST:PORT`.
        """
        if protocol not in PROTOCOLS:
            raise SourceError(
                f"projrun cannot fetch over {protocol + ':'!r}", hint=f"supported: {', '.join(PROTOCOLS)}"
            )
        for rule in self.protocols:
            if protocol not in _items(rule):
                raise _refusal(rule, "allowed-protocols", f"{protocol}:")
        for rule in self.hosts if protocol != "file" else ():
            if not any(_allows(pattern, protocol, host) for pattern in _items(rule)):
                raise _refusal(rule, "allowed-hosts", host)

    def check_pinned(self, shown: str, *, pinned: bool) -> None:
        """Raises SourceError where versions must be pinned and this one is not; `shown` is the URI for people."""
        if self.pinned and not pinned:
            raise SourceError(
                f"{shown} is refused: {self.pinned[0].origin} sets require-pinned",
                hint="give --version a full commit hash (sha256:HASH for an archive)",
            )


def place_of(location: str) -> tuple[str, str]:
    """What `check_place` asks of a URL, of `[USER@]HOST:PATH`, or of a path: the protocol, and `HOST` or `HOST:PORT`.

    For whatever is about to be contacted: a repository, a submodule, an LFS server, a redirect's target. Raises
    SourceError for an address that projrun refuses whatever the policy says.
    """
    from projrun.sources.address import read_address

    address = read_address(location)
    return address.protocol, address.host + (f":{address.port}" if address.port else "")


def _items(setting: Setting) -> list[str]:
    return [item.strip().lower() for item in setting.value.split(",") if item.strip()]


def _allows(pattern: str, protocol: str, place: str) -> bool:
    if not place.isascii():  # its ASCII form (`xn--`) is what is contacted, and libraries differ in making it
        return False
    wanted, wanted_port = _split_port(pattern)
    host, port = _split_port(place.lower())
    if wanted_port and wanted_port != (port or _DEFAULT_PORTS.get(protocol)):
        return False
    host = _plain(host)
    return wanted == "*" or (host.endswith(wanted[1:]) if wanted.startswith("*.") else host == _plain(wanted))


def _split_port(place: str) -> tuple[str, str]:
    """`HOST:PORT` and `[ADDRESS]:PORT`; what has no port is all host."""
    host, colon, port = place.rpartition(":")
    return (
        (host, port)
        if colon and port.isdecimal() and (":" not in host or host.endswith("]"))
        else (place, "")
    )


def _plain(host: str) -> str:
    """An IPv6 address in its one short form, without brackets; a name without the dot that may end it."""
    if ":" not in host:
        return host.removesuffix(".")
    try:
        return str(ip_address(host.strip("[]")))
    except ValueError:
        return host


def _check_patterns(setting: Setting) -> None:
    for pattern in _items(setting):
        host = _split_port(pattern)[0]
        name = _plain(host.removeprefix("*."))
        if host == "*" or (name and name.isascii() and not set(name) & set("*/@[]\\ ?#")):
            continue
        raise RequestError(
            f"{setting.origin}: {pattern!r} in allowed-hosts is not a host pattern",
            hint="write github.com, *.example.org for all below it, HOST:PORT, an internationalized name as xn--…",
        )


def _check_protocols(setting: Setting) -> None:
    for word in _items(setting):
        if word not in PROTOCOLS:
            raise RequestError(
                f"{setting.origin}: {word!r} in allowed-protocols is not a protocol{did_you_mean(word, PROTOCOLS)}",
                hint=f"supported: {', '.join(PROTOCOLS)}",
            )


def _refusal(rule: Setting, name: str, what: str) -> SourceError:
    return SourceError(
        f"{what!r} is refused: {rule.origin} sets {name} to {rule.value!r}",
        hint=f"add it to {name}, or ask the owner of that setting",
    )
