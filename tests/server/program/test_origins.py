"""Which hosts and origins a server admits."""

from __future__ import annotations

import pytest

from projrun.server.program.origins import Origins


@pytest.mark.parametrize(
    ("host", "admitted"),
    [
        (b"localhost", True),
        (b"LocalHost:5000", True),
        (b"127.0.0.1:5000", True),
        (b"[::1]:5000", True),
        (b"192.168.1.7:5000", True),
        (b"evil.example", False),
        (b"192.168.evil.example", False),
        (b"10.0.0.1.evil.example:5000", False),
        (b"localhost.evil.example", False),
        (b"", False),
        (b":5000", False),
        (b"\xff", False),
    ],
)
def test_without_a_list_only_localhost_and_addresses(host: bytes, admitted: bool) -> None:
    assert Origins().admits_host(host) is admitted


@pytest.mark.parametrize(
    ("host", "admitted"),
    [
        (b"ml.example.org", True),
        (b"ML.example.org:8080", True),
        (b"a.team.example", True),
        (b"port.example:81", True),
        (b"port.example:82", False),
        (b"localhost", False),
        (b"ml.example.org.evil.example", False),
    ],
)
def test_a_list_admits_what_it_names(host: bytes, admitted: bool) -> None:
    origins = Origins(["ml.Example.org", "*.team.example", "port.example:81"])
    assert origins.admits_host(host) is admitted


def test_a_star_admits_every_host() -> None:
    assert Origins(["*"]).admits_host(b"anything.example")


@pytest.mark.parametrize(
    ("method", "origin", "admitted"),
    [
        ("GET", b"https://evil.example", True),
        ("POST", b"https://evil.example", False),
        ("DELETE", b"null", False),
        ("POST", b"http://localhost:3000", True),
        ("POST", b"http://[::1]", True),
        ("POST", b"http://localhost.evil.example", False),
        ("POST", b"http://10.0.0.5:5000", True),
        ("POST", b"http://10.0.0.5:5001", False),
        ("PUT", b"https://ui.example", True),
        ("PUT", b"https://a.team.example", True),
        ("PUT", b"https://ui.example.evil.example", False),
        ("POST", b"http://[", False),
    ],
)
def test_other_sites_change_nothing(method: str, origin: bytes, admitted: bool) -> None:
    origins = Origins(allowed_origins=["https://ui.example", "https://*.team.example"])
    assert origins.admits_origin(method, origin, b"10.0.0.5:5000") is admitted


def test_a_star_admits_every_origin() -> None:
    assert Origins(allowed_origins=["*"]).admits_origin("POST", b"https://evil.example", b"10.0.0.5")
