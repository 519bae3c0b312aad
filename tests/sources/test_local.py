from __future__ import annotations

from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.sources.checkout import Checkout
from tests.sources.conftest import Fetch
from tests.sources.git_servers import Repository


def test_a_plain_folder_starts_no_process(fetched: Fetch, tmp_path: Path) -> None:
    folder = (tmp_path / "plain").resolve()
    (folder / "sub").mkdir(parents=True)
    # With an empty PATH a git process could not even be found, and would be a warning.
    assert fetched("plain", PATH="") == Checkout(str(folder), folder, folder)
    assert fetched("plain#sub", PATH="") == Checkout(f"{folder}#sub", folder, folder / "sub", "sub")


@pytest.mark.parametrize(
    ("uri", "recorded", "directory"),
    [
        ("{top}", "file://{top}", ""),
        ("{top}/", "file://{top}", ""),
        ("{top}/examples/v1.2", "file://{top}#examples/v1.2", "examples/v1.2"),
        ("{top}#examples/v1.2", "{top}#examples/v1.2", "examples/v1.2"),
        ("{top}/examples#v1.2", "{top}/examples#v1.2", "examples/v1.2"),
        ("{top}/examples/../examples/v1.2", "file://{top}#examples/v1.2", "examples/v1.2"),
        ("file://{top}", "file://{top}", ""),
        ("file://{top}#examples/v1.2", "file://{top}#examples/v1.2", "examples/v1.2"),
        ("file://{top}/examples#v1.2", "{top}/examples#v1.2", "examples/v1.2"),
    ],
)
def test_names_in_a_work_tree_are_mlflows(
    fetched: Fetch, repository: Repository, uri: str, recorded: str, directory: str
) -> None:
    repository.git("remote", "add", "origin", "https://me:secret@host/o/r")
    top = repository.path.resolve()
    checkout = fetched(uri.format(top=top))
    assert checkout.uri == recorded.format(top=top)
    assert checkout.directory == top / directory
    assert (checkout.commit, checkout.branch, checkout.repository) == (
        repository.third,
        "main",
        "https://host/o/r",
    )
    assert checkout.owned is None


def test_a_linked_folder_keeps_its_name(fetched: Fetch, repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(repository.path)
    (tmp_path / "deep").symlink_to(repository.path / "examples" / "v1.2")
    top = repository.path.resolve()
    assert fetched("link").uri == f"file://{tmp_path}/link"
    assert fetched("link/examples/v1.2").uri == f"file://{tmp_path}/link#examples/v1.2"
    assert fetched("deep").uri == f"file://{top}#examples/v1.2"
    assert fetched("deep").directory == top / "examples" / "v1.2"


def test_a_folder_that_looks_like_the_path_below_the_top(
    fetched: Fetch, repository: Repository, tmp_path: Path
) -> None:
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "v1.2").symlink_to(repository.path / "examples" / "v1.2")
    assert fetched("examples/v1.2").uri == f"file://{repository.path.resolve()}#examples/v1.2"


def test_what_git_cannot_tell_is_a_warning(fetched: Fetch, repository: Repository) -> None:
    checkout = fetched(repository.path, PATH="")
    assert checkout.commit is None
    assert "git is not installed" in checkout.warnings[0]


def test_a_subfolder_that_is_missing(fetched: Fetch, repository: Repository) -> None:
    with pytest.raises(RequestError, match="has no folder 'nowhere'"):
        fetched(f"{repository.path}#nowhere")
