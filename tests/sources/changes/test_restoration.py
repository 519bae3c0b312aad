"""A recorded patch goes into the run's own copy as a whole, and touches nothing but files of it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from projrun.errors import SourceError
from projrun.sources.changes.restoration import apply_patch
from projrun.sources.checkout import Checkout
from tests.sources.git_servers import git

CHANGE = """\
diff --git a/code.txt b/code.txt
--- a/code.txt
+++ b/code.txt
@@ -1 +1 @@
-old
+new
"""


def new_file(path: str, text: str = "made", mode: str = "100644") -> str:
    return (
        f"diff --git a/{path} b/{path}\nnew file mode {mode}\n--- /dev/null\n+++ b/{path}\n"
        f"@@ -0,0 +1 @@\n+{text}\n\\ No newline at end of file\n"
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A copy with a file, in a folder whose neighbour must stay as it is."""
    copy = tmp_path / "copies" / "0123abcd"
    copy.mkdir(parents=True)
    (copy / "code.txt").write_text("old\n")
    (copy / "other.txt").write_text("other\n")
    return Checkout("uri", copy, copy, commit="a" * 40, owned=copy)


def apply(checkout: Checkout, text: str, **environ: str) -> Checkout:
    patch = checkout.root.parents[1] / "dirty.patch"
    patch.write_text(text)
    return apply_patch(checkout, patch, {**os.environ, **environ})


def test_files_are_changed_made_and_removed(checkout: Checkout) -> None:
    removal = "diff --git a/other.txt b/other.txt\ndeleted file mode 100644\n--- a/other.txt\n+++ /dev/null\n"
    text = f"# a remark\n{CHANGE}{removal}@@ -1 +0,0 @@\n-other\n{new_file('deep/er/file.txt')}"
    applied = apply(checkout, text)
    assert applied.dirty
    assert set(applied.patched) == {"code.txt", "deep/er/file.txt"}
    assert (checkout.root / "code.txt").read_text() == "new\n"
    assert (checkout.root / "deep/er/file.txt").read_text() == "made"
    assert not (checkout.root / "other.txt").exists()


def test_a_file_that_became_a_folder(checkout: Checkout) -> None:
    removal = "diff --git a/other.txt b/other.txt\ndeleted file mode 100644\n--- a/other.txt\n+++ /dev/null\n"
    apply(checkout, f"{removal}@@ -1 +0,0 @@\n-other\n{new_file('other.txt/file')}")
    assert (checkout.root / "other.txt" / "file").read_text() == "made"


def test_a_link_may_be_made(checkout: Checkout) -> None:
    apply(checkout, new_file("link", "code.txt", mode="120000"))
    assert (checkout.root / "link").read_text() == "old\n"


@pytest.mark.parametrize("text", ["", "# partial: without big.bin (too large)\n"])
def test_a_patch_of_remarks_alone_changes_nothing(checkout: Checkout, text: str) -> None:
    assert apply(checkout, text) == checkout


def test_the_patch_is_applied_whole_or_not_at_all(checkout: Checkout) -> None:
    with pytest.raises(SourceError, match="cannot be applied") as raised:
        apply(checkout, new_file("made.txt") + CHANGE.replace("-old", "-something else"))
    assert "code.txt" in raised.value.detail
    assert "--without-patch" in raised.value.hint
    assert sorted(path.name for path in checkout.root.iterdir()) == ["code.txt", "other.txt"]


def test_only_a_copy_of_the_run_is_patched(checkout: Checkout) -> None:
    with pytest.raises(SourceError, match="your own folder"):
        apply(checkout._replace(owned=None), CHANGE)
    assert (checkout.root / "code.txt").read_text() == "old\n"


@pytest.mark.parametrize(
    "path",
    ["../outside.txt", "deep/../../outside.txt", ".git/hooks/pre-commit", ".GIT/config", "sub/.git/config"],
)
def test_names_that_lead_out_are_refused(checkout: Checkout, path: str) -> None:
    with pytest.raises(SourceError, match="cannot be applied"):
        apply(checkout, new_file(path))
    assert not (checkout.root.parent / "outside.txt").exists()
    assert not (checkout.root / ".git").exists()


def test_an_absolute_name_stays_below_the_copy(checkout: Checkout, tmp_path: Path) -> None:
    with suppress(SourceError):  # some versions of git refuse it, some read it as a relative one
        apply(checkout, new_file(f"/{tmp_path}/outside.txt"))
    assert [path for path in tmp_path.rglob("outside.txt") if checkout.root not in path.parents] == []


def test_a_link_of_the_checkout_is_not_followed(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (checkout.root / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SourceError, match="reach through a link"):
        apply(checkout, new_file("link/outside.txt"))
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_link_that_the_patch_makes_is_not_followed(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(SourceError, match="reach through a link"):
        apply(
            checkout, new_file("link", str(tmp_path / "elsewhere"), "120000") + new_file("link/outside.txt")
        )
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert not (checkout.root / "link").is_symlink()


def test_a_rename_is_refused(checkout: Checkout) -> None:
    text = "diff --git a/code.txt b/moved.txt\nsimilarity index 100%\nrename from code.txt\nrename to moved.txt\n"
    with pytest.raises(SourceError, match="rename files"):
        apply(checkout, text)


def test_the_settings_of_a_person_or_a_repository_do_not_count(checkout: Checkout) -> None:
    """Whitespace that `apply.whitespace=fix` would take away; a filter that a repository around the copy names."""
    home = Path(os.environ["HOME"])
    (home / ".gitconfig").write_text("[apply]\n\twhitespace = fix\n")
    for folder in (checkout.root.parents[1], checkout.root):
        git(folder, "init", "--quiet", environ=os.environ)
        (folder / ".gitattributes").write_text("* filter=evil\n")
        with (folder / ".git" / "config").open("a") as config:
            config.write(
                f'[filter "evil"]\n\tsmudge = "touch {folder}/ran; cat"\n\tclean = "touch {folder}/ran; cat"\n'
            )
    apply(checkout, CHANGE.replace("+new", "+new  \t "))
    assert (checkout.root / "code.txt").read_text() == "new  \t \n"
    assert not list(checkout.root.parents[1].rglob("ran"))
