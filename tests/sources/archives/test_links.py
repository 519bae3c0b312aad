from __future__ import annotations

import pytest

from projrun.sources.archives.errors import UnpackError
from projrun.sources.archives.links import check_links


def places(links: dict[str, str]) -> dict[tuple[str, ...], str]:
    return {tuple(place.split("/")): target for place, target in links.items()}


@pytest.mark.parametrize(
    "links",
    [
        {"l": "a"},
        {"l": "a/b/../c"},
        {"l": "."},
        {"a/b/l": "../../c"},
        {"a/l": ".."},
        {"l": "absent"},
        {"current": "releases/2", "data": "current/data"},
        {"a/up": "..", "b": "a/up/c"},
        {f"l{number}": f"l{number + 1}" for number in range(39)},
    ],
)
def test_links_that_stay_inside(links: dict[str, str]) -> None:
    check_links(places(links))


@pytest.mark.parametrize(
    "links",
    [
        {"l": "/etc/passwd"},
        {"l": "/"},
        {"l": ".."},
        {"l": "../tree/a"},
        {"a/l": "../../x"},
        {"a/l": "b/../../../x"},
        {"l": "a/../.."},
        {"l": "C:/x"},
        {"l": "..\\x"},
        {"l": "a\0"},
        {"l": ""},
        # Through another link: the text of the second alone would stay inside.
        {"d/up": "..", "d/l": "up/../x"},
        {"one/two/back": "../..", "l": "one/two/back/../x"},
        # Through a link of a name that another file system takes for the same.
        {"d/up": "..", "d/l": "UP/../x"},
        {"d/é": "..", "d/l": "e\u0301/../x"},
    ],
)
def test_links_that_lead_out(links: dict[str, str]) -> None:
    with pytest.raises(
        UnpackError, match=r"^is refused: its member '(.*/)?l' is a link to '.*', which leads out"
    ):
        check_links(places(links))


@pytest.mark.parametrize(
    "links", [{"l": "l"}, {"a": "b", "b": "a"}, {f"l{number}": f"l{number + 1}" for number in range(50)}]
)
def test_links_that_go_round(links: dict[str, str]) -> None:
    with pytest.raises(UnpackError, match="which is a loop"):
        check_links(places(links))


@pytest.mark.parametrize("target", ["/" + "x" * 100_000, "/\x1b[31m\u202e"])
def test_target_is_shown_in_part_and_nothing_of_it_prints_strangely(target: str) -> None:
    with pytest.raises(UnpackError) as caught:
        check_links({("l",): target})
    assert len(caught.value.text) < 300
    assert caught.value.text.isprintable()
