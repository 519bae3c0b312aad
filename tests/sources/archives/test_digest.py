from __future__ import annotations

import hashlib
import io

import pytest

from projrun.errors import RequestError, SourceError
from projrun.sources.archives.digest import check_digest, digest_of, parse_digest

HASH = hashlib.sha256(b"content").hexdigest()


@pytest.mark.parametrize("version", [f"sha256:{HASH}", f"sha256:{HASH.upper()}", f"SHA256:{HASH}"])
def test_hash_of_a_version(version: str) -> None:
    assert parse_digest(version) == HASH


@pytest.mark.parametrize(
    "version",
    [
        "main",
        "",
        HASH,
        f"sha256:{HASH[:-1]}",
        f"sha256:{HASH}0",
        f"sha256={HASH}",
        f"sha256:{HASH}\n",
        "md5:x",
    ],
)
def test_other_versions_are_a_mistake(version: str) -> None:
    with pytest.raises(RequestError, match="is not the hash of an archive") as caught:
        parse_digest(version)
    assert "sha256:" in caught.value.hint


def test_digest_of_a_file() -> None:
    file = io.BytesIO(b"content" * 1_000_000)
    assert digest_of(file) == hashlib.sha256(b"content" * 1_000_000).hexdigest()


def test_another_digest_names_both() -> None:
    check_digest(HASH, None, "x.zip")
    check_digest(HASH, HASH, "x.zip")
    with pytest.raises(
        SourceError, match=f"^x.zip is not the requested archive.*sha256:{HASH}.*sha256:{'0' * 64}"
    ):
        check_digest(HASH, "0" * 64, "x.zip")
