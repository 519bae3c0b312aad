"""Which proxy, if any."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from projrun.http.proxies import proxies_for

BOTH = {"http_proxy": "http://low:1", "HTTP_PROXY": "http://HIGH:1", "HTTPS_PROXY": "http://secure:1"}


def test_lower_case_comes_first() -> None:
    assert proxies_for(urlsplit("http://a.test"), BOTH) == {
        "http": "http://low:1",
        "https": "http://secure:1",
    }


def test_all_proxy_is_passed_on() -> None:
    assert proxies_for(urlsplit("http://a.test"), {"ALL_PROXY": "http://all:1"}) == {"all": "http://all:1"}


def test_no_variable_no_proxy() -> None:
    assert proxies_for(urlsplit("http://a.test"), {"http_proxy": ""}) == {}


@pytest.mark.parametrize(
    ("no_proxy", "host", "bypassed"),
    [
        ("*", "a.test", True),
        ("a.test", "a.test", True),
        ("a.test", "sub.a.test", True),
        (".a.test", "sub.a.test", True),
        ("*.a.test", "sub.a.test", True),
        ("A.Test ", "a.test", True),
        ("a.test", "ba.test", False),
        ("x, a.test,y", "a.test", True),
        ("a.test:80", "a.test:80", True),
        ("a.test:80", "a.test:81", False),
        ("127.0.0.1", "127.0.0.1:5000", True),
        ("127.0.0.0/8", "127.9.9.9", True),
        ("10.0.0.0/8", "127.0.0.1", False),
        ("::1", "[::1]:80", True),
        ("[::1]", "[::1]", True),
        ("", "a.test", False),
        (", ,", "a.test", False),
    ],
)
def test_no_proxy(no_proxy: str, host: str, bypassed: bool) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        environ = {"http_proxy": "http://proxy:1", name: no_proxy}
        assert (proxies_for(urlsplit(f"http://{host}"), environ) == {}) is bypassed
