from __future__ import annotations

import os
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from projrun.sources.changes import patch as patch_module
from projrun.sources.changes.patch import LARGEST_FILE, LARGEST_PATCH, Patch, take_patch
from projrun.sources.git.work_tree import GitFailure, read_work_tree
from tests.sources.git_servers import Repository, git
from tests.support.examples import examples


def take(repository: Repository, folder: str = "", **more: str) -> Patch:
    top, environ = repository.path.resolve(), {**repository.environ, **more}
    return take_patch(top, top / folder, read_work_tree(top, top / folder, environ), environ)


def restored(repository: Repository, patch: Patch) -> Path:
    """A clean checkout of the commit with the patch applied."""
    clone = repository.path.parent / "restored"
    git(repository.path, "clone", "--quiet", str(repository.path), str(clone), environ=repository.environ)
    apply(clone, patch.text, repository.environ)
    return clone


def apply(folder: Path, text: bytes, environ: Mapping[str, str]) -> None:
    done = subprocess.run(
        ["git", "apply", "-"], cwd=folder, env=environ, input=text, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def shell(repository: Repository, script: str) -> None:
    subprocess.run(["bash", "-ec", script], cwd=repository.path, env=repository.environ, check=True)


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


class Entry(NamedTuple):
    """A file or a link."""

    kind: str
    content: bytes


def content_of(folder: Path) -> dict[str, Entry]:
    """All files and links of a work tree."""
    found = {}
    for path in folder.rglob("*"):
        name = os.fsdecode(path.relative_to(folder))
        if name == ".git" or name.startswith(".git/") or (path.is_dir() and not path.is_symlink()):
            continue
        if path.is_symlink():
            found[name] = Entry("link", os.fsencode(path.readlink()))
        else:
            executable = path.stat().st_mode & stat.S_IXUSR
            found[name] = Entry("program" if executable else "file", path.read_bytes())
    return found


NAMES = (
    "plain",
    "with space",
    "new\nline",
    'quote"d',
    "back\\slash",
    "\ttab",
    "ünïcode",
    "-dash",
    "\udcff",
    " a ",
)
LINES = st.lists(
    st.sampled_from(
        (b"one", b"", b"two\r", b"diff --git a/x b/x", b"* Unmerged path x", b"\\ No", b"-- ", b"\xff")
    )
)
CONTENTS = st.builds(lambda lines, end: b"\n".join(lines) + end, LINES, st.sampled_from((b"", b"\n")))
ENTRIES = st.one_of(
    st.builds(Entry, st.sampled_from(("file", "program")), CONTENTS),
    st.builds(Entry, st.just("link"), st.sampled_from((b"nowhere", b"no where\n"))),
)
FOLDERS = st.dictionaries(st.sampled_from(NAMES), ENTRIES, max_size=4)
TREES = st.dictionaries(
    st.sampled_from(("folder", "other folder", *NAMES)), st.one_of(ENTRIES, FOLDERS), max_size=6
)
Tree = dict[str, Entry | dict[str, Entry]]


def write_tree(folder: Path, tree: Tree) -> None:
    for old in (path for path in sorted(folder.rglob("*"), reverse=True) if ".git" not in path.parts):
        old.rmdir() if old.is_dir() and not old.is_symlink() else old.unlink()
    for name, entry in tree.items():
        if isinstance(entry, dict):
            (folder / name).mkdir(exist_ok=True)
            write_tree_entries(folder / name, entry)
        else:
            write_tree_entries(folder, {name: entry})


def write_tree_entries(folder: Path, entries: Mapping[str, Entry]) -> None:
    for name, entry in entries.items():
        if entry.kind == "link":
            (folder / name).symlink_to(os.fsdecode(entry.content))
        else:
            (folder / name).write_bytes(entry.content)
            (folder / name).chmod(0o755 if entry.kind == "program" else 0o644)


PERSON = dict.fromkeys(
    (f"GIT_{role}_{field}" for role in ("AUTHOR", "COMMITTER") for field in ("NAME", "EMAIL")), "t@t"
)
EMPTY = Entry("file", b"")
PROGRAM = Entry("program", b"1")


@pytest.mark.processes
@example({}, {" a ": {"plain": EMPTY}}, False)
@example({" a ": {"plain": EMPTY}}, {}, False)
@example({" a ": {"plain": Entry("file", b"1")}}, {" a ": {"plain": PROGRAM}}, True)
@settings(max_examples=examples(25))
@given(TREES, TREES, st.booleans())
def test_any_change_survives(before: Tree, after: Tree, staged: bool) -> None:
    environ = {**os.environ, **PERSON}
    with tempfile.TemporaryDirectory() as temporary:
        top, clone = Path(temporary).resolve() / "top", Path(temporary).resolve() / "clone"
        top.mkdir()
        git(top, "init", "--quiet", environ=environ)
        write_tree(top, before)
        git(top, "add", "--all", environ=environ)
        git(top, "commit", "--quiet", "--allow-empty", "-m", "before", environ=environ)
        write_tree(top, after)
        if staged:
            git(top, "add", "--all", environ=environ)
        tree = read_work_tree(top, top, environ)
        assert tree.dirty == (content_of(top) != _flat(before))
        patch = take_patch(top, top, tree, environ)
        assert patch.left_out == ()
        git(top, "clone", "--quiet", ".", str(clone), environ=environ)
        if tree.dirty:
            apply(clone, patch.text, environ)
        assert content_of(clone) == content_of(top)


def _flat(tree: Tree) -> dict[str, Entry]:
    flat = {}
    for name, entry in tree.items():
        if isinstance(entry, dict):
            flat.update({f"{name}/{inner}": value for inner, value in entry.items()})
        else:
            flat[name] = entry
    return flat


def test_only_the_projects_folder_counts(repository: Repository) -> None:
    shell(repository, "echo x >> data.txt; touch new examples/train/new; echo y >> examples/v1.2/MLproject")
    patch = take(repository, "examples/v1.2")
    assert patch.summary == "complete"
    assert [line for line in patch.text.splitlines() if line.startswith(b"diff")] == [
        b"diff --git a/examples/v1.2/MLproject b/examples/v1.2/MLproject"
    ]


def test_nothing_of_the_users_is_written(repository: Repository) -> None:
    def state() -> dict[str, tuple[int, int]]:
        files = [path for path in repository.path.rglob("*") if path.is_file()]
        return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in files}

    shell(repository, "echo x > new; : > empty; touch -d @0 examples/train/MLproject; echo y >> data.txt")
    before = state()
    assert take(repository).complete
    assert state() == before


