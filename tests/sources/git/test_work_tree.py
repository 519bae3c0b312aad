from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from projrun.sources.git import work_tree
from projrun.sources.git.work_tree import (
    WorkTree,
    WorkTreeInquiry,
    find_top,
    read_repository,
    read_work_tree,
)
from tests.sources.git_servers import Repository, git


def read(repository: Repository, folder: str = "", **more: str) -> WorkTree:
    top = repository.path.resolve()
    return read_work_tree(top, top / folder, {**repository.environ, **more})


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_clean_tree(repository: Repository) -> None:
    assert read(repository) == WorkTree(repository.third, "main")
    assert read(repository, "examples/v1.2") == WorkTree(repository.third, "main")


@pytest.mark.parametrize(
    ("change", "top_dirty", "example_dirty"),
    [
        ("echo x >> data.txt", True, False),
        ("touch new", True, False),
        ("touch examples/v1.2/new", True, True),
        ("rm examples/v1.2/MLproject", True, True),
        ("git mv data.txt moved && touch -d @0 moved", True, False),
        ("touch -d @0 data.txt", False, False),
        ("echo '*.log' > .git/info/exclude && touch a.log", False, False),
    ],
)
def test_changes_count_in_the_projects_folder(
    repository: Repository, change: str, top_dirty: bool, example_dirty: bool
) -> None:
    subprocess.run(["bash", "-ec", change], cwd=repository.path, env=repository.environ, check=True)
    index = (repository.path / ".git" / "index").read_bytes()
    assert read(repository).dirty is top_dirty
    assert read(repository, "examples/v1.2").dirty is example_dirty
    assert (repository.path / ".git" / "index").read_bytes() == index  # nothing of the user's is written


def test_no_commit_yet(tmp_path: Path, environ: dict[str, str]) -> None:
    git(tmp_path, "init", "--quiet", environ=environ)
    (tmp_path / "file").touch()
    assert read_work_tree(tmp_path, tmp_path, environ) == WorkTree(untracked=("file",))


def test_a_detached_head_has_no_branch(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "--detach", "v1")
    assert read(repository) == WorkTree(repository.first)


@pytest.mark.parametrize("pattern", ["ignored/", "ignored/*", "deep"])
def test_an_ignored_folder_is_of_no_commit(repository: Repository, pattern: str) -> None:
    (repository.path / ".gitignore").write_text(pattern + "\n")
    (repository.path / "ignored" / "deep").mkdir(parents=True)
    (repository.path / "ignored" / "deep" / "file").touch()
    assert read(repository, "ignored/deep") == WorkTree()
    assert read(repository, "examples/v1.2") == WorkTree(repository.third, "main")


def test_the_first_remote_without_its_password(repository: Repository) -> None:
    assert read_repository(repository.path, repository.environ) is None
    repository.git("remote", "add", "upstream", "https://me:secret@host/o/r.git")
    repository.git("remote", "add", "origin", "git@host:o/other")
    assert read(repository).repository == "https://host/o/r.git"
    assert read_repository(repository.path, repository.environ) == "https://host/o/r.git"


def test_a_linked_work_tree(repository: Repository, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    repository.git("worktree", "add", "--quiet", str(linked), "feature")
    repository.git("remote", "add", "origin", "git@host:o/r")
    assert find_top(linked) == linked
    assert read_work_tree(linked, linked, repository.environ) == WorkTree(
        repository.feature, "feature", "git@host:o/r"
    )


@pytest.mark.processes
def test_a_submodule_is_a_work_tree_of_its_own(repository: Repository, tmp_path: Path) -> None:
    allowed = ["-c", "protocol.file.allow=always"]
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "--quiet", environ=repository.environ)
    git(
        outer,
        *allowed,
        "submodule",
        "--quiet",
        "add",
        str(repository.path),
        "inner",
        environ=repository.environ,
    )
    inner = (outer / "inner").resolve()
    assert find_top(inner / "examples") == inner
    assert read_work_tree(inner, inner, repository.environ).commit == repository.third


def test_finding_the_top(repository: Repository, tmp_path: Path) -> None:
    top = repository.path.resolve()
    assert find_top(top / "examples" / "v1.2") == top
    (tmp_path / "plain" / ".git").mkdir(parents=True)  # an empty one is no repository
    assert find_top(tmp_path / "plain") is None


def test_variables_of_a_hook_are_not_followed(repository: Repository, tmp_path: Path) -> None:
    assert (
        read(repository, GIT_DIR=str(tmp_path / "none"), GIT_INDEX_FILE=str(tmp_path / "no")).commit
        == repository.third
    )


def test_without_git_nothing_fails(repository: Repository, tmp_path: Path) -> None:
    state = read(repository, PATH=str(tmp_path))
    assert state.commit is None
    assert [warning.rpartition(": ")[2] for warning in state.warnings] == ["git is not installed"]
    assert read_repository(repository.path, {"PATH": str(tmp_path)}) is None


def test_git_that_may_not_run(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "git").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").write_text("no program")
    (tmp_path / "bin" / "git").chmod(0o755)
    (warning,) = read(repository, PATH=str(tmp_path / "bin")).warnings
    assert "git cannot be started" in warning


def test_a_damaged_repository_is_a_warning(repository: Repository) -> None:
    (repository.path / ".git" / "config").write_text("[core\n")
    (warning,) = read(repository).warnings
    assert warning.startswith(f"the commit of {repository.path.resolve()} is not recorded: fatal: bad config")


