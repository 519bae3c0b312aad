"""What a server is to do, beside the store that it serves."""

from __future__ import annotations

from projrun.tuples import NamedTuple

LOG_FORMATS = ("none", "text", "json")
FRAMES = ("SAMEORIGIN", "DENY", "NONE")


class Program(NamedTuple):
    """The settings of a server."""

    allowed_hosts: tuple[str, ...] = ()
    """Patterns of `Host`; without any, `localhost` and addresses."""
    allowed_origins: tuple[str, ...] = ()
    """Patterns of `Origin` whose pages may use the API, beside this machine's."""
    frames: str = "SAMEORIGIN"
    """Whose pages may show the server's in a frame: X-Frame-Options, or NONE without it."""
    prefix: str = ""
    """Path before all others, as a proxy in front passes it on; no slash at the end."""
    serve_artifacts: bool = True
    upload_limit: int | None = None
    """Bytes of an artifact that is taken."""
    artifacts_only: bool = False
    read_only: bool = False
    certificate: str = ""
    """Files in PEM: with a certificate, TLS is spoken; the key may be in the same file."""
    key: str = ""
    log_format: str = "none"
    users: bool = False
    """Whether callers sign in."""
    default_permission: str = "READ"
    """What a user may do without a grant."""
    public_metrics: bool = False
    """Whether `/metrics` needs no user."""
    user_header: str = ""
    """In which a proxy names the user."""
    proxies: tuple[str, ...] = ()
    """Addresses and networks of such proxies."""
    workers: int = 1
    """Processes that answer."""

    @property
    def scheme(self) -> str:
        """Of the server's addresses."""
        return "https" if self.certificate else "http"
