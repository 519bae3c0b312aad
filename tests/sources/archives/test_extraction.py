"""Unpacking; with each guard against a hostile archive, over every kind of archive that can hold the attack."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
import re
import stat
import struct
import tarfile
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projrun.sources.archives.errors import UnpackError
from projrun.sources.archives.extraction import unpack
from projrun.sources.archives.limits import LIMITS, Limits
from projrun.sources.places import TOP
from tests.sources.archives.making import ENDINGS, Item, Kind, archive, files_of, tarred, zipped
from tests.support.examples import examples

BOTH = pytest.mark.parametrize("ending", [".zip", ".tar"])


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Where to unpack to: alone in a folder, so that what is written beside it is seen."""
    (tmp_path / "entry").mkdir()
    return tmp_path / "entry" / "tree"


def unpacked(
    tree: Path, content: bytes, ending: str, limits: Limits = LIMITS
) -> tuple[dict[str, str], tuple[str, ...]]:
    """What is in the tree then, and what was left out."""
    left_out = unpack(io.BytesIO(content), f"x{ending}", tree, limits)
    assert tree in (written := set(tree.parent.iterdir()))
    assert written <= {tree, tree.with_name("top")}
    return files_of(tree), left_out


def made(tree: Path, ending: str, items: Iterable[Item | str], limits: Limits = LIMITS) -> dict[str, str]:
    return unpacked(tree, archive(ending, items), ending, limits)[0]


def refusal(tree: Path, content: bytes, ending: str, limits: Limits = LIMITS) -> str:
    """The text of the error; nothing is ever written outside the folder that the cache throws away."""
    outside = set(tree.parent.parent.iterdir())
    with pytest.raises(UnpackError) as caught:
        unpack(io.BytesIO(content), f"x{ending}", tree, limits)
    assert set(tree.parent.parent.iterdir()) == outside
    assert "\n" not in caught.value.text
    return caught.value.text


@pytest.mark.parametrize("ending", ENDINGS)
def test_files_folders_and_links(tree: Path, ending: str) -> None:
    items = [
        Item("MLproject", b"name: x"),
        Item("src", kind="folder"),
        Item("src/deep/train.py", b"print()"),
        Item("src/l", kind="link", target="../MLproject"),
        Item("empty/", kind="folder"),
        Item("é.txt", b""),
    ]
    assert made(tree, ending, items) == {
        "MLproject": "name: x",
        "empty": "/",
        "src": "/",
        "src/deep": "/",
        "src/deep/train.py": "print()",
        "src/l": "-> ../MLproject",
        "é.txt": "",
    }


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("start", ["", "./"])
def test_single_top_folder_is_stripped(tree: Path, ending: str, start: str) -> None:
    items: list[Item | str] = [
        f"{start}top/",
        f"{start}top/a",
        f"{start}top/b/c",
        Item(f"{start}top/b/l", kind="link", target="../a"),
    ]
    assert made(tree, ending, items) == {"a": "content", "b": "/", "b/c": "content", "b/l": "-> ../a"}


@BOTH
@pytest.mark.parametrize(
    ("items", "kept"),
    [
        (["top/a", "b"], {"top": "/", "top/a": "content", "b": "content"}),
        (["top/a", "other/"], {"top": "/", "top/a": "content", "other": "/"}),
        (["a"], {"a": "content"}),
        (["./a"], {"a": "content"}),
        ([Item("l", kind="link", target="a")], {"l": "-> a"}),
        (["top/sub/a"], {"sub": "/", "sub/a": "content"}),
        (["top/top/a"], {"top": "/", "top/a": "content"}),
        (["top/a", "__MACOSX/top/._a", "._top"], {"a": "content"}),
        (["top/"], {}),
    ],
)
def test_what_is_stripped(tree: Path, ending: str, items: list[Item | str], kept: dict[str, str]) -> None:
    assert made(tree, ending, items) == kept


def test_global_headers_are_no_members(tree: Path) -> None:
    file = io.BytesIO()
    with tarfile.open(
        fileobj=file, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "c0ffee"}
    ) as tar:
        tar.addfile(tarfile.TarInfo("top/a"))
    assert unpacked(tree, file.getvalue(), ".tar")[0] == {"a": ""}


