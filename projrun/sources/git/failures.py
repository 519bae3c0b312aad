"""What people see when git failed: its message in one line, and what to do."""

from __future__ import annotations

from projrun.errors import SourceError
from projrun.sources.git.authentication import authentication_hint
from projrun.sources.git.command import REMOTE
from projrun.sources.git.process import Git

_HINTS = (
    (
        ("SSL certificate", "certificate verification failed", "certificate subject name"),
        "if you trust that server, give git its certificate: GIT_SSL_CAINFO, or http.sslCAInfo in your git settings",
    ),
    (
        ("resolve proxy", "from proxy", "CONNECT tunnel"),
        "check your proxy: HTTPS_PROXY, HTTP_PROXY, NO_PROXY, and http.proxy in your git settings",
    ),
    (
        ("resolve host", "onnect to", "timed out", "unreachable", "unable to connect", "Operation too slow"),
        "check the address and the network",
    ),
    (
        tuple(f"returned error: {code}" for code in (301, 302, 303, 307, 308)),
        "the server redirects: use the address that it redirects to (often the same with .git at its end)",
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
        "the repository requires credentials: set up a git credential helper or an ssh key for it",
    ),
    (("returned error", "not found", "does not exist", "not appear to be a git"), "check the address"),
)

_AFTER_SSH = (
    "fatal: Could not read from remote repository.",
    "Please make sure you have the correct access rights",
    "and the repository exists.",
)


def failure(shown: str, git: Git, said: str) -> SourceError:
    """The error for what git said of a repository; `shown` is its address for people."""
    if f"'{REMOTE}' does not appear to be a git repository" in said:
        # It did not read the settings of its environment, and stopped there: nothing was asked, nor checked out.
        return SourceError(
            f"could not fetch {shown}: git is too old, and does not read GIT_CONFIG_COUNT",
            hint="install git 2.31 or newer",
        )
    lines = _lines(said)
    reason = _reason(lines)
    hint = authentication_hint(git, said) or _hint(said)
    detail = "" if all(line in reason for line in lines) else "\n".join(lines)
    return SourceError(f"could not fetch {shown}: {reason.rstrip('.')}", hint=hint, detail=detail)


def _lines(said: str) -> list[str]:
    """Without what git adds to every failure of ssh, if ssh itself named the cause."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    told = [line for line in lines if line not in _AFTER_SSH]
    is_told = any(not line.startswith("Warning:") for line in told)
    return told if is_told else lines or ["git failed without a message"]


def _reason(lines: list[str]) -> str:
    """The line with the cause, and after a final colon also the lines that follow, one for each address."""
    found = [at for word in ("fatal:", "error:") for at, line in enumerate(lines) if line.startswith(word)]
    start = found[0] if found else len(lines) - 1
    return " ".join(lines[start:]) if lines[start].endswith(":") else lines[start]


def is_explained(said: str) -> bool:
    """Whether the cause is clearly neither the cache nor the way the server was asked."""
    return _hint(said) != ""


def _hint(said: str) -> str:
    return next((hint for words, hint in _HINTS if any(word in said for word in words)), "")
