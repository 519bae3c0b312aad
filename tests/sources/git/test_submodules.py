from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from projrun.errors import SourceError
from projrun.sources.git.process import Git
from projrun.sources.git.submodules import add_submodules
from tests.sources.git_servers import Repository, git, make_repository

REMOTE = "https://user:password@host.invalid/owner/super.git"


class Super(NamedTuple):
    """A checked out repository with a submodule, and what is asked for to fill it."""

    tree: Path
    library: Repository
    asked: list[tuple[str, str]]

    def write(self, text: str) -> None:
        """Another `.gitmodules`."""
        (self.tree / ".gitmodules").write_text(text)

    def link(self, path: str) -> None:
        """A submodule's commit at a path of the index, and its empty folder where the tree can have one."""
        self.git("update-index", "--add", "--cacheinfo", f"160000,{self.library.second},{path}")
        (self.tree / path).mkdir(parents=True, exist_ok=True)

    def git(self, *words: str) -> str:
        """Run git in the tree."""
        return git(self.tree, *words, environ=self.library.environ)

    def add(self, location: str = REMOTE) -> None:
        """Fill the submodules of the tree, as if it came from `location`."""
        add_submodules(
            Git(self.tree / ".git", self.library.environ, work_tree=self.tree),
            self.tree,
            location,
            self.fetch,
        )

    def fetch(self, url: str, commit: str) -> Path:
        """The library at a commit, whatever the address is; the address is remembered."""
        self.asked.append((url, commit))
        folder = self.tree.parent / f"fetched-{len(self.asked)}"
        self.library.git("worktree", "add", "--quiet", "--detach", str(folder), commit)
        (folder / ".git").unlink()
        return folder


def entry(url: str, path: str = "lib", name: str = "lib", more: str = "") -> str:
    """A part of `.gitmodules`."""
    return f'[submodule "{name}"]\n\tpath = {path}\n\turl = {url}\n{more}'


@pytest.fixture
def super_(tmp_path: Path, repository: Repository, environ: dict[str, str]) -> Super:
    """A tree with a submodule in `lib`, its second commit, empty until it is filled."""
    tree = tmp_path / "tree"
    git(tmp_path, "init", "--quiet", str(tree), environ=environ)
    found = Super(tree, repository, [])
    found.link("lib")
    found.write(entry("../library.git"))
    return found


def refusal(super_: Super, location: str = REMOTE) -> str:
    """Why it is not filled; nothing was asked for then, nor put anywhere."""
    with pytest.raises(SourceError) as raised:
        super_.add(location)
    assert super_.asked == []
    assert "user:password" not in raised.value.message + raised.value.hint + raised.value.detail
    return raised.value.message


def test_a_relative_address_has_the_credentials_of_the_repository(super_: Super) -> None:
    super_.add()
    assert super_.asked == [("https://user:password@host.invalid/owner/library.git", super_.library.second)]
    assert (super_.tree / "lib" / "data.txt").read_text() == "second"


def test_another_address_has_not(super_: Super) -> None:
    super_.write(entry("https://host.invalid/owner/library.git"))
    super_.add()
    assert super_.asked == [("https://host.invalid/owner/library.git", super_.library.second)]


@pytest.mark.parametrize(
    "url", ["git@host.invalid:o/r", "ssh://git@host.invalid/o/r", "git://host.invalid/r"]
)
def test_what_a_project_may_be_a_submodule_may_be(super_: Super, url: str) -> None:
    super_.write(entry(url))
    super_.add()
    assert super_.asked == [(url, super_.library.second)]


def test_the_folder_may_lie_deep(super_: Super) -> None:
    super_.link("third party/lib-é")
    super_.write(entry("../library.git", "third party/lib-é/"))
    super_.add()
    assert (super_.tree / "third party" / "lib-é" / "MLproject").is_file()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no .gitmodules entry"),
        (entry("../x", path="elsewhere"), "another path"),
        ('[submodule "lib"]\n\tpath = lib\n', "no url"),
        (entry("../x", more="\tupdate = none\n"), "its author says so"),
    ],
)
def test_what_nothing_is_known_of_stays_empty(super_: Super, text: str, reason: str) -> None:
    super_.write(text)
    super_.add()
    assert super_.asked == [], reason
    assert not any((super_.tree / "lib").iterdir())