@BOTH
def test_link_is_judged_after_stripping(tree: Path, ending: str) -> None:
    items: list[Item | str] = ["top/a", Item("top/l", kind="link", target="../top/a")]
    assert "leads out of the archive" in refusal(tree, archive(ending, items), ending)


@BOTH
def test_repository_is_left_out_with_a_warning(tree: Path, ending: str) -> None:
    items: list[Item | str] = [
        "top/.git/config",
        "top/sub/.GIT/hooks/x",
        Item("top/b/.git", kind="link", target="x"),
        "top/a",
    ]
    files, left_out = unpacked(tree, archive(ending, items), ending)
    assert files == {"a": "content"}
    assert [line[:22] for line in left_out] == ["its .git is skipped: a"]


@BOTH
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_permissions(tree: Path, ending: str, umask: int) -> None:
    items = [
        Item("run", mode=0o6777),
        Item("group", mode=0o654),
        Item("plain", mode=0o666),
        Item("closed", mode=0o000),
        Item("folder", kind="folder", mode=0o1777),
        Item("folder/a", mode=0o755),
    ]
    before = os.umask(umask)
    try:
        made(tree, ending, items)
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tree.rglob("*")}
    plain, executable = 0o644 & ~umask, 0o755 & ~umask
    assert modes == {
        "run": executable,
        "group": plain,
        "plain": plain,
        "closed": plain,
        "folder": executable,
        "a": executable,
    }
    assert {path.stat().st_uid for path in tree.rglob("*")} == {os.getuid()}


@BOTH
def test_dates_are_kept_where_they_make_sense(tree: Path, ending: str) -> None:
    made(tree, ending, ["a"])
    assert (tree / "a").stat().st_mtime == 1_000_000_000


@pytest.mark.parametrize("claimed", [-5.0, 4e9, float("nan"), float("inf"), 1e300])
def test_dates_that_make_no_sense_are_not_kept(tree: Path, claimed: float) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("a")
        info.pax_headers = {"mtime": str(claimed)}
        tar.addfile(info)
    unpacked(tree, file.getvalue(), ".tar")
    assert abs((tree / "a").stat().st_mtime - time.time()) < 100


def test_date_that_is_none_in_a_zip(tree: Path) -> None:
    content = bytearray(archive(".zip", ["a"]))
    place = content.index(b"PK\x01\x02") + 14
    content[place : place + 2] = b"\xff\xff"  # month 15, day 31
    assert unpacked(tree, bytes(content), ".zip")[0] == {"a": "content"}


def test_long_names_of_both_formats(tree: Path) -> None:
    for style in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        file = io.BytesIO()
        name, target = "/".join(["n" * 80] * 4), "t" * 200
        with tarfile.open(fileobj=file, mode="w", format=style) as tar:
            tar.addfile(tarfile.TarInfo(name))
            link = tarfile.TarInfo("l")
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
        place = tree.parent / str(style)
        place.mkdir()
        found = unpacked(place / "tree", file.getvalue(), ".tar")[0]
        assert found[name] == ""
        assert found["l"] == f"-> {target}"


def test_sparse_file_of_gnu_tar(tree: Path, tmp_path: Path) -> None:
    source = tmp_path / "sparse"
    with source.open("wb") as file:
        file.seek(1_000_000)
        file.write(b"end")
    packed = tmp_path / "x.tar"
    assert (
        os.spawnlp(os.P_WAIT, "tar", "tar", "-C", str(tmp_path), "--sparse", "-cf", str(packed), "sparse")
        == 0
    )
    unpack(io.BytesIO(packed.read_bytes()), "x.tar", tree, LIMITS)
    assert (tree / "sparse").read_bytes() == source.read_bytes()


