from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from projrun.errors import SourceError
from tests.sources.conftest import Fetch
from tests.sources.git_servers import GitServer, serving
from tests.support.commands import require_tool


@pytest.fixture
def untrusted(tmp_path: Path) -> Iterator[str]:
    """An address under which a server shows a certificate that it has signed itself."""
    words = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost"
    subprocess.run([require_tool("openssl"), *words.split()], cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    with serving(server):
        yield f"https://localhost:{server.server_address[1]}"


@pytest.mark.processes
@pytest.mark.parametrize(("name", "setting"), [("r.git", "GIT_SSL_CAINFO"), ("r.zip", "REQUESTS_CA_BUNDLE")])
def test_a_certificate_that_nobody_knows(fetched: Fetch, untrusted: str, name: str, setting: str) -> None:
    with pytest.raises(SourceError) as raised:
        fetched(f"{untrusted}/{name}")
    assert "certificate" in raised.value.message
    assert setting in raised.value.hint


def test_a_proxy_that_is_not_there(fetched: Fetch) -> None:
    with pytest.raises(SourceError) as raised:
        fetched("https://host.invalid/r.git", https_proxy="http://proxy.invalid:3128", no_proxy="")
    assert "HTTPS_PROXY" in raised.value.hint


def test_a_git_that_is_too_old(fetched: Fetch, server: GitServer, tmp_path: Path) -> None:
    """Before 2.31 it reads no settings from the environment, and nothing keeps a repository from running programs."""
    (tmp_path / "old").mkdir()
    program = tmp_path / "old" / "git"
    program.write_text(f'#!/bin/sh\nunset GIT_CONFIG_COUNT\nexec {shutil.which("git")} "$@"\n')
    program.chmod(0o700)
    with pytest.raises(SourceError, match="git is too old") as raised:
        fetched(server.url("repository.git"), PATH=f"{program.parent}:{os.environ['PATH']}")
    assert "2.31" in raised.value.hint
    assert server.requests == []


@pytest.mark.parametrize(
    ("scheme", "said"),
    [
        ("git", r"r\.git: fatal: unable to connect to 127\..*refused$"),
        ("ssh", r"r\.git: ssh: connect to .*refused$"),
    ],
)
def test_a_server_that_is_not_there_is_told_in_one_line(fetched: Fetch, scheme: str, said: str) -> None:
    require_tool(scheme)
    with pytest.raises(SourceError, match=said) as raised:
        fetched(f"{scheme}://127.0.0.1:1/r.git")
    assert "network" in raised.value.hint
    assert raised.value.detail == ""


def test_a_warning_of_ssh_is_not_the_cause(fetched: Fetch, tmp_path: Path) -> None:
    (tmp_path / "ssh").write_text("#!/bin/sh\necho 'Warning: a key was added' >&2\nexit 255\n")
    (tmp_path / "ssh").chmod(0o700)
    with pytest.raises(SourceError, match=r"Could not read from remote repository$") as raised:
        fetched("ssh://host.invalid/r.git", GIT_SSH_COMMAND=str(tmp_path / "ssh"))
    assert "Warning: a key was added" in raised.value.detail
