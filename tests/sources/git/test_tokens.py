from __future__ import annotations

import pytest

from projrun.sources.git.tokens import Token, find_token, token_variable

ALL = {
    "GH_TOKEN": "gh",
    "GITHUB_TOKEN": "github",
    "GITLAB_TOKEN": "gitlab",
    "CI_JOB_TOKEN": "job",
    "BITBUCKET_TOKEN": "bitbucket",
    "PROJRUN_GIT_TOKEN_EXAMPLE_ORG": "own",
}


@pytest.mark.parametrize(
    ("host", "variable"),
    [
        ("example.org", "PROJRUN_GIT_TOKEN_EXAMPLE_ORG"),
        ("Example.org:8443", "PROJRUN_GIT_TOKEN_EXAMPLE_ORG_8443"),
        ("127.0.0.1:80", "PROJRUN_GIT_TOKEN_127_0_0_1_80"),
        ("my-host.com", "PROJRUN_GIT_TOKEN_MY__HOST_COM"),
    ],
)
def test_the_variable_of_a_host(host: str, variable: str) -> None:
    assert token_variable(host) == variable


@pytest.mark.parametrize(
    ("host", "environ", "found"),
    [
        ("github.com", {}, ("GH_TOKEN", "x-access-token")),
        ("GitHub.com:443", {"GH_TOKEN": ""}, ("GITHUB_TOKEN", "x-access-token")),
        ("gitlab.com", {}, ("GITLAB_TOKEN", "oauth2")),
        ("gitlab.com", {"GITLAB_TOKEN": " "}, ("CI_JOB_TOKEN", "gitlab-ci-token")),
        ("bitbucket.org", {}, ("BITBUCKET_TOKEN", "x-token-auth")),
        ("example.org", {}, ("PROJRUN_GIT_TOKEN_EXAMPLE_ORG", "oauth2")),
        ("git.corp", {"GH_ENTERPRISE_TOKEN": "e", "GH_HOST": "git.corp"}, ("GH_ENTERPRISE_TOKEN", "x-access-token")),
        ("git.corp", {"GITHUB_SERVER_URL": "https://git.corp"}, ("GITHUB_TOKEN", "x-access-token")),
        ("git.corp", {"CI_SERVER_HOST": "git.corp"}, ("GITLAB_TOKEN", "oauth2")),
        ("git.corp:8443", {"CI_SERVER_HOST": "git.corp", "CI_SERVER_PORT": "8443"}, ("GITLAB_TOKEN", "oauth2")),
    ],
)  # fmt: skip
def test_a_token_and_its_user(host: str, environ: dict[str, str], found: tuple[str, str]) -> None:
    every = {**ALL, **environ}
    assert find_token("https", host, every) == Token(*found, every[found[0]].strip())


@pytest.mark.parametrize(
    ("scheme", "host", "environ"),
    [
        ("http", "github.com", {}),
        ("http", "example.org", {}),
        ("https", "github.com.evil.org", {}),
        ("https", "evil.org", {}),
        ("https", "github.com:8443", {}),
        ("https", "example.org:8443", {}),
        ("https", "git.corp:8443", {"CI_SERVER_HOST": "git.corp"}),
        # A company's own service issued these: the public one is not to see them.
        ("https", "gitlab.com", {"CI_SERVER_HOST": "git.corp"}),
        ("https", "github.com", {"GITHUB_SERVER_URL": "https://git.corp", "GH_TOKEN": ""}),
        ("https", "", {"GH_ENTERPRISE_TOKEN": "e"}),
        # Letters whose capital, or whose small letter, is another's: other hosts.
        ("https", "g\u0131t.corp", {"PROJRUN_GIT_TOKEN_GIT_CORP": "own"}),
        ("https", "\u017fite.corp", {"PROJRUN_GIT_TOKEN_SITE_CORP": "own"}),
        ("https", "b\u00fccher.org", {"PROJRUN_GIT_TOKEN_B_CHER_ORG": "own"}),
        ("https", "bitbuc\u212aet.org", {}),
    ],
)
def test_a_token_is_for_its_host_alone(scheme: str, host: str, environ: dict[str, str]) -> None:
    assert find_token(scheme, host, {**ALL, **environ}) is None


@pytest.mark.parametrize(("host", "sent"), [("127.0.0.1:80", True), ("127.0.0.1.evil.org", False)])
def test_plain_http_is_for_this_machine_alone(host: str, sent: bool) -> None:
    assert (find_token("http", host, {token_variable(host): "t"}) is not None) is sent