def test_hard_link_becomes_a_file_of_its_own(tree: Path) -> None:
    items = [
        Item("top/a", b"A", mode=0o755),
        Item("top/b", kind="copy", target="top/a"),
        Item("top/c", kind="copy", target="./top/b", mode=0o644),
    ]
    assert made(tree, ".tar", items) == {"a": "A", "b": "A", "c": "A"}
    assert len({path.stat().st_ino for path in tree.iterdir()}) == 3
    assert {stat.S_IMODE(path.stat().st_mode) & 0o100 for path in tree.iterdir()} == {0o100}


# --- members that are refused ---


@BOTH
@pytest.mark.parametrize(
    "name",
    ["../evil", "a/../../evil", "/evil", "C:/evil", "..\\evil", "a\nb", "", "x" * 300, "/".join("x" * 101)],
)
@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_names_that_are_refused(tree: Path, ending: str, name: str, kind: Kind) -> None:
    item = Item(name, kind=kind, target="a")
    assert refusal(tree, archive(ending, ["a", item]), ending).startswith("is refused: it")


def test_name_with_a_nul_in_a_zip(tree: Path) -> None:
    content = archive(".zip", ["good.txtX.exe"]).replace(b"good.txtX.exe", b"good.txt\0.exe")
    assert "control characters" in refusal(tree, content, ".zip")


@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        *((".zip", kind) for kind in ("fifo", "character device", "block device", "socket")),
        *((".tar", kind) for kind in ("fifo", "character device", "block device", "other")),
    ],
)
def test_devices_and_the_like(tree: Path, ending: str, kind: Kind) -> None:
    content = archive(ending, [Item("a", kind=kind)])
    assert refusal(tree, content, ending) == "is refused: its member 'a' is not a file, folder or link"


@BOTH
@pytest.mark.parametrize(
    "items",
    [
        ["a", "a"],
        ["a", "./a"],
        ["a", Item("a", kind="link", target="b")],
        [Item("a", kind="link", target="b"), "a"],
        [Item("a", kind="link", target="b"), Item("a", kind="link", target="c")],
        ["a", "a/b"],
        ["a/b", "a"],
        ["a", "a/"],
        ["a/", "a"],
        ["b/", Item("a", kind="link", target="b"), "a/c"],
        ["a/c", Item("a", kind="link", target="b")],
        [Item("a", kind="link", target="."), Item("a/b", kind="link", target="..")],
    ],
)
def test_name_that_is_there_twice(tree: Path, ending: str, items: list[Item | str]) -> None:
    assert re.search("occurs twice|also a file or a link", refusal(tree, archive(ending, items), ending))


@BOTH
def test_folder_may_be_named_again(tree: Path, ending: str) -> None:
    assert made(tree, ending, ["b/", "b/a", "b/", "c"]) == {"b": "/", "b/a": "content", "c": "content"}


@BOTH
@pytest.mark.parametrize("target", ["/etc/passwd", "..", "../x", "a/../../x", "l", "", "C:/x", "..\\x"])
def test_symbolic_link_that_leads_out_or_round(tree: Path, ending: str, target: str) -> None:
    content = archive(ending, ["a", Item("l", kind="link", target=target)])
    assert "its member 'l' is a link to" in refusal(tree, content, ending)


def test_link_with_endless_target_in_a_zip(tree: Path) -> None:
    content = archive(".zip", ["a", Item("l", kind="link", target="x/" * 5000)])
    assert "is a link whose target is too long" in refusal(tree, content, ".zip")


@pytest.mark.parametrize(
    "target", ["/etc/passwd", "../a", "absent", "later", "h", "folder", "l", ".git/config", "", "a/../a"]
)
def test_hard_link_to_what_is_no_earlier_file(tree: Path, target: str) -> None:
    items: list[Item | str] = [
        "a",
        "folder/",
        ".git/config",
        Item("l", kind="link", target="a"),
        Item("h", kind="copy", target=target),
        "later",
    ]
    assert refusal(tree, archive(".tar", items), ".tar").startswith("is refused: it")


