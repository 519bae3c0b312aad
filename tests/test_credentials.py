"""Credentials in URLs stay out of what is shown and kept."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from projrun.credentials import is_scheme, redact_uri, secrets_in, without_credentials, without_queries

ENDPOINT = "0123456789abcdef" * 2
PASSWORD = "hunter2-Tok"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:word@host/simple", "https://host/simple"),
        ("https://token@host/simple", "https://host/simple"),
        ("x @ git+https://token@host/r.git and http://a:b@c", "x @ git+https://host/r.git and http://c"),
        ("git+ssh://git@host/r.git", "git+ssh://git@host/r.git"),
        ("git+ssh://git:word@host/r.git", "git+ssh://git@host/r.git"),
        ("https://host/simple?private_token=abc&x=1", "https://host/simple?private_token=***&x=1"),
        (
            "https://b.test/k?X-Amz-Signature=ab&versionId=3",
            "https://b.test/k?X-Amz-Signature=***&versionId=3",
        ),
        ("https://b.test/k?keyword=ab&sv=1&sig=x%3D", "https://b.test/k?keyword=ab&sv=1&sig=***"),
        ("numpy==1.0", "numpy==1.0"),
        ("https://host/@scope/name", "https://host/@scope/name"),
        ("a@b.c", "a@b.c"),
    ],
)
def test_urls_lose_their_credentials(text: str, shown: str) -> None:
    assert without_credentials(text) == shown


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("", ""),
        ("http://host/a", "http://host/a"),
        ("http://user:word@host:80/a", "http://host:80/a"),
        ("https://token@host/o/r#sub", "https://host/o/r#sub"),
        ("https://user:w@rd@host/a", "https://host/a"),
        ("https://user:w/rd@host/a", "https://host/a"),
        ("https://user:w?rd@host/a", "https://host/a"),
        ("https://user:w#rd@host/a", "https://host/a"),
        ("https://user:word", "https://***"),
        ("https://host/@scope/name", "https://host/@scope/name"),
        ("https://host:80/@scope/name", "https://host:80/@scope/name"),
        ("https://[::1]:80/@scope", "https://[::1]:80/@scope"),
        ("mysql+pymysql://user:word@host/db", "mysql+pymysql://host/db"),
        ("https://host/f?sig=abc&v=1#part", "https://host/f?sig=***&v=***#part"),
        ("https://host/f?abc", "https://host/f?***"),
        ("ssh://git:word@host/r", "ssh://git@host/r"),
        ("git+ssh://git:word@host/r", "git+ssh://git@host/r"),
        ("abfss://box@account.host/x.zip", "abfss://box@account.host/x.zip"),
        ("s3://key:word@bucket/x", "s3://bucket/x"),
        ("git@host:owner/repo", "git@host:owner/repo"),
        ("user:word@host:80/a", "user@host:80/a"),
        ("user:w@rd@host:80/a", "user@host:80/a"),
        ("//user:word@host/a", "//host/a"),
        ("http:user:word@host/a", "http:host/a"),
        ("/tmp/what?.csv", "/tmp/what?.csv"),
        ("../some/path@2", "../some/path@2"),
        ("file:///some/path@2", "file:///some/path@2"),
        ("sqlite:////tmp/a@b.db", "sqlite:////tmp/a@b.db"),
        (f"http://127.0.0.1:5000/{ENDPOINT}", "http://127.0.0.1:5000/***"),
        (f"http://127.0.0.1:5000/{ENDPOINT}/api/2.0", "http://127.0.0.1:5000/***/api/2.0"),
        (f"http://127.0.0.1:5000/{ENDPOINT}0", f"http://127.0.0.1:5000/{ENDPOINT}0"),
        (f"http://host:5000/{ENDPOINT}", f"http://host:5000/{ENDPOINT}"),
    ],
)
def test_what_is_shown_of_an_address(uri: str, shown: str) -> None:
    assert redact_uri(uri) == shown


@settings(deadline=None)
@given(
    scheme=st.sampled_from(["https", "http", "ssh", "git", "s3", "HTTPS", "postgresql", "mysql+pymysql"]),
    user=st.text("abcXYZ0.-_%~!$&'()*,;=", max_size=5),
    before=st.text("ab:@/?#% é!$&'()*,;=", max_size=4),
    after=st.text("ab:@/?#% é!$&'()*,;=", max_size=4),
    rest=st.sampled_from(
        ["host/o/r", "host:22/o/r#sub", "[::1]/r?x=hunter2-Tok", "127.0.0.1:5000", "host/a@b"]
    ),
)
def test_no_password_is_ever_shown(scheme: str, user: str, before: str, after: str, rest: str) -> None:
    assume("@" not in before + after or not set("/?#") & set(before + after))  # then another host is meant
    shown = redact_uri(f"{scheme}://{user}:{before}{PASSWORD}{after}@{rest}")
    assert PASSWORD not in shown


@settings(deadline=None)
@given(st.text())
def test_any_text_can_be_shown(text: str) -> None:
    assert redact_uri(redact_uri(text)) == redact_uri(text)


def test_no_query_of_a_message_is_shown() -> None:
    said = "403 for https://b.test/k?X-Amz-Signature=ab&v=3: really?"
    assert without_queries(said) == "403 for https://b.test/k?*** really?"


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("https://me:w%40rd-1@host/x", ("w%40rd-1", "w@rd-1")),
        ("postgresql://me:word@host/db?password=other&sslmode=require", ("word", "other")),
        ("https://ghp_0123456789abcdef@host/r.git", ("ghp_0123456789abcdef",)),
        ("s3://b/k?X-Amz-Signature=deadbeef#part and https://h/?a=1&api_key=key-1", ("deadbeef", "key-1")),
        ("https://h/?a=1&sig=Zm9v%2B", ("Zm9v%2B", "Zm9v+")),
        ("https://alice@host/x?page=2", ()),
        ("git@host:team/repo.git", ()),
        ("ssh://git@host/repo.git", ()),
        ("https://a:b@host/", ()),
    ],
)  # fmt: skip
def test_secrets_of_addresses(text: str, secrets: tuple[str, ...]) -> None:
    assert secrets_in([text]) == secrets


@given(st.text(alphabet="aZé1²+.-:/ _\n", max_size=6))
def test_scheme_is_what_the_grammar_says(word: str) -> None:
    assert is_scheme(word) == bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", word))
