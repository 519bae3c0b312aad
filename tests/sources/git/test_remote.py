from __future__ import annotations

import os
from pathlib import Path

import pytest

from projrun.errors import SourceError
from projrun.settings import Setting
from projrun.sources.git.access import access_to
from projrun.sources.git.fetch import fetch_repository
from projrun.sources.git.remote import Remote
from projrun.sources.options import FetchOptions
from projrun.sources.policy import TrustPolicy
from tests.sources.git_servers import GitServer, Repository, git, serving


@pytest.fixture
def options(tmp_path: Path, environ: dict[str, str]) -> FetchOptions:
    """Fetching into a cache of the test's own."""
    return FetchOptions(tmp_path / "cache", environ, tmp_path, own_copy=False)


def policy(*, hosts: str | None = None, protocols: str | None = None) -> TrustPolicy:
    return TrustPolicy(
        [] if hosts is None else [Setting(hosts, "config.toml")],
        [] if protocols is None else [Setting(protocols, "config.toml")],
    )


@pytest.mark.parametrize(
    "location",
    [
        "https://host.invalid/o/r.git",
        "https://me:secret@host.invalid:8443/o/r.git",
        "http://token@host.invalid/o/r@x.git?a=b",
        "https://host.invalid/@o/r.git",
        "https://host.invalid?@other.invalid/r.git",
        "https://me:secret@host.invalid#@other.invalid/r.git",
        "ssh://git@host.invalid:22/o/r.git",
        "git@host.invalid:o/r.git",
        "host.invalid:o/r.git",
        "git://host.invalid/o/r.git",
        "file:///folder/of%20mine/r.git",
    ],
)
def test_the_address_without_credentials_is_what_git_gets(location: str, options: FetchOptions) -> None:
    remote = Remote(location, options)
    assert remote.url == access_to(location, options.environ).url
    assert "secret" not in remote.url
    assert "token" not in remote.url


def test_a_scheme_in_capitals_hides_no_credentials(options: FetchOptions) -> None:
    assert Remote("HTTPS://me:secret@host.invalid/r.git", options).url == "https://host.invalid/r.git"


def test_each_repository_has_a_folder_whatever_the_credentials(options: FetchOptions) -> None:
    folders = {
        Remote(f"https://{user}host.invalid/{path}", options).folder
        for user in ("", "me@", "me:secret@")
        for path in ("one.git", "two.git", "one.git?a=b", "one.git?a=c")
    }
    assert len(folders) == 4


@pytest.mark.parametrize(
    ("location", "rules", "refused"),
    [
        ("{url}", {"hosts": "example.org"}, "allowed-hosts"),
        ("{url}", {"protocols": "https, ssh"}, "allowed-protocols"),
        ("{file}", {"protocols": "https"}, "allowed-protocols"),
    ],
)
def test_a_place_that_is_refused_is_not_contacted_and_what_is_cached_not_used(
    server: GitServer, options: FetchOptions, location: str, rules: dict[str, str], refused: str
) -> None:
    bare = server.root / "repository.git"
    place = location.format(url=server.url("repository.git"), file=bare.as_uri())
    commit = fetch_repository(place, None, options).commit
    server.requests.clear()
    for version in (None, commit):
        with pytest.raises(SourceError, match=f"config.toml sets {refused}"):
            fetch_repository(place, version, options._replace(policy=policy(**rules)))
    assert server.requests == []


@pytest.mark.parametrize("mark", ["?", "#", "?a=b:c"])
def test_no_mark_behind_an_allowed_host_leads_to_another(
    server: GitServer, options: FetchOptions, mark: str
) -> None:
    """Such as in the address of a submodule, which is its author's to choose."""
    allowed = options._replace(policy=policy(hosts="localhost:1"))
    with pytest.raises(SourceError, match="could not fetch"):
        fetch_repository(f"http://localhost:1{mark}@{server.address}/repository.git", None, allowed)
    assert server.requests == []


def test_no_redirect_is_followed_where_hosts_are_listed(
    server: GitServer, options: FetchOptions, environ: dict[str, str]
) -> None:
    elsewhere = GitServer(server.root, environ)
    server.redirect = f"http://{elsewhere.address}"
    with serving(elsewhere):
        with pytest.raises(SourceError) as raised:
            fetch_repository(
                server.url("repository.git"), None, options._replace(policy=policy(hosts="127.0.0.1"))
            )
        assert "use the address that it redirects to" in raised.value.hint
        assert elsewhere.requests == []
        assert fetch_repository(server.url("repository.git"), None, options).branch == "main"


@pytest.mark.parametrize("protocols", ["https", None])
def test_no_setting_of_git_leads_to_a_protocol_that_is_refused(
    server: GitServer, repository: Repository, options: FetchOptions, protocols: str | None
) -> None:
    """From https to http, which anybody on the way may change, not even where no policy says so."""
    Path(options.environ["HOME"], ".gitconfig").write_text(
        f'[url "http://{server.address}/"]\n\tinsteadOf = https://host.invalid/\n'
        f'[url "{server.root.as_uri()}/"]\n\tinsteadOf = https://here.invalid/\n'
    )
    restricted = options._replace(policy=policy(protocols=protocols))
    with pytest.raises(SourceError, match="'http' not allowed"):
        fetch_repository("https://host.invalid/repository.git", None, restricted)
    assert server.requests == []
    if protocols is None:
        assert fetch_repository("https://here.invalid/repository.git", None, restricted).commit
    else:
        with pytest.raises(SourceError, match="'file' not allowed"):
            fetch_repository("https://here.invalid/repository.git", None, restricted)


def test_the_callers_repository_has_no_say(
    server: GitServer, repository: Repository, options: FetchOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its configuration could lead elsewhere."""
    git(repository.path, "config", "url.http://127.0.0.1:1/.insteadOf", "http://", environ=repository.environ)
    monkeypatch.chdir(repository.path)
    assert fetch_repository(server.url("repository.git"), None, options).commit == repository.third


def test_a_repository_of_somebody_else(repository: Repository, options: FetchOptions) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    for path in (repository.path, repository.path / ".git"):
        os.chown(path, 12345, -1)
    with pytest.raises(SourceError, match="dubious ownership") as raised:
        fetch_repository(repository.path.as_uri(), "main", options)
    assert "safe.directory" in raised.value.hint


def test_what_it_does_is_told(server: GitServer, options: FetchOptions) -> None:
    from contextlib import nullcontext

    told: list[str] = []

    def activity(text: str) -> nullcontext[None]:
        told.append(text)
        return nullcontext()

    url = f"http://me:secret@{server.address}/repository.git"
    fetch_repository(url, None, options._replace(activity=activity))
    shown = server.url("repository.git")
    # Where the branch is, what it holds, and whether there is more of that elsewhere.
    assert told == [f"fetching {shown}", f"fetching {shown}", f"fetching the large files of {shown}"]
    fetch_repository(url, None, options._replace(activity=activity))
    assert len(told) == 4