@BOTH
def test_nothing_is_written_through_a_link_that_is_there_already(
    tree: Path, ending: str, tmp_path: Path
) -> None:
    """Whatever else goes wrong: a file is opened only where there was nothing."""
    outside = tmp_path / "outside"
    outside.write_text("precious")

    class Placed(io.BytesIO):
        """Puts a link where the file will be written, once unpacking has begun."""

        def read(self, size: int | None = -1) -> bytes:
            place = tree.with_name("tree.whole") / "a"
            if place.parent.is_dir() and not place.is_symlink():
                place.symlink_to(outside)
            return super().read(size)

    with pytest.raises(UnpackError, match="its member 'a' occurs twice, as this file system sees names"):
        unpack(Placed(archive(ending, ["a"])), f"x{ending}", tree, LIMITS)
    assert outside.read_text() == "precious"


@given(
    items=st.lists(
        st.builds(
            Item,
            name=st.lists(st.sampled_from(["", ".", "..", "a", "b", "A", "l"]), max_size=4).map("/".join),
            kind=st.sampled_from(["file", "folder", "link", "copy"]),
            target=st.lists(st.sampled_from(["", ".", "..", "a", "b", "l"]), max_size=4).map("/".join),
            content=st.just(b"content"),
            mode=st.just(0o644),
            modified=st.just(0.0),
        ),
        max_size=6,
    )
)
@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("ending", [".zip", ".tar"])
def test_whatever_the_members_nothing_is_outside(
    tmp_path_factory: pytest.TempPathFactory, ending: str, items: list[Item]
) -> None:
    root = tmp_path_factory.mktemp("root")
    tree = root / "a" / "entry" / "tree"
    tree.parent.mkdir(parents=True)
    kept = [item for item in items if ending == ".tar" or item.kind != "copy"]
    try:
        unpack(io.BytesIO(archive(ending, kept)), f"x{ending}", tree, LIMITS)
    except UnpackError:
        pass
    else:
        real = os.path.realpath(tree)
        for path in tree.rglob("*"):
            assert os.path.realpath(path).startswith(f"{real}/") or os.path.realpath(path) == real
    assert [*root.iterdir(), *(root / "a").iterdir()] == [root / "a", root / "a" / "entry"]
    assert all(path.name.startswith("tree") or path.name == TOP for path in tree.parent.iterdir())


# --- encrypted, unknown, damaged ---


def test_encrypted_zip(tree: Path) -> None:
    content = bytearray(archive(".zip", ["a"]))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert refusal(tree, bytes(content), ".zip") == "is refused: its member 'a' is encrypted"


def test_zip_with_unknown_compression(tree: Path) -> None:
    content = bytearray(archive(".zip", ["a"]))
    content[8] = content[content.index(b"PK\x01\x02") + 10] = 97
    assert "its member 'a' cannot be read: " in refusal(tree, bytes(content), ".zip")