def test_without_gitmodules_nothing_is_asked(super_: Super) -> None:
    (super_.tree / ".gitmodules").unlink()
    super_.add()
    assert super_.asked == []


def test_no_command_of_gitmodules_runs(super_: Super, tmp_path: Path) -> None:
    super_.write(entry("../library.git", more=f"\tupdate = !touch {tmp_path}/executed\n"))
    super_.add()
    assert super_.asked
    assert not (tmp_path / "executed").exists()


def test_gitmodules_includes_no_other_file(super_: Super, tmp_path: Path) -> None:
    (tmp_path / "other").write_text(entry("https://other.invalid/x"))
    super_.write(f"[include]\n\tpath = {tmp_path}/other\n")
    super_.add()
    assert super_.asked == []


@pytest.mark.parametrize("url", ["libs/library.git", "../super/libs/library.git", "./libs/library.git"])
def test_a_path_is_relative_to_the_repository_that_has_it(
    super_: Super, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """Of a repository on this machine; the folder that the caller is in has one of that name, too."""
    local = tmp_path / "super"
    (local / ".git").mkdir(parents=True)
    (tmp_path / "caller" / "libs" / "library.git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "caller")
    super_.write(entry(url))
    super_.add(str(local))
    assert super_.asked == [((local / "libs" / "library.git").as_uri(), super_.library.second)]


def test_a_path_of_a_remote_repository_is_refused(super_: Super) -> None:
    super_.write(entry("libs/library.git"))
    assert "a folder of this machine" in refusal(super_)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ext::sh -c touch% /tmp/x", "runs its own command"),
        ("fd::17", "runs its own command"),
        ("-u./payload", "starts with '-'"),
        ("ssh://-oProxyCommand=x/r", "has no host"),
        ("git@-oProxyCommand=x:r", "has no host"),
        ('"https://host\\n.invalid/r"', "control characters"),
        ("file:///etc", "a folder of this machine"),
        ("/etc", "a folder of this machine"),
        ("ftp://host.invalid/r", "an unknown protocol"),
        ("../../../r", "leads above the top"),
    ],
)
def test_addresses_that_are_refused(super_: Super, url: str, reason: str) -> None:
    super_.write(entry(url))
    message = refusal(super_)
    assert message.startswith("submodule 'lib' of https://host.invalid/owner/super.git: ")
    assert reason in message