def test_an_old_git_is_not_trusted_with_a_hostile_configuration(
    repository: Repository, tmp_path: Path
) -> None:
    # Before 2.31 git knows no GIT_CONFIG_COUNT: here a real git that does not get it.
    (tmp_path / "bin").mkdir()
    script(tmp_path / "bin" / "git", f'exec env -u GIT_CONFIG_COUNT PATH="{os.environ["PATH"]}" git "$@"')
    (warning,) = read(repository, PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}").warnings
    assert warning.endswith("git is older than 2.31")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a folder away"
)
def test_a_repository_of_someone_else_is_not_read(repository: Repository) -> None:
    for folder in (repository.path, repository.path / ".git"):
        os.chown(folder, 12345, 12345)
    (warning,) = read(repository).warnings
    assert "safe.directory" in warning


def test_a_slow_tree_loses_only_what_takes_time(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_tree, "_TIMEOUT", 0.3)
    (tmp_path / "bin").mkdir()
    script(
        tmp_path / "bin" / "git",
        f'PATH="{os.environ["PATH"]}"\nfor last; do :; done\n[ "$last" != . ] || exec sleep 20\nexec git "$@"',
    )
    (repository.path / "new").touch()
    started = time.monotonic()
    state = read(repository, PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert time.monotonic() - started < 10
    assert (state.commit, state.branch, state.dirty) == (repository.third, "main", False)
    assert [warning.partition(":")[0] for warning in state.warnings] == [
        f"uncommitted changes in {repository.path.resolve()} are not detected"
    ]


def test_git_works_while_the_caller_does_something_else(repository: Repository) -> None:
    (repository.path / "new").touch()
    top = repository.path.resolve()
    with WorkTreeInquiry(top, top, repository.environ) as inquiry:
        for _ in range(4):  # one more than there are questions
            inquiry.proceed()
        (repository.path / "newer").touch()
        assert inquiry.state() == WorkTree(repository.third, "main", untracked=("new",))


@pytest.mark.parametrize("command", ["config", "status"])
def test_an_inquiry_that_nobody_waits_for_leaves_no_process(
    repository: Repository, tmp_path: Path, command: str
) -> None:
    (tmp_path / "bin").mkdir()
    script(
        tmp_path / "bin" / "git",
        f'PATH="{os.environ["PATH"]}"\ncase " $* " in *" {command} "*) '
        f'echo $$ > "{tmp_path}/new"; mv "{tmp_path}/new" "{tmp_path}/pid"; exec sleep 60;; esac\nexec git "$@"',
    )
    top, environ = repository.path.resolve(), {**repository.environ, "PATH": f"{tmp_path}/bin:/usr/bin:/bin"}
    with pytest.raises(ZeroDivisionError), WorkTreeInquiry(top, top, environ) as inquiry:
        for _ in range({"config": 1, "status": 2}[command]):
            inquiry.proceed()
        while not (tmp_path / "pid").exists():
            time.sleep(0.01)
        raise ZeroDivisionError
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def make_hostile(repository: Repository, marker: Path, name: str) -> None:
    """A repository whose own configuration starts a program when `git status` runs."""
    program = script(marker.with_suffix(".sh"), f"touch {marker}\ncat")
    (repository.path / ".gitattributes").write_text(f"data.txt filter={name}\n")
    repository.git("config", "core.fsmonitor", str(program))
    repository.git("config", f"filter.{name}.clean", str(program))
    repository.git("config", f"filter.{name}.required", "true")
    script(repository.path / ".git" / "hooks" / "post-index-change", f"touch {marker}")
    data = repository.path / "data.txt"
    data.write_text(data.read_text())  # git must compare the content


@pytest.mark.parametrize("name", ["evil", "a=b", "lfs"])
def test_a_hostile_configuration_runs_nothing(repository: Repository, tmp_path: Path, name: str) -> None:
    Path(repository.environ["HOME"], ".gitconfig").write_text('[filter "lfs"]\n\tclean = cat\n')
    marker = tmp_path / "executed"
    make_hostile(repository, marker, name)
    assert read(repository).commit == repository.third
    assert not marker.exists()
    repository.git("status")
    assert marker.exists()  # the trap works: it is our settings that disarm it


def test_a_persons_own_filter_is_used(repository: Repository) -> None:
    Path(repository.environ["HOME"], ".gitconfig").write_text('[filter "up"]\n\tclean = tr a-z A-Z\n')
    (repository.path / ".gitattributes").write_text("data.txt filter=up\n")
    repository.git("add", "--renormalize", ".")
    repository.git("add", ".gitattributes")
    repository.git("commit", "--quiet", "-m", "filtered")
    os.utime(repository.path / "data.txt", (0, 0))
    assert read(repository).dirty is False


def test_a_partial_clone_fetches_nothing(repository: Repository, tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    program = script(tmp_path / "upload.sh", f"touch {marker}\nexit 1")
    tree = repository.git("rev-parse", "HEAD^{tree}")
    repository.git("config", "extensions.partialClone", "origin")
    repository.git("config", "core.repositoryFormatVersion", "1")
    repository.git("config", "remote.origin.url", str(repository.path))
    repository.git("config", "remote.origin.promisor", "true")
    repository.git("config", "remote.origin.uploadpack", str(program))
    (repository.path / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    state = read(repository)
    assert not marker.exists()
    assert state.warnings
    subprocess.run(["git", "status"], cwd=repository.path, env=repository.environ, capture_output=True)
    assert marker.exists()
