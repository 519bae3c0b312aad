from __future__ import annotations

import pytest

from projrun.errors import SourceError
from projrun.sources.access import Access, access_to


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("https://host/o/r", "https://host/o/r"),
        ("git@host:o/r", "git@host:o/r"),
        ("ssh://git@host/r", "ssh://git@host/r"),
        ("ssh://git:pw@host/r", "ssh://git@host/r"),
        ("git://u:pw@host/r", "git://host/r"),
        ("file:///a%3Fb", "file:///a%3Fb"),
    ],
)
def test_without_a_password_for_git(location: str, url: str) -> None:
    assert access_to(location) == Access(url)


def test_a_password_is_bound_to_its_host() -> None:
    access = access_to("https://us%40er:p%2Fw@host:8443/o/r")
    assert access.url == "https://host:8443/o/r"
    assert {key for key, _ in access.settings} == {"credential.https://host:8443.helper"}
    assert access.environ == {"PROJRUN_GIT_USERNAME": "us@er", "PROJRUN_GIT_PASSWORD": "p/w"}
    assert access.mask("no p/w, no p%2Fw; https://a:b@host/x") == "no ***, no ***; https://host/x"


def test_a_user_alone_keeps_the_credential_helpers() -> None:
    assert access_to("https://me@host/r") == Access(
        "https://host/r", (("credential.https://host.username", "me"),)
    )


def test_a_token_as_the_user_is_masked_in_messages() -> None:
    assert "tok" not in access_to("https://tok@host/r").mask("could not read Password for 'https://tok@host'")


def test_a_token_in_a_query_is_masked_in_messages() -> None:
    said = "fatal: Authentication failed for 'https://host/r?token=tok/'"
    assert access_to("https://host/r?token=tok").mask(said) == (
        "fatal: Authentication failed for 'https://host/r?***'"
    )


@pytest.mark.parametrize("location", ["https://u:a%0Ahost=evil@host/r", "https://u%00:p@host/r"])
def test_control_characters_cannot_be_smuggled(location: str) -> None:
    with pytest.raises(SourceError, match="control characters") as raised:
        access_to(location)
    assert "evil" not in raised.value.message
