"""A small Git LFS server on loopback: the batch interface, and the files themselves (basic downloads only)."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class LfsServer(ThreadingHTTPServer):
    """Gives out what `add` got, under every repository's path; remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.credentials: str | None = None
        """`user:password` that it asks for."""
        self.authorizations: list[str | None] = []
        self.requests: list[str] = []
        """The path of each request."""

    @property
    def address(self) -> str:
        """`127.0.0.1:PORT`."""
        return f"127.0.0.1:{self.server_address[1]}"

    def url(self, name: str) -> str:
        """The address of a repository whose LFS files it has."""
        return f"http://{self.address}/{name}"

    def add(self, content: bytes) -> str:
        """Keep a file; the text of the pointer that stands for it."""
        oid = hashlib.sha256(content).hexdigest()
        self.files[oid] = content
        return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(content)}\n"


class _Handler(BaseHTTPRequestHandler):
    server: LfsServer

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self._may_enter():
            found = [self._described(item["oid"], item["size"]) for item in json.loads(body)["objects"]]
            answer = json.dumps({"transfer": "basic", "hash_algo": "sha256", "objects": found})
            self._answer(200, answer.encode())

    def do_GET(self) -> None:
        if self._may_enter():
            content = self.server.files.get(self.path.rpartition("/")[2])
            self._answer(404 if content is None else 200, content or b"")

    def _may_enter(self) -> bool:
        server, authorization = self.server, self.headers.get("Authorization")
        server.requests.append(self.path)
        server.authorizations.append(authorization)
        wanted = server.credentials and "Basic " + b64encode(server.credentials.encode()).decode()
        if wanted is None or authorization == wanted:
            return True
        self._answer(401, b'{"message": "who are you?"}')
        return False

    def _described(self, oid: str, size: int) -> dict[str, object]:
        if oid not in self.server.files:
            return {"oid": oid, "size": size, "error": {"code": 404, "message": "no such file"}}
        return {"oid": oid, "size": size, "actions": {"download": {"href": self.server.url(f"files/{oid}")}}}

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        if status == 401:
            self.send_header("LFS-Authenticate", 'Basic realm="test"')
        self.send_header("Content-Type", "application/vnd.git-lfs+json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
