"""Cache folders that somebody else owns, or may write to, are refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from projrun.errors import SourceError
from projrun.sources.trusted_folders import check_owned, check_places

SOMEBODY = 65533
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")


def _folder(path: Path, mode: int = 0o700) -> Path:
    path.mkdir(parents=True)
    path.chmod(mode)
    return path


def test_a_private_folder_and_none_yet_are_fine(tmp_path: Path) -> None:
    check_owned(_folder(tmp_path / "mine"))
    check_owned(_folder(tmp_path / "readable", 0o755))
    check_owned(tmp_path / "missing")
    check_places(tmp_path / "missing")


@as_root
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "theirs")
    os.chown(folder, SOMEBODY, -1)
    with pytest.raises(SourceError, match=f"belongs to uid {SOMEBODY}") as caught:
        check_owned(folder)
    assert "PROJRUN_CACHE_DIR" in caught.value.hint
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o1777])
def test_a_folder_that_others_may_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    folder = _folder(tmp_path / "open", mode)
    with pytest.raises(SourceError, match=f"written to by others .mode {mode:04o}"):
        check_owned(folder)


def test_a_link_is_judged_by_what_it_leads_to(tmp_path: Path) -> None:
    target = _folder(tmp_path / "target", 0o777)
    link = tmp_path / "link"
    link.symlink_to(target)
    with pytest.raises(SourceError, match="written to by others"):
        check_owned(link)
    target.chmod(0o700)
    check_owned(link)


@pytest.mark.parametrize("place", ["checkouts", "repositories", "copies"])
def test_each_place_of_sources_is_looked_at(tmp_path: Path, place: str) -> None:
    _folder(tmp_path / place, 0o777)
    with pytest.raises(SourceError, match=place):
        check_places(tmp_path)


def test_the_cache_above_them_may_be_open_to_its_group_alone(tmp_path: Path) -> None:
    cache = _folder(tmp_path / "cache", 0o775)
    check_places(cache)
    cache.chmod(0o1777)
    check_places(cache)
    cache.chmod(0o777)
    with pytest.raises(SourceError, match="by everybody"):
        check_places(cache)


@as_root
def test_the_cache_above_them_must_be_the_users(tmp_path: Path) -> None:
    os.chown(tmp_path, SOMEBODY, -1)
    with pytest.raises(SourceError, match=f"belongs to uid {SOMEBODY}"):
        check_places(tmp_path)


def test_a_cache_that_is_no_folder_is_refused_in_plain_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="cannot be used: Not a directory"):
        check_places(tmp_path / "file" / "cache")
