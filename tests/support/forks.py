"""A pytest plug-in, `--forks N`: collects the tests once and runs them in forks of the process that did.

Workers that are started import and collect everything again, a quarter of what all the tests take. What a process
of its own gives stays: memory, environment, temporary folder; a test that kills its process fails and no other.
"""

from __future__ import annotations

import gc
import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from mmap import mmap
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any, NamedTuple, NoReturn

import pytest

_CHUNK = 8
"""As many tests of a file are taken at once: with fewer its fixtures are made again and again."""

_IDLE = b"idle"


class Sent(NamedTuple):
    """What a fork tells of one test."""

    place: int
    reports: list[dict[str, Any]]
    warnings: list[dict[str, Any]]


class Fork(NamedTuple):
    """A process that runs tests, and which of them it runs now."""

    number: int
    pid: int
    now: mmap


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option."""
    parser.addoption(
        "--forks", type=int, default=0, metavar="N", help="run the tests in N forks of this process"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run what was collected; None, for pytest's own loop, where there are no forks or the collection failed."""
    option = session.config.option
    if not option.forks or option.collectonly or option.usepdb or session.testsfailed:
        return None
    terminal = session.config.pluginmanager.getplugin("terminalreporter")
    if terminal is not None:
        terminal.showfspath = (
            False  # forks take turns: the name of a file before each letter would fill pages
        )
    _temporary_folders(session).getbasetemp()  # made once, here
    left = dict.fromkeys(range(len(session.items)))
    while left:  # again only where a fork died
        before = len(left)
        for sent in Round(session, list(left)).run(option.forks):
            del left[sent.place]
            _replay(session, sent)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
        assert len(left) < before, "no fork could run a test"
    return True


def _temporary_folders(session: pytest.Session) -> pytest.TempPathFactory:
    factory: pytest.TempPathFactory = session.config._tmp_path_factory  # type: ignore[attr-defined]
    return factory


def _replay(session: pytest.Session, sent: Sent) -> None:
    """Tell the plug-ins of this process what the fork's were told."""
    hook, item = session.config.hook, session.items[sent.place]
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for data in sent.reports:
        report = hook.pytest_report_from_serializable(config=session.config, data=data)
        hook.pytest_runtest_logreport(report=report)
    for warning in sent.warnings:
        hook.pytest_warning_recorded.call_historic(kwargs=warning)
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)


class Round:
    """Some tests, which forks take from a queue until it is empty."""

    def __init__(self, session: pytest.Session, places: list[int]) -> None:
        self._session = session
        self._chunks = list(_chunks(session.items, places))
        self._queue, feed = os.pipe()
        os.write(feed, b"".join(number.to_bytes(2, "big") for number in range(len(self._chunks))))
        os.close(feed)

    def run(self, number: int) -> Iterator[Sent]:
        """What the forks tell, until all have ended. After the first wish to stop they take no more tests."""
        running = dict(self._start(count) for count in range(number))
        try:
            while running:
                for connection in wait(list(running)):
                    assert isinstance(connection, Connection)
                    try:
                        yield connection.recv()
                    except EOFError:
                        connection.close()
                        yield from self._ended(running.pop(connection))
                    if self._session.shouldfail or self._session.shouldstop:
                        self._drain()
        finally:
            self._drain()
            os.close(self._queue)
            for connection, fork in running.items():
                connection.close()
                os.waitpid(fork.pid, 0)

    def _drain(self) -> None:
        while os.read(self._queue, 1 << 16):
            pass

    def _start(self, number: int) -> tuple[Connection, Fork]:
        receiver, sender = Pipe(duplex=False)
        now = mmap(-1, len(_IDLE))
        now[:] = _IDLE
        sys.stdout.flush()
        # What is captured goes through a file, in which forks would write over each other.
        capture = self._session.config.pluginmanager.getplugin("capturemanager")
        capture.stop_global_capturing()
        pid = os.fork()
        capture.start_global_capturing()
        capture.suspend_global_capture()
        if pid == 0:
            receiver.close()
            self._work(number, Worker(self._session, sender, now))
        sender.close()
        return receiver, Fork(number, pid, now)

    def _work(self, number: int, worker: Worker) -> NoReturn:
        code = 1
        try:
            worker.work(number, self._taken())
            code = 0
        except (KeyboardInterrupt, BrokenPipeError):  # a person, or who would hear of it is gone
            pass
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)  # what is to be done at the end is done by the process that collected

    def _taken(self) -> Iterator[int]:
        while taken := os.read(self._queue, 2):  # all of them or none, as pipes are read under a lock
            yield from self._chunks[int.from_bytes(taken, "big")]

    def _ended(self, fork: Fork) -> Iterator[Sent]:
        """A failed test where the fork ended in the middle of one."""
        code = os.waitstatus_to_exitcode(os.waitpid(fork.pid, 0)[1])
        if fork.now[:] == _IDLE:
            assert code == 0, f"fork {fork.number} ended with {code}"
            return
        place = int.from_bytes(fork.now[:], "big")
        item, config = self._session.items[place], self._session.config
        text = f"the process that ran this test ended with {code}"
        report = pytest.TestReport(item.nodeid, item.location, {}, "failed", text, "call")
        yield Sent(place, [config.hook.pytest_report_to_serializable(config=config, report=report)], [])


