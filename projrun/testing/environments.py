"""The conformance kit of environment managers: subclass what your manager can do, and pytest does the rest.

    class TestMine(CachedConformance, LockConformance):
        @pytest.fixture
        def manager(self) -> EnvironmentManager: ...
        @pytest.fixture
        def request_of_project(self, tmp_path: Path) -> EnvironmentRequest: ...
        @pytest.fixture
        def broken_request(self, tmp_path: Path) -> EnvironmentRequest: ...
        @pytest.fixture
        def wrong_request(self, tmp_path: Path) -> EnvironmentRequest: ...

A manager that builds nothing subclasses `EnvironmentConformance`, one whose builds are not in projrun's cache
`BuildConformance`, one with options of its own `OptionsConformance`. The projects should be tiny: a dozen environments
are built.
"""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from projrun.cache.entries import ContentCache, describe
from projrun.environments.abilities import TakesOptions
from projrun.environments.lock_text import lock_kind
from projrun.environments.protocol import (
    EnvironmentManager,
    EnvironmentRequest,
    GivenOptions,
    PreparedEnvironment,
)
from projrun.errors import EnvironmentBuildError, RequestError
from projrun.settings import Settings
from projrun.testing.commands import run_in

_AWKWARD = "é 日本 'single' \"double\" $(x) `y` \\ {z}"
_HUSH = "hush-hush-hush"
_DIGEST = "0123456789abcdef" * 4
_FOREIGN_LOCKS = {
    "python": "# python 3.11.7\nnumpy==1.26.4\n",
    "conda": "version: 6\nenvironments:\n  default:\n    channels: []\npackages: []\n",
    "image": f"registry.example/team/image@sha256:{_DIGEST}\n",
    "toml": 'version = 1\n\n[[package]]\nname = "numpy"\n',
}


class EnvironmentConformance:
    """What every manager does."""

    command = 'python -c "print(6 * 7)"'
    """Runs in the environment of `request_of_project`."""
    output = "42"
    """What it prints."""

    @pytest.fixture
    def manager(self) -> EnvironmentManager:
        """The manager under test; a subclass provides it."""
        raise NotImplementedError("a subclass of the kit provides the fixture `manager`")

    @pytest.fixture
    def request_of_project(self, tmp_path: Path) -> EnvironmentRequest:
        """What the plan would ask for a small project; the project and the cache are of this test alone."""
        raise NotImplementedError("a subclass of the kit provides the fixture `request_of_project`")

    def test_its_name_and_its_kinds_are_words(self, manager: EnvironmentManager) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9-]*", manager.name)
        assert type(manager)().name == manager.name
        assert manager.capabilities.kinds
        assert all(re.fullmatch(r"\*|[a-z][a-z0-9_]*", kind) for kind in manager.capabilities.kinds)

    def test_the_kit_covers_what_it_can_do(self, manager: EnvironmentManager) -> None:
        able = manager.capabilities
        takes_options = isinstance(manager, TakesOptions)
        wanted = (able.builds, able.builds and able.cached, bool(able.locks), takes_options)
        parts = (BuildConformance, CachedConformance, LockConformance, OptionsConformance)
        assert tuple(isinstance(self, part) for part in parts) == wanted

    def test_whether_it_is_available_is_a_plain_answer(
        self, manager: EnvironmentManager, request_of_project: EnvironmentRequest
    ) -> None:
        assert manager.available(request_of_project.environ) is True
        assert manager.available({}) in (True, False)

    def test_resolving_changes_nothing_and_says_the_same_again(
        self, manager: EnvironmentManager, request_of_project: EnvironmentRequest
    ) -> None:
        before = _files(request_of_project.project_directory)
        first = manager.resolve(request_of_project)
        again = manager.resolve(request_of_project)
        assert first._replace(details=None) == again._replace(details=None)
        assert _files(request_of_project.project_directory) == before
        assert ContentCache(request_of_project.cache_directory).entries() == []

    def test_what_is_resolved_can_be_shown(
        self, manager: EnvironmentManager, request_of_project: EnvironmentRequest
    ) -> None:
        variables = {"PIP_EXTRA_INDEX_URL": f"http://me:{_HUSH}@127.0.0.1:9/simple", "SECRET_TOKEN": _HUSH}
        environ = {**request_of_project.environ, **variables}
        resolved = manager.resolve(request_of_project._replace(environ=environ))
        assert _HUSH not in repr(resolved)
        assert resolved.manager == manager.name
        assert resolved.summary
        assert resolved.summary.isprintable()
        assert re.fullmatch(r"[a-z][a-z0-9-]*", resolved.recorded_kind)

    def test_commands_run_in_it(
        self, manager: EnvironmentManager, request_of_project: EnvironmentRequest, tmp_path: Path
    ) -> None:
        lines: list[str] = []
        resolved = manager.resolve(request_of_project)
        prepared = manager.prepare(request_of_project, resolved, rebuild=False, progress=lines.append)
        assert all(line and line.isprintable() for line in lines)
        assert (prepared.lock is None) or prepared.lock.endswith("\n")
        done = run_in(prepared, request_of_project, self.command, tmp_path)
        assert (done.output, done.outcome.exit_code) == (self.output, 0)
        variable = run_in(prepared, request_of_project, 'echo "$A_VARIABLE"', tmp_path, A_VARIABLE=_AWKWARD)
        assert variable.output == _AWKWARD
        failed = run_in(prepared, request_of_project, "exit 3", tmp_path).outcome
        assert (failed.status, failed.exit_code) == ("FAILED", 3)


