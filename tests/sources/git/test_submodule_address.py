from __future__ import annotations

import pytest

from projrun.errors import SourceError
from projrun.sources.git.submodule_address import resolve_address


@pytest.mark.parametrize(
    ("url", "base", "resolved"),
    [
        ("https://else/x.git", "https://host/o/r", "https://else/x.git"),
        ("../x.git", "https://user:pw@host/o/r.git", "https://user:pw@host/o/x.git"),
        ("../x.git", "https://host/o/r.git/", "https://host/o/x.git"),
        ("./x", "https://host/o/r?token=t", "https://host/o/r/x"),
        ("../../p/./x", "git@host:o/r", "git@host:p/x"),
        ("../x", "git@[::1]:o/r", "git@[::1]:o/x"),
        ("../x", "git@host:/srv/r", "git@host:/srv/x"),
        ("../x", "ssh://git@host:22/o/r", "ssh://git@host:22/o/x"),
        ("../x", "file:///srv/r", "file:///srv/x"),
        ("../x", "/srv/r", "/srv/x"),
        ("../a/../x", "https://host/o/r", "https://host/o/x"),
    ],
)
def test_an_address(url: str, base: str, resolved: str) -> None:
    assert resolve_address(url, base) == resolved


@pytest.mark.parametrize(
    "base", ["https://user:pw@host/o/r", "git@host:o/r", "ssh://git@host:22/o/r", "/o/r"]
)
@pytest.mark.parametrize("url", ["../../../evil.org/x", "./../../../x", "../../x/../../y"])
def test_it_never_leaves_the_host(url: str, base: str) -> None:
    with pytest.raises(SourceError, match="leads above the top of its server"):
        resolve_address(url, base)
