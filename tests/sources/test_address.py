"""The host that is seen in an address is the one that git asks: tried with git itself."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projrun.errors import SourceError
from projrun.sources.address import Address, read_address
from tests.support.examples import examples


@pytest.mark.parametrize(
    ("location", "address"),
    [
        ("https://host/o/r", Address("https", "host", "", "/o/r")),
        ("HTTPS://user:pw@HOST.:8443/o/r?x=y", Address("https", "host", "8443", "/o/r?x=y")),
        ("http://[::1]:080/r", Address("http", "[::1]", "80", "/r")),
        ("https://us%2Fer:p%40w@host/r", Address("https", "host", "", "/r")),
        ("ssh://git@host:2222/r", Address("ssh", "host", "2222", "/r")),
        ("git@host:o/r.git", Address("ssh", "host", "", "o/r.git")),
        ("git@[::1]:r", Address("ssh", "[::1]", "", "r")),
        ("h:r", Address("ssh", "h", "", "r")),
        ("host:2222/r", Address("ssh", "host", "", "2222/r")),
        ("git://host/r", Address("git", "host", "", "/r")),
        ("s3://bucket/x.zip", Address("s3", "bucket", "", "/x.zip")),
        ("file:///srv/r", Address("file", "", "", "/srv/r")),
        ("file://localhost/srv/r", Address("file", "", "", "/srv/r")),
        ("/srv/r:1", Address("file", "", "", "/srv/r:1")),
        ("../r", Address("file", "", "", "../r")),
        ("", Address("file")),
    ],
)
def test_addresses(location: str, address: Address) -> None:
    assert read_address(location) == address


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("-oProxyCommand=x", "starts with '-'"),
        ("ext::sh -c touch% x", "'ext::' is refused: it runs its own command"),
        ("fd::7", "'fd::' is refused: it runs its own command"),
        ("https::https://host/r", "'https::' is refused: it runs its own command"),
        ("https://host/\nr", "control characters"),
        ("host:r\x7f", "control characters"),
        ("file://elsewhere/r", "not a path on this machine"),
        ("https://host:/r", "has no host"),
        ("https://host:port/r", "has no host"),
        ("https://host:\uff14\uff14\uff13/r", "has no host"),
        ("https://evil\\@host/r", "has no host"),
        ("https://a@evil@host/r", "has no host"),
        ("https://hos%74/r", "has no host"),
        ("https://evil?@host/r", None),
        ("https://evil#@host/r", None),
        ("ssh://evil%2F@host/r", "has no host"),
        ("ssh://host?@evil/r", "has no host"),
        ("ssh://host/@[::1]/r", "has no host"),
        ("ssh://host/%40%5b::1]/r", "has no host"),
        ("host:r@[::1]:r", "has no host"),
        ("ssh://host#@evil/r", "has no host"),
        ("git://host?@evil/r", "has no host"),
        ("ssh://host", "has no host"),
        ("ssh://evil%3A22%2f@host/r", "has no host"),
        ("git://evil%2F@host/r", "has no host"),
        ("ssh://[evil]@host/r", "has no host"),
        ("ssh://-oProxyCommand=x/r", "has no host"),
        ("ssh://-x@host/r", "has no host"),
        ("ssh://-x/r", "has no host"),
        ("-x@host:r", "starts with '-'"),
        ("me@-x:r", "part that starts with '-'"),
        ("host:-r", "part that starts with '-'"),
        ("[evil:22]:r", "has no host"),
        ("me@[evil:22]:r", "has no host"),
        ("a b:r", "has no host"),
        ("[]@host:r", "has no host"),
        (":22/r", "has no host"),
    ],
)
def test_refusals(location: str, message: str | None) -> None:
    if message is None:  # the host that would be asked is the one that is seen
        assert read_address(location).host == "evil"
        return
    with pytest.raises(SourceError) as raised:
        read_address(location)
    assert message in raised.value.message


@pytest.fixture(scope="module")
def ssh_environ(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """git with an ssh that only says where it was to go."""
    program = tmp_path_factory.mktemp("ssh") / "ssh"
    program.write_text("#!/bin/sh\nIFS='|'\necho \"WORDS|$*\" >&2\nexit 1\n")
    program.chmod(0o700)
    variables = {"GIT_SSH": str(program), "GIT_SSH_VARIANT": "ssh"}
    return {**os.environ, **variables, "GIT_TERMINAL_PROMPT": "0"}


def host_asked_over_ssh(location: str, environ: Mapping[str, str]) -> str | None:
    """What git hands to ssh as the host; None where it hands over nothing."""
    done = subprocess.run(
        ["git", "ls-remote", "--", location], env=environ, capture_output=True, text=True, check=False
    )
    said = done.stderr.partition("WORDS|")[2].partition("\n")[0]
    words = said.split("|")
    for place, word in enumerate(words):
        if "git-upload-pack" in word:
            return words[place - 1].rpartition("@")[2].strip("[]").lower().removesuffix(".")
    return None


@pytest.mark.parametrize("location", ["ssh://me@evil.test/r", "me@evil.test:r", "ssh://evil.test%2F@host/r"])
def test_what_git_hands_to_ssh_is_seen(location: str, ssh_environ: Mapping[str, str]) -> None:
    assert host_asked_over_ssh(location, ssh_environ) == "evil.test"


@settings(max_examples=examples(100), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=st.sampled_from(["ssh://", "", "me@", "ssh://me@"]),
    one=st.text("ae.:@/?#%2F[]\\-~", max_size=6),
    two=st.sampled_from(["@host/r", "host:r", "@host:r", "/r", ":22/r", "@[::1]/r"]),
)
def test_git_asks_the_host_that_is_seen(
    ssh_environ: Mapping[str, str], head: str, one: str, two: str
) -> None:
    location = head + one + two
    try:
        address = read_address(location)
    except SourceError:
        return
    asked = host_asked_over_ssh(location, ssh_environ)
    if asked is not None:
        assert (address.protocol, address.host.strip("[]")) == ("ssh", asked)


@pytest.fixture
def proxy() -> Iterator[tuple[str, list[str]]]:
    """A web proxy that notes where it was to connect to, and refuses."""
    asked: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                asked.append(connection.recv(4096).decode(errors="replace").split(" ")[1])
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    thread = threading.Thread(target=serve)
    thread.start()
    with closing(listener):
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.parametrize(
    "location",
    [
        "https://seen.test/r",
        "https://me@seen.test/r",
        "https://me:p%2Fw@seen.test:8443/r",
        "https://me%40x@seen.test/r",
        "https://seen.test?@other.test/r",
        "https://seen.test#@other.test/r",
        "https://SEEN.test/@other.test/r",
        "https://seen.test/\\@other.test/r",
    ],
)
def test_git_asks_the_web_host_that_is_seen(
    tmp_path: Path, proxy: tuple[str, list[str]], location: str
) -> None:
    address, asked = proxy
    plain = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    words = ["git", "-c", f"http.proxy={address}", "ls-remote", "--", location]
    subprocess.run(
        words, env={**plain, "GIT_TERMINAL_PROMPT": "0"}, cwd=tmp_path, capture_output=True, check=False
    )
    read = read_address(location)
    assert {word.lower() for word in asked} == {f"{read.host}:{read.port or 443}"}
    assert read.host == "seen.test"