def test_ignored_files_are_not_new(repository: Repository) -> None:
    shell(repository, "mkdir out; touch out/model a.log b.txt; printf 'out/\\n*.log\\n' > .gitignore")
    patch = take(repository)
    assert patch.complete
    assert sorted(content_of(restored(repository, patch))) == [
        ".gitignore", "MLproject", "b.txt", "data.txt", "examples/train/MLproject", "examples/v1.2/MLproject",
    ]  # fmt: skip


def test_a_file_that_only_the_index_has_lost_is_still_there(repository: Repository) -> None:
    shell(repository, "git rm -q --cached data.txt MLproject; echo data.txt > .gitignore")
    patch = take(repository)
    assert patch.complete
    assert content_of(restored(repository, patch)) == content_of(repository.path)


@pytest.mark.parametrize(
    "then", ["echo x >> data.txt", "rm data.txt; touch new", "rm data.txt; mkdir data.txt"]
)
def test_a_conflict_is_recorded_as_it_lies_there(repository: Repository, then: str) -> None:
    shell(
        repository,
        "git checkout -q -b gone feature; git rm -q data.txt; git commit -q -m gone; git checkout -q main;"
        "echo more > more; git add more; git commit -q -m more; ! git merge -q gone > /dev/null;" + then,
    )
    patch = take(repository)
    assert patch.complete
    assert content_of(restored(repository, patch)) == content_of(repository.path)


