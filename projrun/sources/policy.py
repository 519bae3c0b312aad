"""The user's trust policy: which hosts and protocols may be fetched from, and whether versions must be pinned.

On the hot path: a value and three questions.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from projrun.errors import SourceError
from projrun.settings import Setting, Settings


class TrustPolicy:
    """What `allowed-hosts`, `allowed-protocols` and `require-pinned` say. Each refusal names its rule."""

    def __init__(
        self, hosts: Setting | None = None, protocols: Setting | None = None, pinned: Setting | None = None
    ) -> None:
        self.hosts = hosts
        """Comma-separated patterns such as `github.com, *.example.org`; None allows every host."""
        self.protocols = protocols
        """Comma-separated: https, ssh, …; None allows those that projrun knows."""
        self.pinned = pinned
        """Set where only a full commit (or an archive's sha256) may be fetched."""

    @classmethod
    def of(cls, settings: Settings) -> TrustPolicy:
        """Raises RequestError for a `require-pinned` that is neither yes nor no."""
        pinned = settings.get("require-pinned") if settings.enabled("require-pinned") else None
        return cls(settings.get("allowed-hosts"), settings.get("allowed-protocols"), pinned)

    def check_place(self, protocol: str, host: str) -> None:
        """Raises SourceError, which names the rule, for a protocol or a host that is not allowed.

        `protocol` is a URL's scheme, lower-case (`ssh` for `git@host:path`, `file` for this machine, where
        `host` is empty and no rule of hosts applies).
        """
        if self.protocols is not None and protocol not in _items(self.protocols):
            raise _refusal(self.protocols, "allowed-protocols", f"{protocol}:")
        if self.hosts is None or protocol == "file":
            return
        if not any(fnmatchcase(host.lower(), pattern.lower()) for pattern in _items(self.hosts)):
            raise _refusal(self.hosts, "allowed-hosts", host)

    def check_pinned(self, shown: str, *, pinned: bool) -> None:
        """Raises SourceError where versions must be pinned and this one is not; `shown` is the URI for people."""
        if self.pinned is not None and not pinned:
            raise SourceError(
                f"{shown} is refused: {self.pinned.origin} sets require-pinned",
                hint="give --version a full commit hash (sha256:HASH for an archive)",
            )


def _items(setting: Setting) -> list[str]:
    return [item.strip() for item in setting.value.split(",") if item.strip()]


def _refusal(rule: Setting, name: str, what: str) -> SourceError:
    return SourceError(
        f"{what!r} is refused: {rule.origin} sets {name} to {rule.value!r}",
        hint=f"add it to {name}, or ask whoever set it",
    )
