"""A real git repository maker, and real git servers on loopback, for the tests of sources."""

from __future__ import annotations

import atexit
import gzip
import os
import shutil
import subprocess
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseServer
from typing import NamedTuple

MLPROJECT = 'name: tried\nentry_points:\n  main:\n    command: "true"\n'


_PIECE = 16 * 1024


def git(folder: Path, *words: str, environ: Mapping[str, str]) -> str:
    """What a git command prints in a folder; it must succeed."""
    done = subprocess.run(
        ["git", "-C", str(folder), *words], env=environ, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


class Repository(NamedTuple):
    """A repository with three commits on `main`, the first tagged `v1`, and a branch `feature` from it."""

    path: Path
    first: str
    second: str
    third: str
    feature: str
    environ: Mapping[str, str]

    def git(self, *words: str) -> str:
        """Run git in it."""
        return git(self.path, *words, environ=self.environ)


def make_repository(path: Path, environ: Mapping[str, str]) -> Repository:
    """A work tree with a project at the top, one in `examples/v1.2` and one in `examples/train`.

    A copy: it takes sixteen git processes to make one, and hundreds of tests begin with it.
    """
    original = _original(_settings(environ))
    shutil.copytree(original.path, path)
    return original._replace(path=path, environ=environ)


def make_bare(path: Path, repository: Repository) -> None:
    """What `git clone --bare` makes of a repository that is as `make_repository` made it, at `path`."""
    original = _original(_settings(repository.environ))
    shutil.copytree(original.path.with_name("bare"), path)
    config = path / "config"
    config.write_text(config.read_text().replace(str(original.path), str(repository.path)))


def _settings(environ: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """What decides how git makes a repository: not the home folder, which every test has of its own."""
    own = {"GIT_CONFIG_GLOBAL"}
    return frozenset(item for item in environ.items() if item[0].startswith("GIT_") and item[0] not in own)


@cache
def _original(settings: frozenset[tuple[str, str]]) -> Repository:
    """The repository of which copies are made, with a bare clone beside it."""
    folder = tempfile.TemporaryDirectory(prefix="projrun-repository-")
    atexit.register(folder.cleanup)
    environ = {**os.environ, **dict(settings)}
    made = _make_repository(Path(folder.name, "work"), environ)
    git(Path(folder.name), "clone", "--quiet", "--bare", "work", "bare", environ=environ)
    for hook in (*Path(folder.name).glob("work/.git/hooks/*"), *Path(folder.name).glob("bare/hooks/*")):
        hook.unlink()
    return made


def _make_repository(path: Path, environ: Mapping[str, str]) -> Repository:
    def commit(text: str) -> str:
        (path / "data.txt").write_text(text)
        git(path, "add", "--all", environ=environ)
        git(path, "commit", "--quiet", "-m", text, environ=environ)
        return git(path, "rev-parse", "HEAD", environ=environ)

    for folder in (path, path / "examples" / "v1.2", path / "examples" / "train"):
        folder.mkdir(parents=True)
        (folder / "MLproject").write_text(MLPROJECT)
    git(path, "init", "--quiet", "--initial-branch=main", environ=environ)
    first = commit("first")
    git(path, "tag", "-a", "v1", "-m", "one", environ=environ)
    git(path, "checkout", "--quiet", "-b", "feature", environ=environ)
    feature = commit("feature")
    git(path, "checkout", "--quiet", "main", environ=environ)
    return Repository(path, first, commit("second"), commit("third"), feature, environ)


class GitServer(ThreadingHTTPServer):
    """Serves the repositories below a folder with `git http-backend`; remembers what it was asked."""

    daemon_threads = True

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _GitHandler)
        self.root = root
        self.environ = environ
        self.credentials: str | None = None
        """`user:password` that it asks for."""
        self.protocol_2 = True
        """False: it answers as servers did before git 2.18, and gives out no commit by its hash."""
        self.redirect: str | None = None
        """Where it sends every request."""
        self.delay = 0.0
        """Seconds that it waits after every 16 KiB of an answer."""
        self.authorizations: list[str | None] = []
        self.command_lines: set[str] = set()
        """What the machine's process list showed while it answered, where it asks for credentials."""
        self.requests: list[str] = []
        """What it was asked for: `refs PATH` (the names of branches and tags) or `pack PATH`, in git's protocols."""

    @property
    def packs(self) -> int:
        """How many times a pack was asked for."""
        return sum(request.startswith("pack ") for request in self.requests)

    @property
    def address(self) -> str:
        """`127.0.0.1:PORT`."""
        return f"127.0.0.1:{self.server_address[1]}"

    def url(self, name: str) -> str:
        """The URL of a repository."""
        return f"http://{self.address}/{name}"


class _GitHandler(BaseHTTPRequestHandler):
    server: GitServer

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        server, body = self.server, self.rfile.read(int(self.headers.get("Content-Length") or 0))
        authorization = self.headers.get("Authorization")
        server.authorizations.append(authorization)
        if server.credentials:  # the list takes some milliseconds
            server.command_lines |= _command_lines()
        server.requests.append(_asked(self, body))
        if server.redirect is not None:
            self._head(302, [("Location", server.redirect + self.path)])
        elif (
            server.credentials and authorization != "Basic " + b64encode(server.credentials.encode()).decode()
        ):
            self._head(401, [("WWW-Authenticate", 'Basic realm="test"')])
        else:
            self._forward(body)

    def _forward(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        variables = {
            **self.server.environ,
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", "") if self.server.protocol_2 else "",
        }
        answer = subprocess.run(
            ["git", "http-backend"], input=body, env=variables, capture_output=True
        ).stdout
        head, _, content = answer.partition(b"\r\n\r\n")
        headers = [line.partition(": ")[::2] for line in head.decode().split("\r\n")]
        status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
        self._head(status, [(name, value) for name, value in headers if name != "Status"], content)

    def _head(self, status: int, headers: list[tuple[str, str]], content: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        for start in range(0, len(content), _PIECE):
            self.wfile.write(content[start : start + _PIECE])
            time.sleep(self.server.delay)


class _QuietFileHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def _asked(request: BaseHTTPRequestHandler, body: bytes) -> str:
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    packed = request.command == "POST" and b"command=ls-refs" not in body
    return f"{'pack' if packed else 'refs'} {request.path.partition('?')[0]}"


def _command_lines() -> set[str]:
    lines = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.add(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return lines


@contextmanager
def serving(server: BaseServer) -> Iterator[None]:
    """The server answers inside the `with` block; afterwards connections to it are refused."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def file_server(root: Path) -> ThreadingHTTPServer:
    """A plain web server: git's "dumb" protocol, which knows no shallow fetch."""
    return ThreadingHTTPServer(("127.0.0.1", 0), partial(_QuietFileHandler, directory=str(root)))