def test_binary_files_are_named_only(repository: Repository) -> None:
    (repository.path / "tracked.bin").write_bytes(b"\0\1")
    shell(repository, "git add .; git commit -q -m binary; rm data.txt; mkdir sub")
    (repository.path / "tracked.bin").write_bytes(b"\0\2")
    (repository.path / "sub" / "late.bin").write_bytes(b"x" * 20_000 + b"\0\2")
    (repository.path / "new file.bin").write_bytes(b"\0\2")
    patch = take(repository)
    assert [tuple(one) for one in patch.left_out] == [
        ("new file.bin", "binary"),
        ("sub/late.bin", "binary"),
        ("tracked.bin", "binary"),
    ]
    assert patch.summary == (
        "partial: without new file.bin (binary), sub/late.bin (binary), tracked.bin (binary)"
    )
    assert b"# Left out: tracked.bin (binary)\n" in patch.text
    assert b"\0" not in patch.text
    assert not (restored(repository, patch) / "data.txt").exists()


def test_a_file_in_the_place_of_one_that_is_left_out(repository: Repository) -> None:
    (repository.path / "tracked").write_bytes(b"\0")
    (repository.path / "folder").mkdir()
    (repository.path / "folder" / "binary").write_bytes(b"\0")
    shell(
        repository,
        "git add .; git commit -q -m b; rm -r tracked folder; mkdir tracked; echo 1 > tracked/a; echo 2 > folder;"
        "echo 3 > folder.txt",
    )
    patch = take(repository)
    assert [tuple(one) for one in patch.left_out] == [
        ("folder", "replaces something that is left out"),
        ("folder/binary", "binary"),
        ("tracked", "binary"),
        ("tracked/a", "replaces something that is left out"),
    ]
    assert (restored(repository, patch) / "folder.txt").read_text() == "3\n"


def test_large_files_are_named_only(repository: Repository) -> None:
    (repository.path / "was_large").write_text("a\n" * LARGEST_FILE)
    (repository.path / "grows").write_text("a\n")
    shell(repository, "git add .; git commit -q -m large; echo small > was_large")
    for name in ("grows", "large"):
        (repository.path / name).write_text("a" * (LARGEST_FILE + 1))
    (repository.path / "fits").write_text("a" * LARGEST_FILE)
    patch = take(repository)
    assert [tuple(one) for one in patch.left_out] == [
        ("grows", "too large"),
        ("large", "too large"),
        ("was_large", "binary"),
    ]
    assert (restored(repository, patch) / "fits").stat().st_size == LARGEST_FILE


@pytest.mark.processes
@pytest.mark.parametrize("tracked", [True, False])
def test_the_patch_is_bounded(repository: Repository, tracked: bool) -> None:
    names = [f"file{number}" for number in range(8)]
    for name in names:
        (repository.path / name).write_text("")
    if tracked:
        shell(repository, "git add .; git commit -q -m files")
    for name in names:
        (repository.path / name).write_text("a" * (LARGEST_FILE - 200))
    (repository.path / "tiny").write_text("b")
    patch = take(repository)
    assert len(patch.text) < LARGEST_PATCH + 1000
    assert [tuple(one) for one in patch.left_out] == [
        (name, "the patch is full: 5 MiB") for name in names[-3:]
    ]
    files = restored(repository, patch).glob("file?")
    assert sorted(path.name for path in files if path.stat().st_size) == names[:5]