@pytest.mark.parametrize("ending", ENDINGS)
def test_archive_that_breaks_off(tree: Path, ending: str) -> None:
    content = archive(ending, [Item(f"a{number}", os.urandom(2000)) for number in range(10)])
    end = {".tar": 512 * 20}.get(ending, len(content) - 30)
    for cut in {1, 600, len(content) // 2, end}:
        place = tree.parent / str(cut)
        place.mkdir()
        text = refusal(place / "tree", content[:cut], ending)
        assert text.startswith(("is damaged: ", "is not a tar archive", "is not a "))


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_tar_whose_last_bytes_are_missing(tree: Path, compress: object) -> None:
    """The files are all there, and yet what comes after them may be missing: the checksum says so."""
    assert callable(compress)
    content = compress(archive(".tar", ["a"]))
    assert refusal(tree, content[:-3], ".tar.gz").startswith("is damaged")


def test_compressed_tar_with_wrong_checksum(tree: Path) -> None:
    content = bytearray(gzip.compress(archive(".tar", ["a"])))
    content[-8] ^= 1
    assert "CRC" in refusal(tree, bytes(content), ".tar.gz")


def test_zip_with_wrong_checksum(tree: Path) -> None:
    content = bytearray(zipped([Item("a", b"content")], zipfile.ZIP_STORED))
    content[content.index(b"content")] ^= 1
    assert "Bad CRC-32 for file 'a'" in refusal(tree, bytes(content), ".zip")


def test_tar_with_a_header_that_makes_no_sense_is_not_taken_for_its_end(tree: Path) -> None:
    content = bytearray(archive(".tar", ["a", "b"]))
    content[1024] ^= 1
    assert refusal(tree, bytes(content), ".tar") == "is damaged: bad checksum"


@pytest.mark.parametrize("offset", [1 << 40, (1 << 63) - 1, (1 << 64) - 1])
def test_zip_whose_member_lies_outside_it(tree: Path, offset: int) -> None:
    content = archive(".zip", ["a"])
    start, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    entry, record = bytearray(content[start:end]), bytearray(content[end:])
    extra = struct.pack("<HHQ", 1, 8, offset)  # the 64 bits for an offset that says to be elsewhere
    struct.pack_into("<H", entry, 30, len(extra))
    struct.pack_into("<L", entry, 42, 0xFFFFFFFF)
    struct.pack_into("<L", record, 12, len(entry) + len(extra))
    text = refusal(tree, content[:start] + entry + extra + record, ".zip")
    assert text == "is damaged: a member is outside it"


@pytest.mark.parametrize("ending", [".tar.bz2", ".zip"])
def test_compressed_data_that_make_no_sense(tree: Path, ending: str) -> None:
    items = [Item("a", random.Random(1).randbytes(5000))]
    content = bytearray(tarred(items, ending) if ending != ".zip" else zipped(items, zipfile.ZIP_BZIP2))
    middle = len(content) // 2
    content[middle : middle + 100] = bytes(100)
    assert refusal(tree, bytes(content), ending).startswith("is damaged: ")


@pytest.mark.parametrize(
    ("ending", "content"), [(".tar", b"x" * 2000), (".tar.gz", gzip.compress(b"x" * 2000, mtime=0))]
)
def test_what_is_no_tar(tree: Path, ending: str, content: bytes) -> None:
    assert refusal(tree, content, ending) == "is not a tar archive"


@BOTH
@pytest.mark.parametrize("items", [[], ["__MACOSX/a"], ["./"], [".git/config"]])
def test_archive_of_nothing(tree: Path, ending: str, items: list[str]) -> None:
    assert refusal(tree, archive(ending, items), ending) == "is refused: it contains no files"


# --- bombs ---


@pytest.mark.parametrize("ending", ENDINGS)
def test_too_many_bytes(tree: Path, ending: str) -> None:
    content = archive(ending, [Item("a", os.urandom(60_000)), Item("b", os.urandom(60_000))])
    limits = Limits(unpacked=100_000)
    assert refusal(tree, content, ending, limits) == "is refused: it unpacks to more than 100000 bytes"
    assert sum(path.stat().st_size for path in tree.parent.rglob("*")) < 120_000


@pytest.mark.parametrize("ending", [".zip", ".tar.gz", ".tar.bz2", ".tar.xz"])
def test_too_high_a_ratio(tree: Path, ending: str) -> None:
    content = archive(ending, [Item("a", bytes(3_000_000))])
    limits = Limits(free=1_000_000)
    assert (
        refusal(tree, content, ending, limits) == "is refused: it unpacks to more than 200 times its own size"
    )
    place = tree.parent / "free"
    place.mkdir()
    unpacked(place / "tree", content, ending)


def test_sizes_that_headers_claim_mean_nothing(tree: Path) -> None:
    """What the directory says to be a byte is a megabyte: no more than that byte is unpacked."""
    content = bytearray(zipped([Item("a", bytes(1_000_000))]))
    struct.pack_into("<L", content, content.index(b"PK\x01\x02") + 24, 1)
    refusal(tree, bytes(content), ".zip", Limits(unpacked=10))
    assert sum(path.stat().st_size for path in tree.parent.rglob("*") if path.is_file()) <= 10


def test_members_that_overlap_count_each_time(tree: Path) -> None:
    """Many members of the directory that all name the same compressed bytes."""
    one = zipped([Item("a" * 8, os.urandom(1000) + bytes(100_000))])
    start, end = one.index(b"PK\x01\x02"), one.index(b"PK\x05\x06")
    entry, record = one[start:end], bytearray(one[end:])
    count = 50
    struct.pack_into("<HHLL", record, 8, count, count, len(entry) * count, start)
    content = one[:start] + entry * count + record
    text = refusal(tree, content, ".zip", Limits(unpacked=1_000_000))
    assert text.startswith(
        ("is refused: it unpacks to more", "is refused: its member 'aaaaaaaa' occurs", "is damaged")
    )


def test_holes_of_a_sparse_file_count(tree: Path) -> None:
    header = tarfile.TarInfo("a")
    header.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.name": "a"}
    header.pax_headers |= {"GNU.sparse.size": str(1 << 40), "GNU.sparse.map": f"{(1 << 40) - 1},1"}
    header.size = 1
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(header, io.BytesIO(b"x"))
    assert "unpacks to more than" in refusal(tree, file.getvalue(), ".tar", Limits(free=1_000_000))


def test_hard_links_count(tree: Path) -> None:
    items = [
        Item("a", os.urandom(50_000)),
        *(Item(f"h{number}", kind="copy", target="a") for number in range(30)),
    ]
    assert "unpacks to more than" in refusal(tree, tarred(items), ".tar", Limits(unpacked=1_000_000))


def test_what_is_left_out_of_a_tar_counts(tree: Path) -> None:
    content = tarred([Item(".git/a", bytes(3_000_000)), Item("b")], ".tar.gz")
    assert "unpacks to more than" in refusal(tree, content, ".tar.gz", Limits(free=1_000_000))


def test_what_comes_after_the_end_of_a_tar_counts(tree: Path) -> None:
    content = gzip.compress(archive(".tar", ["a"]) + bytes(3_000_000))
    assert "unpacks to more than" in refusal(tree, content, ".tar.gz", Limits(free=1_000_000))


@BOTH
@pytest.mark.parametrize(
    "items",
    [
        [f"a{number}" for number in range(11)],
        ["/".join("abcdefghijk")],
        ["a/"] * 11,
        [f".git/{number}" for number in range(11)],
    ],
)
def test_too_many_entries(tree: Path, ending: str, items: list[str]) -> None:
    text = refusal(tree, archive(ending, items), ending, Limits(entries=10))
    assert text == "is refused: it contains more than 10 files and folders"
    assert len(list(tree.parent.rglob("*"))) <= 12


def test_as_many_entries_as_are_allowed(tree: Path) -> None:
    assert len(made(tree, ".tar", [f"a{number}" for number in range(10)], Limits(entries=10))) == 10


def test_zip_with_an_endless_directory(tree: Path) -> None:
    content = zipped([Item(f"{number}" + "n" * 200, b"") for number in range(100)])
    assert "its list of members is too long" in refusal(tree, content, ".zip", Limits(directory=10_000))


@pytest.mark.parametrize("style", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tar_with_an_endless_header(tree: Path, style: int) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=style) as tar:
        tar.addfile(tarfile.TarInfo("a"))
        tar.addfile(tarfile.TarInfo("n" * 500_000))
    text = refusal(tree, file.getvalue(), ".tar", Limits(header=100_000))
    assert text == "is refused: the headers of its members are too long"


def test_tar_whose_global_headers_add_up(tree: Path) -> None:
    content = b""
    for number in range(20):
        file = io.BytesIO()
        headers = {f"key{number}": "v" * 10_000}
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT, pax_headers=headers) as tar:
            tar.addfile(tarfile.TarInfo(f"a{number}"))
            content += file.getvalue()[: tar.offset]
    text = refusal(tree, content + bytes(1024), ".tar", Limits(header=100_000))
    assert text == "is refused: the headers of its members are too long"


def test_full_disk_is_no_fault_of_the_archive(tree: Path) -> None:
    tree.parent.chmod(0o500)
    if os.access(tree.parent, os.W_OK):
        tree.parent.rmdir()  # the superuser may write anywhere
    with pytest.raises(OSError):
        unpack(io.BytesIO(archive(".zip", ["a"])), "x.zip", tree, LIMITS)
    if tree.parent.exists():
        tree.parent.chmod(0o700)