@pytest.mark.parametrize(
    "path",
    [
        "../out",
        "a/../../out",
        "/out",
        "a//b",
        ".git/x",
        "a/.GIT/hooks",
        "a/git~1",
        ".g\u200cit",
        ".git ./x",
        "a\\..\\b",
    ],
)
def test_folders_that_lead_out(super_: Super, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # git refuses most of these itself; what it said is not what protects the file system.
    listed = Git.run

    def run(self: Git, *words: str) -> str:
        if words[0] == "ls-files":
            return f"160000 {super_.library.second} 0\t{path}\0"
        return listed(self, *words)

    monkeypatch.setattr(Git, "run", run)
    super_.write(entry("../library.git", path=path.replace("\\", "\\\\")))
    assert "leads out of the checkout" in refusal(super_)


def test_a_folder_behind_a_symbolic_link(super_: Super, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    super_.link("deep/lib")
    (super_.tree / "deep" / "lib").rmdir()
    (super_.tree / "deep").rmdir()
    (super_.tree / "deep").symlink_to(tmp_path / "outside")
    super_.write(entry("../library.git", path="deep/lib"))
    assert "leads out of the checkout" in refusal(super_)
    assert not any((tmp_path / "outside").iterdir())


def test_a_folder_that_holds_files(super_: Super) -> None:
    (super_.tree / "lib" / "file").touch()
    assert "contains files" in refusal(super_)


def test_gitmodules_that_is_a_link(super_: Super, tmp_path: Path) -> None:
    (super_.tree / ".gitmodules").rename(tmp_path / "elsewhere")
    super_.write("")
    (super_.tree / ".gitmodules").unlink()
    (super_.tree / ".gitmodules").symlink_to(tmp_path / "elsewhere")
    assert "symbolic link" in refusal(super_)


def test_gitmodules_that_is_none(super_: Super) -> None:
    super_.write("[submodule")
    assert refusal(super_) == (
        "https://host.invalid/owner/super.git: .gitmodules cannot be read: "
        "fatal: bad config line 2 in file .gitmodules"
    )


def test_what_fails_says_which_submodule(super_: Super) -> None:
    def fetch(url: str, commit: str) -> Path:
        raise SourceError("could not fetch it", hint="try", detail="more")

    with pytest.raises(
        SourceError, match=r"^submodule 'lib' of https://host.invalid/owner/super.git: could not"
    ) as raised:
        add_submodules(
            Git(super_.tree / ".git", super_.library.environ, work_tree=super_.tree),
            super_.tree,
            REMOTE,
            fetch,
        )
    assert (raised.value.hint, raised.value.detail) == ("try", "more")


def test_a_checkout_that_cannot_be_copied(super_: Super, tmp_path: Path) -> None:
    git_of_tree = Git(super_.tree / ".git", super_.library.environ, work_tree=super_.tree)
    with pytest.raises(SourceError, match=r"cannot copy it into .*lib: No such file"):
        add_submodules(git_of_tree, super_.tree, REMOTE, lambda url, commit: tmp_path / "missing")


def local_super(folder: Path, library: Repository) -> Path:
    """A work tree of this machine that has the library as its submodule `lib`, cloned by git itself."""
    top = folder / "mine"
    make_repository(top, library.environ)
    words = ("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library.path), "lib")
    git(top, *words, environ=library.environ)
    return top


@pytest.mark.processes
def test_a_local_repository_has_what_its_user_cloned(super_: Super, tmp_path: Path) -> None:
    top = local_super(tmp_path, super_.library)
    super_.add(top.as_uri())
    assert super_.asked == [((top / ".git" / "modules" / "lib").as_uri(), super_.library.second)]


@pytest.mark.processes
def test_a_linked_work_tree_too(super_: Super, tmp_path: Path) -> None:
    top = local_super(tmp_path, super_.library)
    git(top, "worktree", "add", "--quiet", str(tmp_path / "linked"), environ=super_.library.environ)
    super_.add((tmp_path / "linked").as_uri())
    ((url, _),) = super_.asked
    assert Path(url.removeprefix("file://")).samefile(top / ".git" / "modules" / "lib")


@pytest.mark.processes
def test_a_commit_that_is_not_there_comes_from_its_address(super_: Super, tmp_path: Path) -> None:
    top = local_super(tmp_path, super_.library)
    subprocess.run(["rm", "-rf", str(top / ".git" / "modules" / "lib" / "objects" / "pack")], check=True)
    for folder in (top / ".git" / "modules" / "lib" / "objects").glob("??"):
        subprocess.run(["rm", "-rf", str(folder)], check=True)
    super_.write(entry(str(super_.library.path)))
    super_.add(top.as_uri())
    assert super_.asked == [(super_.library.path.as_uri(), super_.library.second)]


@pytest.mark.parametrize(
    ("origin", "url"),
    [
        (None, "file://{folder}/library.git"),
        ("https://host.invalid/owner/super.git", "https://host.invalid/owner/library.git"),
        ("/srv/super.git", "file:///srv/library.git"),
        ("../upstream/super.git", "file://{folder}/upstream/library.git"),
        ("ext::sh -c x", "file://{folder}/library.git"),
    ],
)
def test_relative_to_where_a_local_repository_came_from(
    super_: Super, tmp_path: Path, origin: str | None, url: str
) -> None:
    top = make_repository(tmp_path / "mine", super_.library.environ)
    if origin is not None:
        top.git("config", "remote.origin.url", origin)
    super_.add(top.path.as_uri())
    assert super_.asked == [(url.format(folder=tmp_path), super_.library.second)]


def test_the_name_of_a_submodule_leads_nowhere(super_: Super, tmp_path: Path) -> None:
    top = make_repository(tmp_path / "mine", super_.library.environ)
    (top.path / ".git" / "modules").mkdir()
    name = f"../../../{super_.library.path.relative_to(tmp_path)}/.git"
    assert (top.path / ".git" / "modules" / name).is_dir()
    super_.write(entry("../library.git", name=name))
    super_.add(top.path.as_uri())
    assert super_.asked == [(f"file://{tmp_path}/library.git", super_.library.second)]
