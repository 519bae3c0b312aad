"""Why an installer failed, read from its own last words, so that the advice is about that."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple


class Cause(NamedTuple):
    """One kind of failure."""

    why: str
    """For the message, instead of the tool's exit code."""
    advice: str
    pattern: str
    """What pip or uv say then."""


_CAUSES = (
    Cause(
        "the package index does not answer",
        "check the network, proxies and the index's address; the requirements may be right",
        r"Connection refused|tcp connect error|dns error|Temporary failure in name resolution|Network is unreachable"
        r"|Name or service not known|Failed to establish a new connection|NewConnectionError|ConnectTimeoutError"
        r"|ReadTimeoutError|operation timed out|ProxyError|No route to host",
    ),
    Cause(
        "the certificate of the package index is not trusted",
        "name your authority's file in SSL_CERT_FILE (uv) or PIP_CERT (pip)",
        r"CERTIFICATE_VERIFY_FAILED|certificate verify failed|invalid peer certificate",
    ),
    Cause(
        "the package index refuses the login",
        "check the user and the password in the index's URL or in ~/.netrc",
        r"401 (?:Client )?Error|HTTP status client error \(40[13]|403 (?:Client )?Error|401 Unauthorized|403 Forbidden",
    ),
    Cause(
        "a package could not be built from its source",
        "install the compiler or libraries that its output asks for, or ask for a version with a wheel for this Python",
        r"Failed building wheel|Failed to build|metadata-generation-failed|Call to `.*build_wheel` failed",
    ),
    Cause(
        "the requirements ask for what the package index does not have, or contradict each other",
        "",
        r"No solution found|No matching distribution found|ResolutionImpossible|conflicting dependencies",
    ),
)
"""The first that matches: an index that does not answer has no distribution either."""


def cause_of(lines: Sequence[str]) -> Cause | None:
    """The cause that the last lines of a tool tell; None for none of these."""
    text = "\n".join(lines)
    return next((cause for cause in _CAUSES if re.search(cause.pattern, text)), None)