def test_too_many_new_files(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patch_module, "_MOST_NEW_FILES", 2)
    monkeypatch.setattr(patch_module, "_MOST_NAMED", 1)
    shell(repository, "mkdir many; touch many/1 many/2 many/3 many/4")
    patch = take(repository)
    assert [path for path, _ in patch.left_out] == ["many/3", "many/4"]
    assert patch.text.startswith(
        f"# The uncommitted changes of a run's source, against commit {repository.third}.\n"
        "# Left out: many/3 (more than 2 new files)\n# Left out: 1 more\ndiff".encode()
    )


def test_a_list_of_new_files_that_is_cut(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patch_module, "LARGEST_PATCH", 25)
    shell(repository, "mkdir many; touch many/{1,2,3,4,5}; : > many/a_long_name_that_does_not_fit_in")
    patch = take(repository)
    assert ("...", "too many new files") in [tuple(one) for one in patch.left_out]


@pytest.mark.parametrize(
    "name",
    [".env", ".env.local", "deploy.pem", "id_rsa", "conf/secrets.yaml", ".aws/config", "credentials.json"],
)
@pytest.mark.parametrize("tracked", [True, False])
def test_files_that_may_hold_secrets_are_left_out(repository: Repository, name: str, tracked: bool) -> None:
    file = repository.path / name
    file.parent.mkdir(exist_ok=True)
    if tracked:
        file.write_text("TOKEN=\n")
        shell(repository, "git add --force .; git commit -q -m template")
    file.write_text("TOKEN=hunter2\n")
    patch = take(repository)
    assert [tuple(one) for one in patch.left_out] == [(name, "may hold secrets")]
    assert b"hunter2" not in patch.text


def test_keys_are_left_out_whatever_their_name(repository: Repository) -> None:
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n"
    (repository.path / "data.txt").write_text(key)
    (repository.path / "new").write_text(f"# mine\n{key}")
    patch = take(repository)
    assert [tuple(one) for one in patch.left_out] == [
        ("data.txt", "holds a private key"),
        ("new", "holds a private key"),
    ]
    assert b"hunter2" not in patch.text


def test_submodules_and_nested_repositories(repository: Repository) -> None:
    shell(
        repository,
        "git clone -q . ../inner; git -c protocol.file.allow=always submodule --quiet add ../inner sub;"
        "git commit -q -m sub; git -C sub checkout -q v1; mkdir deep; git init -q deep/nested;"
        "touch deep/nested/file; echo x >> data.txt; git config diff.submodule log",
    )
    patch = take(repository)
    assert [tuple(one) for one in patch.left_out] == [
        ("deep/nested/", "a nested repository"),
        ("sub", "a submodule at another commit"),
    ]


def test_files_that_git_lfs_keeps(repository: Repository) -> None:
    # Their text in git is not what a checkout holds: a patch of it fits nowhere.
    data = repository.path / "data.txt"
    data.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n")
    shell(repository, "git commit -q -a -m lfs")
    data.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:2\nsize 1\n")
    assert [tuple(one) for one in take(repository).left_out] == [("data.txt", "kept by Git LFS")]


HOSTILE = """
git config diff.external PROGRAM
git config diff.evil.command PROGRAM
git config diff.evil.textconv PROGRAM
git config filter.evil.clean PROGRAM
git config filter.evil.process PROGRAM
git config filter.evil.required true
git config core.fsmonitor PROGRAM
git config core.pager PROGRAM
git config pager.diff PROGRAM
git config alias.diff '!PROGRAM'
cp PROGRAM .git/hooks/post-index-change
printf 'data.txt diff=evil filter=evil\\nnew filter=evil diff=evil\\n' > .git/info/attributes
echo changed >> data.txt; echo new > new
"""