class BuildConformance(EnvironmentConformance):
    """What managers that build something do, too."""

    @pytest.fixture
    def broken_request(self, tmp_path: Path) -> EnvironmentRequest:
        """A project whose environment the manager's tool fails to build."""
        raise NotImplementedError("a subclass of the kit provides the fixture `broken_request`")

    @pytest.fixture
    def wrong_request(self, tmp_path: Path) -> EnvironmentRequest:
        """A project with an invalid environment file, which is found by reading it."""
        raise NotImplementedError("a subclass of the kit provides the fixture `wrong_request`")

    def test_a_wrong_file_is_refused_by_the_plan(
        self, manager: EnvironmentManager, wrong_request: EnvironmentRequest
    ) -> None:
        with pytest.raises(RequestError) as raised:
            manager.resolve(wrong_request)
        assert raised.value.message.isprintable()

    def test_a_build_that_fails_says_what_its_tool_said(
        self, manager: EnvironmentManager, broken_request: EnvironmentRequest
    ) -> None:
        resolved = manager.resolve(broken_request)
        with pytest.raises(EnvironmentBuildError) as raised:
            manager.prepare(broken_request, resolved, rebuild=False, progress=lambda line: None)
        error = raised.value
        assert error.message.isprintable()
        assert error.hint
        assert error.detail
        assert error.log is None or error.log.read_text(encoding="utf-8").strip()
        assert ContentCache(broken_request.cache_directory).entries() == []
        assert not manager.resolve(broken_request).exists


class CachedConformance(BuildConformance):
    """What managers do whose environments are in projrun's cache."""

    def test_it_is_built_once_and_found_again(
        self, manager: EnvironmentManager, request_of_project: EnvironmentRequest
    ) -> None:
        resolved = manager.resolve(request_of_project)
        assert not resolved.exists
        assert re.fullmatch(r"[0-9a-f]{16,64}", resolved.key or "")
        assert resolved.path is not None
        assert resolved.path.is_relative_to(request_of_project.cache_directory)
        prepared = prepare(manager, request_of_project)
        assert prepared.built
        assert prepared.build_log is not None
        assert prepared.build_log.read_text(encoding="utf-8").strip()
        again = manager.resolve(request_of_project)
        assert (again.exists, again.key) == (True, resolved.key)
        assert again.path is not None
        assert again.path.is_dir()
        assert prepare(manager, request_of_project) == prepared._replace(built=False)

    def test_its_entry_says_what_it_is(
        self, manager: EnvironmentManager, request_of_project: EnvironmentRequest
    ) -> None:
        prepare(manager, request_of_project)
        (entry,) = ContentCache(request_of_project.cache_directory).entries()
        assert (entry.key, entry.state) == (manager.resolve(request_of_project).key, "ready")
        facts = describe(entry.path)
        assert facts["manager"] == manager.name
        assert facts["summary"]
        assert facts["project"] == str(request_of_project.project_directory)

    def test_a_rebuild_makes_another(
        self, manager: EnvironmentManager, request_of_project: EnvironmentRequest, tmp_path: Path
    ) -> None:
        first = prepare(manager, request_of_project)
        second = prepare(manager, request_of_project, rebuild=True)
        assert (first.built, second.built) == (True, True)
        assert first.path_prefix != second.path_prefix
        for prepared in (first, second):  # what this process uses is not taken away from it
            assert run_in(prepared, request_of_project, self.command, tmp_path).output == self.output

    def test_an_interrupted_build_leaves_nothing(
        self, manager: EnvironmentManager, request_of_project: EnvironmentRequest
    ) -> None:
        def interrupt(line: str) -> None:
            raise KeyboardInterrupt

        resolved = manager.resolve(request_of_project)
        with pytest.raises(KeyboardInterrupt):
            manager.prepare(request_of_project, resolved, rebuild=False, progress=interrupt)
        assert ContentCache(request_of_project.cache_directory).entries() == []
        assert prepare(manager, request_of_project).built

    def test_processes_at_once_build_it_once(
        self, manager: EnvironmentManager, request_of_project: EnvironmentRequest
    ) -> None:
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(2, mp_context=spawn) as pool:
            asked = [pool.submit(_builds, type(manager), request_of_project) for _ in range(2)]
            assert sorted(one.result(timeout=300) for one in asked) == [False, True]
        assert manager.resolve(request_of_project).exists