def _chunks(items: list[pytest.Item], places: list[int]) -> Iterator[list[int]]:
    """Consecutive tests, each time of one file; first those that want to stay together. Not more than a pipe takes."""
    size = max(_CHUNK, len(places) // 1000)
    together: dict[str, list[int]] = {}
    parts: list[list[int]] = []
    for place in places:
        if mark := items[place].get_closest_marker("together"):
            together.setdefault(mark.args[0], []).append(place)
        elif parts and len(parts[-1]) < size and items[place].path == items[parts[-1][0]].path:
            parts[-1].append(place)
        else:
            parts.append([place])
    yield from together.values()
    yield from parts


class Worker:
    """What a fork does: it runs tests and tells of them. A plug-in of its own pytest."""

    def __init__(self, session: pytest.Session, sender: Connection, now: mmap) -> None:
        self._session = session
        self._sender = sender
        self._now = now
        self._sent = Sent(0, [], [])

    def work(self, number: int, places: Iterator[int]) -> None:
        """Run the tests; the last one takes down what several shared."""
        config = self._session.config
        factory = _temporary_folders(self._session)
        factory._basetemp = factory.getbasetemp() / f"fork-{number}"
        factory._basetemp.mkdir(mode=0o700, exist_ok=True)
        config.pluginmanager.unregister(name="terminalreporter")
        config.pluginmanager.register(self)
        place = next(places, None)
        while place is not None:
            following = next(places, None)
            self._run(place, following)
            place = following

    def _run(self, place: int, following: int | None) -> None:
        item = self._session.items[place]
        self._sent = Sent(place, [], [])
        self._now[:] = place.to_bytes(len(_IDLE), "big")
        next_item = None if following is None else self._session.items[following]
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=next_item)
        self._sender.send(self._sent)
        self._now[:] = _IDLE

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep it for the process that collected."""
        config = self._session.config
        self._sent.reports.append(config.hook.pytest_report_to_serializable(config=config, report=report))

    def pytest_warning_recorded(
        self, warning_message: warnings.WarningMessage, when: str, nodeid: str, location: object
    ) -> None:
        """Keep it, its text alone, as the warning itself may hold anything."""
        text, category = str(warning_message.message), warning_message.category
        told = warnings.WarningMessage(text, category, warning_message.filename, warning_message.lineno)
        self._sent.warnings.append(
            {"warning_message": told, "when": when, "nodeid": nodeid, "location": location}
        )

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """Find what was not closed, as pytest does at its end; the last test fails for it."""
        if nextitem is None:
            gc.collect()
            plugins = item.config.pluginmanager
            finder = plugins.getplugin("unraisableexception")
            others = [plugin for plugin in plugins.get_plugins() if plugin is not finder]
            plugins.subset_hook_caller("pytest_runtest_teardown", others)(item=item, nextitem=None)
