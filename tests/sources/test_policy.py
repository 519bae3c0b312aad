"""The trust policy: what it refuses, with the rule that refused, and what cannot get around it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from projrun.errors import RequestError, SourceError
from projrun.settings import Setting, Settings
from projrun.sources.policy import PROTOCOLS, TrustPolicy, place_of


def hosts(*values: str) -> TrustPolicy:
    return TrustPolicy(hosts=[Setting(value, f"place {number}") for number, value in enumerate(values)])


def protocols(*values: str) -> TrustPolicy:
    return TrustPolicy(protocols=[Setting(value, f"place {number}") for number, value in enumerate(values)])


def allows(policy: TrustPolicy, location: str) -> bool:
    try:
        policy.check_place(*place_of(location))
    except SourceError:
        return False
    return True


@pytest.mark.parametrize(
    ("pattern", "location"),
    [
        ("github.com", "https://github.com/o/r"),
        ("GitHub.com", "https://GITHUB.COM./o/r"),
        ("github.com.", "https://github.com/o/r"),
        ("github.com", "https://me:pw@github.com:8443/o/r"),
        ("github.com", "git@github.com:o/r"),
        ("github.com", "ssh://git@github.com:2222/o/r"),
        ("other, github.com", "https://github.com/o/r"),
        ("*.example.org", "https://a.b.example.org/r"),
        ("*", "https://anything.test/r"),
        ("github.com:443", "https://github.com/o/r"),
        ("github.com:22", "git@github.com:o/r"),
        ("*.example.org:8443", "https://a.example.org:8443/r"),
        ("[::1]", "http://[::1]:8080/r"),
        ("::1", "http://[0:0:0:0:0:0:0:1]/r"),
        ("[::1]:8080", "http://[::1]:8080/r"),
        ("xn--bcher-kva.test", "https://xn--bcher-kva.test/r"),
        ("bucket", "s3://bucket/x.zip"),
        ("account.host", "abfss://box@account.host/x.zip"),
        ("github.com", "/srv/repository.git"),
        ("github.com", "file:///srv/repository.git"),
    ],
)
def test_hosts_that_are_allowed(pattern: str, location: str) -> None:
    assert allows(hosts(pattern), location)


@pytest.mark.parametrize(
    ("pattern", "location"),
    [
        ("github.com", "https://evil.test/o/r"),
        ("github.com", "https://github.com.evil.test/o/r"),
        ("github.com", "https://evilgithub.com/o/r"),
        ("github.com", "https://github.com@evil.test/o/r"),
        ("github.com", "https://github.com:x@evil.test/o/r"),
        ("github.com", "https://evil.test/github.com/r"),
        ("github.com", "https://evil.test?@github.com/r"),
        ("github.com", "ssh://evil.test%2F@github.com/r"),
        ("github.com", "ssh://github.com/@[::1]/r"),
        ("github.com", "github.com@evil.test:o/r"),
        ("github.com", "evil.test:github.com/r"),
        ("github.com", "https://g\u0131thub.com/r"),
        ("kernel.test", "https://\u212aernel.test/r"),
        ("*", "https://bücher.test/r"),
        ("github.com:443", "https://github.com:8443/o/r"),
        ("github.com:443", "http://github.com/o/r"),
        ("github.com:8443", "https://github.com/o/r"),
        ("*.example.org", "https://example.org/r"),
        ("*.example.org", "https://evilexample.org/r"),
        ("*.example.org", "https://a.example.org.evil.test/r"),
        ("127.0.0.1", "https://2130706433/r"),
        ("::1", "http://[::2]/r"),
        ("", "https://github.com/o/r"),
        (" , ", "https://github.com/o/r"),
    ],
)
def test_hosts_that_are_refused(pattern: str, location: str) -> None:
    assert not allows(hosts(pattern), location)


@pytest.mark.parametrize(
    "pattern",
    [
        "https://github.com",
        "github.com/owner",
        "git@github.com",
        "git*.com",
        "10.*",
        "*example.org",
        "*.*.org",
        "*.",
        "[ab]c.org",
        "bücher.test",
        "a b",
        "a\\b",
    ],
)
def test_patterns_that_mean_nothing_or_too_much(pattern: str) -> None:
    with pytest.raises(RequestError, match=r"place 0: .* in allowed-hosts is not a host pattern"):
        hosts(f"github.com, {pattern}")


def test_protocols() -> None:
    policy = protocols("https, SSH")
    assert allows(policy, "https://host/r") and allows(policy, "git@host:r")
    for refused in ("http://host/r", "git://host/r", "s3://bucket/x.zip", "/srv/r", "file:///srv/r"):
        assert not allows(policy, refused)


def test_a_protocol_that_projrun_does_not_know_is_never_allowed() -> None:
    for location in ("gopher://host/r", "git+ssh://host/r", "ftp://host/x.zip"):
        assert not allows(TrustPolicy(), location)
    for location in ("ext::sh -c x", "fd::7", "-oProxyCommand=x", "host:-r"):
        with pytest.raises(SourceError):
            place_of(location)
    assert all(allows(TrustPolicy(), f"{protocol}://host/r") for protocol in PROTOCOLS if protocol != "file")


def test_a_word_that_is_no_protocol_is_a_mistake() -> None:
    with pytest.raises(RequestError, match=r"place 0: 'htps' in allowed-protocols .* did you mean 'https'\?"):
        protocols("htps")


def test_a_refusal_names_the_rule_and_its_place() -> None:
    policy = TrustPolicy(
        [Setting("github.com", "/etc/config.toml")],
        [Setting("https", "$PROJRUN_ALLOWED_PROTOCOLS")],
        [Setting("true", "config.toml")],
    )
    with pytest.raises(SourceError) as host:
        policy.check_place("https", "evil.test:8443")
    assert host.value.exit_code == 3
    assert (
        host.value.message
        == "'evil.test:8443' is refused: /etc/config.toml sets allowed-hosts to 'github.com'"
    )
    with pytest.raises(SourceError) as protocol:
        policy.check_place("ssh", "github.com")
    assert (
        protocol.value.message
        == "'ssh:' is refused: $PROJRUN_ALLOWED_PROTOCOLS sets allowed-protocols to 'https'"
    )
    with pytest.raises(SourceError, match=r"^URI is refused: config\.toml sets require-pinned$"):
        policy.check_pinned("URI", pinned=False)
    policy.check_pinned("URI", pinned=True)
    TrustPolicy().check_pinned("URI", pinned=False)
    assert [name for name, _ in policy.rules()] == ["allowed-hosts", "allowed-protocols", "require-pinned"]


def of(tmp_path: Path, config: str, environ: Mapping[str, str]) -> TrustPolicy:
    file = tmp_path / "config.toml"
    file.write_text(config)
    return TrustPolicy.of(Settings({}, environ, file))


def test_lists_of_the_config_file(tmp_path: Path) -> None:
    policy = of(tmp_path, 'allowed-hosts = ["github.com", "*.example.org"]\nrequire-pinned = true\n', {})
    assert allows(policy, "https://a.example.org/r") and not allows(policy, "https://evil.test/r")
    assert policy.pinned == (Setting("True", str(tmp_path / "config.toml")),)


def test_an_empty_list_allows_nothing(tmp_path: Path) -> None:
    assert not allows(of(tmp_path, "allowed-hosts = []", {}), "https://github.com/o/r")
    assert not allows(of(tmp_path, "allowed-protocols = []", {}), "https://github.com/o/r")


def test_a_variable_tightens_and_never_loosens(tmp_path: Path) -> None:
    config = (
        'allowed-hosts = ["github.com", "gitlab.com"]\nallowed-protocols = ["https"]\nrequire-pinned = true\n'
    )
    environ = {
        "PROJRUN_ALLOWED_HOSTS": "gitlab.com,evil.test",
        "PROJRUN_ALLOWED_PROTOCOLS": "https,http",
        "PROJRUN_REQUIRE_PINNED": "0",
    }
    policy = of(tmp_path, config, environ)
    assert allows(policy, "https://gitlab.com/o/r")
    assert not allows(policy, "https://evil.test/o/r")
    assert not allows(policy, "https://github.com/o/r")
    assert not allows(policy, "http://gitlab.com/o/r")
    with pytest.raises(SourceError, match=r"config\.toml sets require-pinned"):
        policy.check_pinned("URI", pinned=False)
    loose = of(tmp_path, "require-pinned = false", {"PROJRUN_REQUIRE_PINNED": "yes"})
    with pytest.raises(SourceError, match="PROJRUN_REQUIRE_PINNED"):
        loose.check_pinned("URI", pinned=False)


def test_a_flag_that_is_no_flag_is_a_mistake_wherever_it_stands(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="neither true nor false"):
        of(tmp_path, 'require-pinned = "maybe"', {"PROJRUN_REQUIRE_PINNED": "1"})
