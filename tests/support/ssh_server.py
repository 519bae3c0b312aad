"""A real OpenSSH server on loopback that lets its own user in by one key, and a client configuration for it."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import socketserver
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.commands import missing, require_tool

_PRIVILEGE_SEPARATION = Path("/run/sshd")

_SERVER = """\
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PermitUserRC no
PrintMotd no
AcceptEnv GIT_PROTOCOL
SetEnv HOME={folder}/home GIT_CONFIG_NOSYSTEM=1
"""

_CLIENT = """\
Host *
    UserKnownHostsFile {known_hosts}
    GlobalKnownHostsFile none
    StrictHostKeyChecking yes
    IdentitiesOnly {only}
    IdentityFile {key}
    IdentityAgent {agent}
"""


class SshServer(socketserver.ThreadingTCPServer):
    """One `sshd -i` for each connection; counts them. Commands run as the user of the tests, in a home of their own."""

    daemon_threads = True
    block_on_close = True

    def __init__(self, folder: Path) -> None:
        """`folder` gets keys, configurations and the log; it must not exist."""
        super().__init__(("127.0.0.1", 0), _Connection)
        self.folder = folder
        self.program = _sshd()
        self.user = getpass.getuser()
        self.port: int = self.server_address[1]
        self.connections = 0
        self.key = folder / "client_key"
        """The private key that is let in; no passphrase."""
        (folder / "home").mkdir(parents=True)
        for name in ("host_key", "client_key"):
            make_key(folder / name)
        shutil.copy(folder / "client_key.pub", folder / "authorized_keys")
        host_key = (folder / "host_key.pub").read_text(encoding="utf-8")
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {host_key}", encoding="utf-8")
        (folder / "sshd_config").write_text(_SERVER.format(folder=folder), encoding="utf-8")
        self.client_config = self.write_client_config("client_config", key=str(self.key))

    def url(self, path: Path) -> str:
        """The ssh URL of a repository of this machine, by its absolute path."""
        return f"ssh://{self.user}@127.0.0.1:{self.port}{path}"

    def write_client_config(
        self, name: str, *, key: str = "none", agent: str = "none", host_is_known: bool = True
    ) -> Path:
        """A file for `ssh -F`: ssh looks for its own in the home that the system knows, not in $HOME."""
        known = str(self.folder / "known_hosts") if host_is_known else "none"
        file = self.folder / name
        only = "yes" if agent == "none" else "no"
        file.write_text(_CLIENT.format(known_hosts=known, key=key, agent=agent, only=only), encoding="utf-8")
        return file

    @property
    def variables(self) -> dict[str, str]:
        """What leads git to the client configuration, by the user's own ssh command."""
        return {"GIT_SSH_COMMAND": f"ssh -F {self.client_config}"}

    def log(self) -> str:
        """What the server said so far."""
        file = self.folder / "log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""


class _Connection(socketserver.BaseRequestHandler):
    server: SshServer

    def handle(self) -> None:
        self.server.connections += 1
        folder = self.server.folder
        argv = [self.server.program, "-i", "-f", str(folder / "sshd_config"), "-E", str(folder / "log")]
        channel = self.request.fileno()
        subprocess.run(argv, stdin=channel, stdout=channel, stderr=subprocess.DEVNULL, check=False)


def _sshd() -> str:
    # sshd starts itself again for each connection, so its path must be absolute.
    found = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        missing("sshd is not installed")
    require_tool("ssh")
    if os.getuid() == 0 and not _PRIVILEGE_SEPARATION.is_dir():
        _PRIVILEGE_SEPARATION.mkdir(mode=0o755)  # what the init system makes, which a container lacks
    return found


def make_key(file: Path) -> Path:
    """A new key without a passphrase; the public one lies beside it as `.pub`."""
    argv = [require_tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", "tests", "-f", str(file)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return file


@contextmanager
def ssh_server(folder: Path) -> Iterator[SshServer]:
    """The server answers inside the `with` block."""
    server = SshServer(folder)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def ssh_agent(keys: tuple[Path, ...], environ: Mapping[str, str]) -> Iterator[str]:
    """The socket of an agent that holds these keys (SSH_AUTH_SOCK)."""
    told = subprocess.run(
        [require_tool("ssh-agent"), "-s"], env=environ, capture_output=True, text=True, check=True
    ).stdout
    variables = dict(re.findall(r"(SSH_\w+)=([^;]+);", told))
    try:
        for key in keys:
            argv = [require_tool("ssh-add"), "-q", str(key)]
            subprocess.run(argv, env={**environ, **variables}, stdin=subprocess.DEVNULL, check=True)
        yield variables["SSH_AUTH_SOCK"]
    finally:
        subprocess.run(
            ["ssh-agent", "-k"], env={**environ, **variables}, stdout=subprocess.DEVNULL, check=True
        )
