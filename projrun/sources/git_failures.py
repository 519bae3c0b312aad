"""What people are told when git failed: its own words in one line, and what to do."""

from __future__ import annotations

from projrun.errors import SourceError
from projrun.sources.authentication import authentication_hint
from projrun.sources.git_process import Git
from projrun.sources.remote import REMOTE

_HINTS = (
    (
        ("SSL certificate", "certificate verification failed", "certificate subject name"),
        "if you trust that server, give git its certificate: GIT_SSL_CAINFO, or http.sslCAInfo in your git settings",
    ),
    (
        ("resolve proxy", "from proxy", "CONNECT tunnel"),
        "is your proxy right? see HTTPS_PROXY, HTTP_PROXY, NO_PROXY, and http.proxy in your git settings",
    ),
    (
        ("resolve host", "onnect to", "timed out", "unreachable", "unable to connect", "Operation too slow"),
        "is the address right, and the network up?",
    ),
    (
        tuple(f"returned error: {code}" for code in (301, 302, 303, 307, 308)),
        "the server redirects: give the address that it redirects to (often the same with .git at its end)",
    ),
    (("Host key verification",), "connect to that host with ssh once, to accept its key"),
    (
        ("not allowed",),
        "projrun, or allowed-protocols, refuses what your git configuration or the server leads to",
    ),
    (("dubious ownership",), "someone else owns that folder; see `git help config`, safe.directory"),
    (("No space left", "Out of diskspace"), "free some space, or set PROJRUN_CACHE_DIR to another disk"),
    (
        ("Authentication failed", "could not read Username", "could not read Password", "Permission denied"),
        "the repository asks for credentials: set up a git credential helper or an ssh key for it",
    ),
    (("returned error", "not found", "does not exist", "not appear to be a git"), "is the address right?"),
)


def failure(shown: str, git: Git, said: str) -> SourceError:
    """The error for what git said of a repository; `shown` is its address for people."""
    if f"'{REMOTE}' does not appear to be a git repository" in said:
        # It did not read the settings of its environment, and stopped there: nothing was asked, nor checked out.
        return SourceError(
            f"could not fetch {shown}: git is too old, and does not read GIT_CONFIG_COUNT",
            hint="install git 2.31 or newer",
        )
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["git failed and said nothing"]
    reasons = [line for word in ("fatal:", "error:") for line in lines if line.startswith(word)]
    reason = (reasons or lines[-1:])[0]
    hint = authentication_hint(git, said) or _hint(said)
    detail = "\n".join(lines) if lines != [reason] else ""
    return SourceError(f"could not fetch {shown}: {reason}", hint=hint, detail=detail)


def is_explained(said: str) -> bool:
    """Whether the cause is plain and lies elsewhere: not in what the cache holds, nor in how the server was asked."""
    return _hint(said) != ""


def _hint(said: str) -> str:
    return next((hint for words, hint in _HINTS if any(word in said for word in words)), "")