class LockConformance(EnvironmentConformance):
    """What managers do that build from a lock."""

    def changed(self, lock: str) -> str:
        """Another lock, which may not be installable: without its last line unless a subclass knows better."""
        return "".join(lock.splitlines(keepends=True)[:-1])

    def test_a_lock_builds_the_same_again(
        self, manager: EnvironmentManager, request_of_project: EnvironmentRequest, tmp_path: Path
    ) -> None:
        prepared = prepare(manager, request_of_project)
        assert prepared.lock
        # Elsewhere: a manager may take what is there and has what the lock wants.
        elsewhere = request_of_project._replace(cache_directory=tmp_path / "elsewhere")
        locked = _locked(elsewhere, tmp_path / prepared.lock_name, prepared.lock)
        resolved = manager.resolve(locked)
        assert resolved.key != manager.resolve(elsewhere).key
        assert prepared.lock_name in resolved.summary
        again = prepare(manager, locked)
        assert again.lock == prepared.lock
        assert run_in(again, locked, self.command, tmp_path).output == self.output

    def test_another_lock_is_another_environment(
        self, manager: EnvironmentManager, request_of_project: EnvironmentRequest, tmp_path: Path
    ) -> None:
        lock = prepare(manager, request_of_project).lock or ""
        first = manager.resolve(_locked(request_of_project, tmp_path / "first.lock", lock))
        second = manager.resolve(_locked(request_of_project, tmp_path / "second.lock", self.changed(lock)))
        assert first.key != second.key

    def test_a_lock_of_another_kind_is_refused(
        self, manager: EnvironmentManager, request_of_project: EnvironmentRequest, tmp_path: Path
    ) -> None:
        own = lock_kind(prepare(manager, request_of_project).lock or "")
        foreign = {kind: text for kind, text in _FOREIGN_LOCKS.items() if kind != own}
        assert len(foreign) == len(_FOREIGN_LOCKS) - 1
        for kind, text in foreign.items():
            with pytest.raises(RequestError) as raised:
                manager.resolve(_locked(request_of_project, tmp_path / f"{kind}.lock", text))
            assert f"{kind}.lock" in raised.value.message
            assert raised.value.hint


class OptionsConformance(EnvironmentConformance):
    """What managers do that take options of their own."""

    def test_its_options_are_a_record_with_defaults(
        self, manager: EnvironmentManager, request_of_project: EnvironmentRequest, tmp_path: Path
    ) -> None:
        record = _options(manager, tmp_path)
        assert isinstance(record, tuple)
        assert re.fullmatch(r"[a-z]\w*(, [a-z]\w*)*", ", ".join(getattr(record, "_fields", ())))
        assert record == type(record)(), "what is read where no option is given are the defaults"
        assert request_of_project.options_as(type(record)) == (request_of_project.options or record)
        if request_of_project.options is None:
            first, again = (
                manager.resolve(request_of_project._replace(options=one)) for one in (None, record)
            )
            assert first._replace(details=None) == again._replace(details=None)

    def test_its_options_reach_tools_as_variables(self, manager: EnvironmentManager, tmp_path: Path) -> None:
        exported = getattr(_options(manager, tmp_path), "exported", {})
        assert all(re.fullmatch(r"[A-Z_][A-Z0-9_]*", name) for name in exported)
        assert all(isinstance(value, str) for value in exported.values())

    def test_its_options_show_no_login(self, manager: EnvironmentManager, tmp_path: Path) -> None:
        record = _options(manager, tmp_path, {"registry-login": {"username": "ada", "password": _HUSH}})
        assert _HUSH not in repr(record)
        assert _HUSH not in repr(getattr(record, "exported", {}))


def prepare(
    manager: EnvironmentManager, request: EnvironmentRequest, *, rebuild: bool = False
) -> PreparedEnvironment:
    """Resolve and prepare, without showing the progress."""
    return manager.prepare(request, manager.resolve(request), rebuild=rebuild, progress=lambda line: None)


def _options(
    manager: EnvironmentManager, folder: Path, requested: Mapping[str, object] | None = None
) -> object:
    assert isinstance(manager, TakesOptions)
    settings = Settings({}, {}, folder / "no-config.toml")
    return manager.read_options(GivenOptions(settings, folder, {}, requested or {}))


def _builds(kind: type[EnvironmentManager], request: EnvironmentRequest) -> bool:
    return prepare(kind(), request).built


def _locked(request: EnvironmentRequest, file: Path, text: str) -> EnvironmentRequest:
    file.write_text(text, encoding="utf-8")
    return request._replace(lock_file=file)


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    files = {str(path): path.lstat() for path in folder.rglob("*")}
    return {name: (status.st_mtime_ns, status.st_size) for name, status in files.items()}
