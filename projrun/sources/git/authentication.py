"""What was tried when a server refused access: names of mechanisms, never their secrets."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import urlsplit

from projrun.sources.git.access import HELPER, is_ssh
from projrun.sources.git.process import Git, GitError
from projrun.sources.git.tokens import may_carry_tokens, token_variable

_REFUSED = (
    "Authentication failed",
    "could not read Username",
    "could not read Password",
    "returned error: 401",
    "returned error: 403",
    "Permission denied",
    "publickey",
    "Git credentials for",  # git-lfs
    "Authorization error",
    "Authentication required",
)
_HIDDEN = ("not found", "does not exist")
"""What hosting services say about a repository that the user may not read."""
_SETTINGS = r"^(credential\.(.*\.)?helper|core\.askpass|core\.sshcommand|http\.(.*\.)?extraheader)$"
_TIMEOUT = 5.0


def authentication_hint(git: Git, said: str) -> str:
    """What to do about a refusal of `git.access`, and what was tried; empty where git failed for another reason."""
    url = git.access.url
    if url.startswith(("file:", "git:")) or not any(words in said for words in (*_REFUSED, *_HIDDEN)):
        return ""
    tried = tried_mechanisms(git)
    told = f"tried: {', '.join(tried)}" if tried else "no credentials were found"
    if not any(words in said for words in _REFUSED):
        return f"check the address and your access; {told}"
    if is_ssh(url):
        return f"{told}; add your key to the ssh agent, and its public half to the server"
    address = urlsplit(url)
    if not may_carry_tokens(address.scheme, address.netloc):
        return f"{told}; set up a git credential helper, or use https:, over which tokens are sent, too"
    variable = token_variable(address.netloc)
    return f"{told}; set up a git credential helper, or a token in ${variable}"


def tried_mechanisms(git: Git) -> tuple[str, ...]:
    """The mechanisms that git could use to reach `git.access`, in the order in which it asks them."""
    settings = _settings(git)
    if is_ssh(git.access.url):
        return tuple(_ssh_mechanisms(git, settings))
    return tuple(_web_mechanisms(git, settings))


def _settings(git: Git) -> list[tuple[str, str]]:
    try:
        told = git.run("config", "--null", "--get-regexp", _SETTINGS)
    except GitError:  # none is set
        return []
    return [item.partition("\n")[::2] for item in told.split("\0") if item]


def _web_mechanisms(git: Git, settings: list[tuple[str, str]]) -> Iterator[str]:
    ours = {HELPER: git.access.credentials}
    helpers: list[str] = []
    for key, value in settings:
        if key.endswith("extraheader") and _is_for(key, git.access.url):
            yield "http.extraHeader of your git configuration"
        elif key.endswith(".helper") and _is_for(key, git.access.url):
            # An empty one forgets those before it.
            helpers = [*helpers, ours.get(value) or _helper_name(value)] if value else []
    if Path(git.environ.get("HOME", "/"), ".netrc").is_file():
        yield "~/.netrc"
    yield from helpers
    if git.environ.get("GIT_ASKPASS"):
        yield "GIT_ASKPASS"
    elif any(key == "core.askpass" for key, _ in settings):
        yield "core.askPass of your git configuration"


def _is_for(key: str, url: str) -> bool:
    """Whether a setting such as `credential.https://*.example.org.helper` is for an address; by the host alone."""
    pattern = key.partition(".")[2].rpartition(".")[0]
    host = urlsplit(pattern).netloc or pattern
    return not pattern or fnmatchcase(urlsplit(url).netloc.lower(), host.rpartition("@")[2].lower())


def _helper_name(value: str) -> str:
    if value.startswith("!"):  # its text may hold the password itself
        return "a credential helper of your git configuration"
    return f"the credential helper {Path(value.split()[0]).name!r}"


def _ssh_mechanisms(git: Git, settings: list[tuple[str, str]]) -> Iterator[str]:
    command = git.environ.get("GIT_SSH_COMMAND") or dict(settings).get("core.sshcommand")
    options = _ssh_options(git, _words(command) if command else [git.environ.get("GIT_SSH", "ssh")])
    if options is None:
        yield "your own ssh command"
        return
    agents = [value for key, value in options if key == "identityagent"]
    yield _agent(git, agents[0] if agents else "SSH_AUTH_SOCK")
    for key, value in options:
        if key == "identityfile" and Path(value).expanduser().is_file():
            yield value


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return []


def _ssh_options(git: Git, command: list[str]) -> list[tuple[str, str]] | None:
    """The effective options for the host, from OpenSSH (`ssh -G`); None for another program."""
    if not command or Path(command[0]).name != "ssh":
        return None
    url = git.access.url
    place = urlsplit(url).netloc if url.startswith("ssh://") else ""
    target = f"ssh://{place}" if place else url.partition(":")[0]
    told = _output(git, [*command, "-G", "--", target])
    return None if told is None else [line.partition(" ")[::2] for line in told.splitlines()]


def _agent(git: Git, socket: str) -> str:
    if socket == "SSH_AUTH_SOCK":
        socket = git.environ.get(socket, "")
    if socket in ("", "none"):
        return "ssh agent (none runs)"
    listed = _output(git, ["ssh-add", "-l"], {"SSH_AUTH_SOCK": str(Path(socket).expanduser())})
    count = len(listed.splitlines()) if listed else 0
    return f"ssh agent ({count or 'no'} key{'' if count == 1 else 's'})"


def _output(git: Git, argv: list[str], more: dict[str, str] | None = None) -> str | None:
    environ = {**git.environ, **(more or {})}
    try:
        done = subprocess.run(
            argv, env=environ, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None
