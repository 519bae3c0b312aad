from __future__ import annotations

import os
from pathlib import Path

import pytest

from projrun.sources.changes.diff_format import Unfit, check_section, first_line, new_file, quoted, sections


@pytest.mark.parametrize(
    ("name", "written"),
    [
        (b"plain name", b"plain name"),
        (b"a\nb\tc", rb'"a\nb\tc"'),
        (b'q"\\', rb'"q\"\\"'),
        ("ü\x7f".encode(), rb'"\303\274\177"'),
        (b"\x01\xff", rb'"\001\377"'),
    ],
)
def test_names_are_written_as_git_does(name: bytes, written: bytes) -> None:
    assert quoted(name) == written


def test_the_first_line_of_a_section() -> None:
    assert first_line("a b/ü") == rb'diff --git "a/a b/\303\274" "b/a b/\303\274"'


DIFF = (
    b"diff --git a/1 b/1\nindex 1..2 100644\n--- a/1\n+++ b/1\n@@ -1 +1 @@\n-diff --git a/x b/x\n+2\n"
    b"diff --git a/touched b/touched\n"
    b"diff --git a/2 b/2\nnew file mode 100644\nindex 0000000..e69de29\n"
)


def test_sections_of_changed_files() -> None:
    first, second = sections(DIFF, whole=True)
    assert first + second == DIFF.replace(b"diff --git a/touched b/touched\n", b"")
    assert list(sections(b"", whole=True)) == []


def test_the_last_section_of_a_cut_diff_is_not_used() -> None:
    (first,) = sections(DIFF, whole=False)
    assert first.startswith(b"diff --git a/1")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"index 1..2 100644\nBinary files a/x and b/x differ\n", "binary"),
        (
            b"index 1..2 160000\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-Subproject commit 1\n",
            "a submodule at another commit",
        ),
        (
            b"new file mode 160000\nindex 0..1\n@@ -0,0 +1 @@\n+Subproject commit 1\n",
            "a submodule at another commit",
        ),
        (
            b"@@ -1,3 +1,3 @@\n version https://git-lfs.github.com/spec/v1\n-oid sha256:1\n+oid sha256:2\n",
            "kept by Git LFS",
        ),
        (b"@@ -0,0 +1,2 @@\n+-----BEGIN RSA PRIVATE KEY-----\n+abc\n", "holds a private key"),
    ],
)
def test_what_fits_no_patch(text: bytes, reason: str) -> None:
    with pytest.raises(Unfit, match=reason):
        check_section(b"diff --git a/x b/x\n" + text)


def test_text_that_only_speaks_of_it_fits() -> None:
    check_section(
        b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n x\n+Binary files a/x and b/x differ\n"
    )
    check_section(
        b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n x\n+version https://git-lfs.github.com/spec/v1\n"
    )
    check_section(b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n x\n+costs 160000\n")


def test_new_files(tmp_path: Path) -> None:
    (tmp_path / "a b").write_bytes(b"1\r\n2")
    (tmp_path / "a b").chmod(0o700)
    assert new_file(tmp_path, "a b", 10) == (
        b"diff --git a/a b b/a b\nnew file mode 100755\n--- /dev/null\n+++ b/a b\t\n"
        b"@@ -0,0 +1,2 @@\n+1\r\n+2\n\\ No newline at end of file\n"
    )


def test_new_files_that_do_not_fit(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"12345678901")
    (tmp_path / "binary").write_bytes(b"1\0")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(Unfit, match="not a file"):  # and nobody waits for someone to write into it
            new_file(tmp_path, "pipe", 10)
    for name, reason in (("large", "too large"), ("binary", "binary"), ("gone", "cannot be read: No such")):
        with pytest.raises(Unfit, match=reason):
            new_file(tmp_path, name, 10)


def test_a_link_is_never_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2")
    (tmp_path / "link").symlink_to("secret")
    assert new_file(tmp_path, "link", 10).endswith(b"+secret\n\\ No newline at end of file\n")
    assert b"new file mode 120000\n" in new_file(tmp_path, "link", 10)
