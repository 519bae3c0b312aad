"""Whether channels answer: a server on this machine counts how often it is asked."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from projrun.environments.protocol import EnvironmentRequest
from projrun.project.model import EnvironmentReference
from projrun_backends.environments.conda import reach
from projrun_backends.environments.conda.channels import Channel
from projrun_backends.environments.conda.settings import CondaSettings


class Server:
    """What a channel's server answers, and what it was asked."""

    def __init__(self, status: int, before: Callable[[], object]) -> None:
        self.status, self.before = status, before
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""


@contextmanager
def server(status: int = 200, before: Callable[[], object] = bool) -> Iterator[Server]:
    """It answers after `before` has returned."""
    channel = Server(status, before)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            channel.asked.append(self.path)
            channel.headers.append(dict(self.headers))
            channel.before()
            self.send_response(channel.status)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Not in the tests' output."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        channel.url = f"http://127.0.0.1:{listening.server_address[1]}/channel"
        yield channel
        listening.shutdown()


def silent(
    folder: Path, *urls: str, offline: bool = False, settings: CondaSettings | None = None
) -> list[str]:
    request = EnvironmentRequest(folder, EnvironmentReference("none"), folder / "cache", {}, offline=offline)
    channels = [Channel(url) for url in urls]
    return [channel.url for channel in reach.silent_channels(channels, settings or CondaSettings(), request)]


def test_a_channel_is_asked_once(tmp_path: Path) -> None:
    with server() as channel:
        assert silent(tmp_path, channel.url) == []
        assert silent(tmp_path, channel.url) == []
        assert channel.asked == ["/channel/noarch/repodata.json"]
    assert silent(tmp_path, channel.url) == [], "the answer is kept"
    assert (tmp_path / "cache" / reach.MEMORY).stat().st_mode & 0o077 == 0


def test_an_answer_counts_for_an_hour(tmp_path: Path) -> None:
    memory = tmp_path / "cache" / reach.MEMORY
    with server() as channel:
        silent(tmp_path, channel.url)
        ((url, (when, answered)),) = json.loads(memory.read_text()).items()
        assert (url, answered) == (channel.url, True)
        memory.write_text(json.dumps({url: [when - 3599, False]}))
        assert silent(tmp_path, channel.url) == [channel.url], "no answer is kept, too"
        memory.write_text(json.dumps({url: [when - 3601, False]}))
        assert silent(tmp_path, channel.url) == []
        memory.write_text(json.dumps({url: [when + 100, False]}))
        assert silent(tmp_path, channel.url) == [], "a clock that was wrong"
        assert len(channel.asked) == 3


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 1}', '{"a": ["x", true]}', "null"])
def test_a_memory_that_is_damaged_is_forgotten(tmp_path: Path, text: str) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / reach.MEMORY).write_text(text)
    with server() as channel:
        assert silent(tmp_path, channel.url) == []


def test_offline_only_what_is_known_counts(tmp_path: Path) -> None:
    with server() as channel:
        assert silent(tmp_path, channel.url, offline=True) == [channel.url]
        assert channel.asked == []
        silent(tmp_path, channel.url)
        assert silent(tmp_path, channel.url, offline=True) == []


@pytest.mark.parametrize(
    ("status", "answers"),
    [(200, True), (302, True), (401, True), (404, True), (405, True), (403, False), (451, False), (500, False)],
)  # fmt: skip
def test_what_is_an_answer(tmp_path: Path, status: int, answers: bool) -> None:
    with server(status) as channel:
        assert (silent(tmp_path, channel.url) == []) is answers


def test_a_private_channel_may_refuse_who_does_not_log_in(tmp_path: Path) -> None:
    with server(403) as channel:
        request = EnvironmentRequest(tmp_path, EnvironmentReference("none"), tmp_path / "cache", {})
        private = Channel(channel.url, "user", "hush", "token")
        assert reach.silent_channels([private], CondaSettings(), request) == ()
        assert "hush" not in str(channel.headers)
        assert "token" not in str(channel.asked)
    assert "hush" not in (tmp_path / "cache" / reach.MEMORY).read_text()


def test_all_are_asked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "LIMIT", 60)
    with server(before=threading.Barrier(3, timeout=60).wait) as channel:
        assert silent(tmp_path, channel.url, f"{channel.url}/2", f"{channel.url}/3") == []


def test_one_that_is_slow_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "LIMIT", 0.1)
    over = threading.Event()
    with server(before=lambda: over.wait(60)) as slow:
        assert silent(tmp_path, slow.url, f"{slow.url}/2") == [slow.url, f"{slow.url}/2"]
        over.set()


def test_a_channel_where_nothing_listens(tmp_path: Path) -> None:
    assert silent(tmp_path, "http://127.0.0.1:1/x", "http://[bad", "odd://x/y") == [
        "http://127.0.0.1:1/x",
        "http://[bad",
        "odd://x/y",
    ]


def test_a_folder_answers_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "a channel").mkdir()
    there, gone = (tmp_path / "a channel").as_uri(), (tmp_path / "gone").as_uri()
    assert silent(tmp_path, there, gone, offline=True) == [gone]
    assert not (tmp_path / "cache").exists(), "folders are looked at each time"


def test_condas_own_proxy_is_asked(tmp_path: Path) -> None:
    with server() as proxy:
        settings = CondaSettings(proxies={"http": proxy.url.removesuffix("/channel")})
        assert silent(tmp_path, "http://conda.invalid/forge", settings=settings) == []
        assert proxy.asked == ["http://conda.invalid/forge/noarch/repodata.json"]
