"""A repository somewhere: its address, how it is reached, and its references in one connection.

On the way of every git project: a run of a cached commit creates a `Remote` and never contacts it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from projrun.credentials import redact_uri
from projrun.errors import SourceError
from projrun.reporting import Meter
from projrun.sources.git.command import REMOTE
from projrun.sources.kinds import GIT_SCHEMES
from projrun.sources.options import FetchOptions
from projrun.sources.places import repositories
from projrun.sources.policy import TrustPolicy, place_of

if TYPE_CHECKING:
    from projrun.sources.git.access import Access
    from projrun.sources.git.process import Git

_NO_REPOSITORY = Path(os.devnull)
"""git needs no repository here and must not find the caller's. The folder must exist: settings may depend on it."""
_CHANGEABLE = ("http", "git")
"""Protocols without protection against changes on the way."""

_SETTINGS = (
    ("core.logAllRefUpdates", "false"),
    ("fetch.prune", "false"),
    ("fetch.unpackLimit", "1"),  # one file a fetch
    ("fetch.writeCommitGraph", "false"),
)


class Remote:
    """A repository's address, which the policy allows."""

    def __init__(self, location: str, options: FetchOptions) -> None:
        """Raises SourceError for a place that the policy refuses."""
        self.protocol, host = place_of(location)
        options.policy.check_place(self.protocol, host)
        scheme, mark, rest = location.partition("://")
        self.location = f"{scheme.lower()}{mark}{rest}" if mark else location
        """With the credentials that were given in it."""
        self.options = options
        self.url = _without_credentials(self.location)
        self.shown = redact_uri(self.location)
        """The address for people."""

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine, so that contacting it is not going online."""
        return self.protocol == "file"

    @property
    def folder(self) -> Path:
        """What the cache keeps of it: its mirror, and the commits of its versions."""
        name = sha256(self.url.encode("utf-8", "surrogateescape")).hexdigest()
        return repositories(self.options.cache) / name

    @cached_property
    def _access(self) -> Access:
        from projrun.sources.git.access import access_to

        return access_to(self.location, self.options.environ)

    def git(self, git_directory: Path, *, kept_open: Sequence[int] = ()) -> Git:
        """Git, with the access to this repository. Raises SourceError where git is not installed."""
        from projrun.sources.git.process import Git

        return Git(
            git_directory,
            self.options.environ,
            access=self._access,
            protocols=":".join(self._protocols()),
            settings=self._settings(),
            kept_open=kept_open,
        )

    def references(self, *patterns: str) -> dict[str, str]:
        """Its references and what they point to; `symbolic HEAD` is the default branch's reference.

        One connection. Raises SourceError with git's own words.
        """
        from projrun.sources.git.process import GitError

        git = self.git(_NO_REPOSITORY)
        words = ("ls-remote", "--quiet", "--symref", "--end-of-options", REMOTE, *patterns)
        with self.contact():
            try:
                lines = git.run(*words).split("\n")  # names may hold other ends of lines
            except GitError as error:
                from projrun.sources.git.failures import failure

                raise failure(self.shown, git, str(error)) from None
        pairs = [line.partition("\t") for line in lines if line]
        found = {name: value for value, _, name in pairs if not value.startswith("ref: ")}
        symbolic = {f"symbolic {name}": value[5:] for value, _, name in pairs if value.startswith("ref: ")}
        return {**found, **symbolic}

    def contact(self) -> AbstractContextManager[Meter | None]:
        """Says what takes long while the repository is asked. Raises SourceError when that would be going online."""
        if self.options.offline and not self.is_local:
            raise SourceError(
                f"a needed part of {self.shown} is not cached, and --offline contacts no server",
                hint="run once without --offline",
            )
        return self.options.activity(f"fetching {self.shown}")

    def waiting(self) -> AbstractContextManager[object]:
        """Says what takes long while another process fetches the same."""
        return self.options.activity(f"waiting for another process that fetches {self.shown}")

    def _protocols(self) -> list[str]:
        """What git may use, wherever the user's `insteadOf` or a redirect leads."""
        refused = _CHANGEABLE if self.protocol == "https" else ()
        return [name for name in (*GIT_SCHEMES, "file") if name not in refused and self._is_allowed(name)]

    def _is_allowed(self, protocol: str) -> bool:
        try:
            TrustPolicy(protocols=self.options.policy.protocols).check_place(protocol, "")
        except SourceError:
            return False
        return True

    def _settings(self) -> tuple[tuple[str, str], ...]:
        # A redirect would lead past the list of hosts, or to one that the credentials were not meant for.
        stays = bool(self.options.policy.hosts) or self.location != self.url
        redirects = (("http.followRedirects", "false"),) if stays else ()
        return (*_SETTINGS, (f"remote.{REMOTE}.url", self.url), *redirects)


def _without_credentials(location: str) -> str:
    """What `Access.url` is: a run of a cached commit needs nothing else."""
    if location.startswith(("http://", "https://")):
        return re.sub(r"^(https?://)[^/?#]*@", r"\1", location)
    return redact_uri(location) if location.startswith(("ssh://", "git://")) else location
