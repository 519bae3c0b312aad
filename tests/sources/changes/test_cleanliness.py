from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.sources.changes.cleanliness import check_clean
from projrun.sources.checkout import Checkout
from tests.sources.conftest import Fetch
from tests.sources.git_servers import Repository, git

RULE = "--require-clean"


def refusal(checkout: Checkout) -> RequestError:
    with pytest.raises(RequestError) as caught:
        check_clean(checkout, RULE)
    assert caught.value.message.startswith(f"{RULE}: ")
    return caught.value


@pytest.mark.processes
def test_a_clean_tree_and_what_is_fetched_pass(repository: Repository, fetched: Fetch) -> None:
    check_clean(fetched(repository.path), RULE)
    (repository.path / "new").touch()
    check_clean(fetched(f"{repository.path}#examples/train"), RULE)  # the changes are elsewhere
    check_clean(fetched(repository.path, "main"), RULE)


def test_changes_are_named(repository: Repository, fetched: Fetch) -> None:
    subprocess.run(
        [
            "bash",
            "-ec",
            "echo x >> data.txt; rm MLproject; cp data.txt MLproject; touch $'a\\nb' z; mkdir d; touch d/f",
        ],
        cwd=repository.path,
        check=True,
    )
    error = refusal(fetched(repository.path))
    assert error.message.endswith(
        "the project has uncommitted changes: MLproject, data.txt, 'a\\nb' and 2 more"
    )
    assert error.hint == "commit or stash them"


def test_a_plain_folder_is_of_no_commit(tmp_path: Path, fetched: Fetch) -> None:
    (tmp_path / "plain").mkdir()
    assert "is not in a git repository" in refusal(fetched(tmp_path / "plain")).message


def test_an_ignored_folder_and_a_new_repository_are_of_no_commit(
    repository: Repository, tmp_path: Path, fetched: Fetch
) -> None:
    (repository.path / ".git" / "info" / "exclude").write_text("ignored\n")
    (repository.path / "ignored").mkdir()
    assert "is in no commit" in refusal(fetched(repository.path / "ignored")).message
    (tmp_path / "new").mkdir()
    git(tmp_path / "new", "init", "--quiet", environ=repository.environ)
    assert "is in no commit" in refusal(fetched(tmp_path / "new")).message


def test_where_git_cannot_tell(repository: Repository, fetched: Fetch) -> None:
    (repository.path / ".git" / "config").write_text("[core\n")
    message = refusal(fetched(repository.path)).message
    assert "git cannot check whether the project is clean: the commit of" in message
    assert "fatal: bad config" in message


@pytest.mark.processes
def test_a_submodule_at_another_commit_is_a_change(repository: Repository, fetched: Fetch) -> None:
    subprocess.run(
        [
            "bash",
            "-ec",
            "git clone -q . ../i; git -c protocol.file.allow=always submodule -q add ../i sub; git commit -qm s",
        ],
        cwd=repository.path,
        env=repository.environ,
        check=True,
    )
    (repository.path / "sub" / "data.txt").write_text("changed inside of it")
    check_clean(fetched(repository.path), RULE)
    git(repository.path / "sub", "checkout", "--quiet", "--force", "v1", environ=repository.environ)
    assert refusal(fetched(repository.path)).message.endswith("uncommitted changes: sub")


def test_a_fetched_checkout_with_a_patch_in_it(tmp_path: Path) -> None:
    checkout = Checkout("u", tmp_path, tmp_path, commit="c0ffee", cached=tmp_path, dirty=True)
    assert refusal(checkout).hint == "skip them with --without-patch"