def test_a_hostile_configuration_runs_nothing(repository: Repository, tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    program = script(tmp_path / "program.sh", f"touch {marker}\ncat")
    shell(repository, HOSTILE.replace("PROGRAM", str(program)))
    patch = take(repository, GIT_EXTERNAL_DIFF=str(program), GIT_PAGER=str(program))
    assert not marker.exists()
    assert patch.complete
    subprocess.run(["git", "diff"], cwd=repository.path, env=repository.environ, capture_output=True)
    assert marker.exists()  # the trap works


ODD = """
git config diff.noprefix true; git config diff.mnemonicPrefix true; git config diff.srcPrefix x/
git config color.ui always; git config diff.context 0; git config diff.renames copies; git config diff.relative true
git config diff.submodule log; git config core.quotePath false
git config diff.suppressBlankEmpty true; git config diff.colorMoved zebra; git config diff.interHunkContext 9
git config diff.wsErrorHighlight all; git config core.safecrlf warn; git config diff.wordRegex .
git config core.abbrev 4; git config diff.algorithm patience; git config diff.indentHeuristic true
printf '\\0' > 'ü.bin'
seq 50 > 'übung'; git add .; git commit -q -m numbers; sed -i 's/^2$/two/; s/^40$/forty/' 'übung'
git mv data.txt examples/moved.txt; printf '\\0\\0' > 'ü.bin'
git config diff.orderFile missing
"""


def test_an_odd_configuration_changes_nothing(repository: Repository) -> None:
    shell(repository, ODD)
    patch = take(repository, GIT_DIFF_OPTS="--unified=0", GIT_LITERAL_PATHSPECS="1", GIT_CONFIG_PARAMETERS="")
    assert [tuple(one) for one in patch.left_out] == [("ü.bin", "binary")]
    restored_files = content_of(restored(repository, patch))
    assert {**restored_files, "ü.bin": Entry("file", b"\0\0")} == content_of(repository.path)
    assert b"\n 1\n-2\n+two\n 3\n" in patch.text
    assert b"rename from" not in patch.text  # `projrun rerun` refuses such
    assert b"\ndiff --git a/examples/moved.txt b/examples/moved.txt\n" in take(repository, "examples").text


def test_a_large_file_with_an_odd_name_is_not_a_pattern(repository: Repository) -> None:
    for name in ("a*", "abc", "\udcff"):
        (repository.path / name).write_text("1\n")
    shell(repository, "git add .; git commit -q -m odd; echo 2 >> abc")
    for name in ("a*", "\udcff"):
        (repository.path / name).write_text("a" * (LARGEST_FILE + 1))
    patch = take(repository)
    assert [path for path, _ in patch.left_out] == ["a*", "\udcff"]
    assert b"diff --git a/abc b/abc" in patch.text
    assert r'"\377" (too large)' in patch.summary


def test_too_much_to_leave_out(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patch_module, "_MOST_EXCLUDED", 0)
    (repository.path / "data.txt").write_text("a" * (LARGEST_FILE + 1))
    with pytest.raises(GitFailure, match="more than 0 changed files"):
        take(repository)


def test_a_damaged_index_is_told(repository: Repository) -> None:
    top = repository.path.resolve()
    shell(repository, "echo x >> data.txt")
    tree = read_work_tree(top, top, repository.environ)
    (top / ".git" / "index").write_bytes(b"no index")
    with pytest.raises(GitFailure, match="fatal: "):
        take_patch(top, top, tree, repository.environ)


def test_a_slow_git_is_not_waited_for(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = repository.path.resolve()
    shell(repository, "echo x >> data.txt")
    tree = read_work_tree(top, top, repository.environ)
    monkeypatch.setattr(patch_module, "_TIMEOUT", 0.2)
    (tmp_path / "bin").mkdir()
    script(tmp_path / "bin" / "git", "sleep 30")
    environ = {**repository.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    with pytest.raises(GitFailure, match="took longer than"):
        take_patch(top, top, tree, environ)


def test_long_names_are_shortened_in_the_summary(repository: Repository) -> None:
    (repository.path / ("x" * 100)).write_bytes(b"\0")
    summary = take(repository).summary
    assert summary == f"partial: without ...{'x' * 40} (binary)"
    assert Patch(b"", take(repository).left_out * 5, False).summary.endswith(" and 2 more")
