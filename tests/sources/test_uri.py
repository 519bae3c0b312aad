from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from projrun.errors import ProjrunError, RequestError, SourceError
from projrun.sources.uri import ProjectUri, parse_project_uri

SECRET = "hunter2-Tok"


def parse(text: str, folder: Path) -> ProjectUri:
    return parse_project_uri(text, folder)


@pytest.mark.parametrize(
    ("text", "place", "subdirectory"),
    [
        (".", "", ""),
        ("project", "project", ""),
        ("./project/", "project", ""),
        ("project#sub", "project", "sub"),
        ("project#./sub//deep/", "project", "sub/deep"),
        ("project#a.b/..c", "project", "a.b/..c"),
        ("project#", "project", ""),
        ("a#b", "a#b", ""),  # what exists as it is written wins
        ("git@host:owner", "git@host:owner", ""),
        ("weird.git", "weird.git", ""),
        ("project.zip", "project.zip", ""),
        ("sp ace", "sp ace", ""),
    ],
)
def test_a_local_folder_that_exists_wins(tmp_path: Path, text: str, place: str, subdirectory: str) -> None:
    for name in ("project", "a", "a#b", "git@host:owner", "weird.git", "project.zip", "sp ace"):
        (tmp_path / name).mkdir()
    uri = parse(text, tmp_path)
    expected = str(tmp_path / place)
    recorded = expected + (f"#{subdirectory}" if subdirectory else "")
    assert uri == ProjectUri("local", expected, subdirectory, recorded)


def test_file_uris_are_local_paths(tmp_path: Path) -> None:
    (tmp_path / "sp ace").mkdir()
    (tmp_path / "per%20cent").mkdir()
    for text in (
        f"file://{tmp_path}/sp%20ace#x",
        f"file://localhost{tmp_path}/sp ace#x",
        f"FILE://{tmp_path}/sp ace#x",
    ):
        assert parse(text, Path("/")) == ProjectUri(
            "local", f"{tmp_path}/sp ace", "x", f"file://{tmp_path}/sp ace#x"
        )
    assert parse(f"file://{tmp_path}/per%20cent", Path("/")).location == f"{tmp_path}/per%20cent"


def test_a_path_with_dots_is_recorded_as_the_real_one(tmp_path: Path) -> None:
    (tmp_path / "far" / "inner").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "far" / "inner")
    assert parse("link/..", tmp_path).recorded == str((tmp_path / "far").resolve())
    assert parse("link", tmp_path).recorded == str(tmp_path / "link")


def test_a_name_that_is_no_utf_8_can_be_recorded(tmp_path: Path) -> None:
    folder = tmp_path / b"caf\xe9".decode(errors="surrogateescape")
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    uri = parse(folder.name, tmp_path)
    assert uri.location == str(folder)
    assert uri.recorded.encode().endswith(rb"caf\udce9")


@pytest.mark.parametrize(
    ("text", "location", "recorded"),
    [
        ("https://github.com/o/r", None, None),
        (
            "https://github.com/o/r.git#sub/v1.2",
            "https://github.com/o/r.git",
            "https://github.com/o/r.git#sub/v1.2",
        ),
        ("HTTPS://user:pw@host/o/r", "https://user:pw@host/o/r", "https://host/o/r"),
        ("https://host:8443/@scope/r", None, None),
        ("http://[::1]:80/r", None, None),
        ("ssh://git@host:2222/o/r", None, None),
        ("ssh://git:pw@host/o/r", "ssh://git:pw@host/o/r", "ssh://git@host/o/r"),
        ("git://host/o/r", None, None),
        ("git@github.com:o/r.git#sub", "git@github.com:o/r.git", "git@github.com:o/r.git#sub"),
        ("host:o/r", None, None),
        ("me@[::1]:o/r", None, None),
    ],
)
def test_git_addresses(tmp_path: Path, text: str, location: str | None, recorded: str | None) -> None:
    uri = parse(text, tmp_path)
    assert (uri.kind, uri.location, uri.recorded) == ("git", location or text, recorded or text)


@pytest.mark.parametrize("name", ["x.zip", "X.ZIP", "x.tar", "x.tar.gz", "x.tgz", "x.tar.bz2", "x.tar.xz"])
def test_archives_of_this_machine(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    place = str(tmp_path / name)
    assert parse(name, tmp_path) == ProjectUri("archive", place, "", place)
    assert parse(f"{name}#sub", tmp_path) == ProjectUri("archive", place, "sub", f"{place}#sub")
    assert parse(f"file://{place}", Path("/")) == ProjectUri("archive", place, "", place)
    (tmp_path / f"a#{name}").touch()
    assert parse(f"a#{name}", tmp_path).location == str(tmp_path / f"a#{name}")


@pytest.mark.parametrize(
    ("text", "location", "recorded"),
    [
        ("https://host/x.zip#sub", "https://host/x.zip", "https://host/x.zip#sub"),
        ("HTTP://u:pw@host:1/a/x.tar.gz", "http://u:pw@host:1/a/x.tar.gz", "http://host:1/a/x.tar.gz"),
        ("https://host/x.zip?sig=pw", "https://host/x.zip?sig=pw", "https://host/x.zip?sig=***"),
        ("https://github.com/o/r/archive/refs/heads/main.zip", None, None),
        ("https://github.com/o/r/releases/download/v1/x.tgz", None, None),
        ("https://gitlab.corp/g/r/-/archive/main/r-main.tar.gz", None, None),
        ("s3://bucket/a/x.zip", None, None),
        ("gs://bucket_1/x.tar.xz", None, None),
        ("abfss://box@account.dfs.core.windows.net/x.zip", None, None),
    ],
)
def test_archives_elsewhere(tmp_path: Path, text: str, location: str | None, recorded: str | None) -> None:
    uri = parse(text, tmp_path)
    assert (uri.kind, uri.location, uri.recorded) == ("archive", location or text, recorded or text)


@pytest.mark.parametrize("text", ["git@host:o/x.zip", "ssh://host/o/x.zip", "https://host/o/x.zip/"])
def test_a_repository_may_be_called_like_an_archive(tmp_path: Path, text: str) -> None:
    assert parse(text, tmp_path).kind == "git"


def test_a_repository_on_github_is_suggested(tmp_path: Path) -> None:
    with pytest.raises(RequestError) as raised:
        parse("owner/repo.py", tmp_path)
    assert raised.value.hint == "for the repository on GitHub, give gh:owner/repo.py"


def test_a_bare_repository_is_fetched_from(tmp_path: Path) -> None:
    bare = tmp_path / "a b.git"
    for part in ("objects", "refs"):
        (bare / part).mkdir(parents=True)
    (bare / "HEAD").write_text("ref: refs/heads/main\n")
    assert parse("a b.git#x", tmp_path) == ProjectUri("git", bare.as_uri(), "x", f"file://{bare}#x")


def test_quotes_around_a_uri_are_removed(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for text in ("'.#sub'", '".#sub"', "\"'.#sub'\"", ".#sub'"):
        assert parse(text, tmp_path) == parse(".#sub", tmp_path)
    assert parse("'https://host/o/r'", tmp_path) == parse("https://host/o/r", tmp_path)
    (tmp_path / "'quoted'").mkdir()
    assert parse("'quoted'", tmp_path).location == str(tmp_path / "'quoted'")


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", RequestError, "has no location"),
        ("#sub", RequestError, "has no location"),
        ("nowhere", RequestError, "there is no folder 'nowhere'"),
        ("owner/repository", RequestError, "there is no folder"),
        ("nowhere.git", RequestError, "there is no folder"),
        ("file:///no/where", RequestError, "there is no folder"),
        ("x" * 5000, RequestError, "there is no folder"),
        ("script.sh", RequestError, "is a file"),
        ("folder#/../etc", RequestError, "leads out"),
        ("''", RequestError, "has no location"),
        ("'#sub'", RequestError, "has no location"),
        ("'--upload-pack=touch x'", SourceError, "starts with '-'"),
        ("folder#../x", RequestError, "leads out"),
        ("folder#a/../../x", RequestError, "leads out"),
        ("folder#..\\x", RequestError, "leads out"),
        ("folder#C:/x", RequestError, "leads out"),
        ("https://host/o/r#../x", RequestError, "leads out"),
        ("--upload-pack=touch x", SourceError, "starts with '-'"),
        ("-x", SourceError, "starts with '-'"),
        ("ext::sh -c touch% x", SourceError, "'ext::' is refused: it runs its own command"),
        ("ext::/bin/sh", SourceError, "'ext::' is refused: it runs its own command"),
        ("fd::17", SourceError, "'fd::' is refused: it runs its own command"),
        ("a+b::https://host/o/r", SourceError, "runs its own command"),
        ("https://host/o\n/r", SourceError, "control characters"),
        ("https://host/\x00r", SourceError, "control characters"),
        ("folder\x1b[31m", SourceError, "control characters"),
        ("ssh://-oProxyCommand=x/r", SourceError, "has no host"),
        ("ssh://-x@host/r", SourceError, "has no host"),
        ("-x@host:r", SourceError, "starts with '-'"),
        ("me@-oProxyCommand=x:r", SourceError, "has no host"),
        ("me@-ox:r", SourceError, "starts with '-'"),
        ("host:-r", SourceError, "starts with '-'"),
        ("https:///r", SourceError, "has no host"),
        ("https://host:port/r", SourceError, "has no host"),
        ("https://host", SourceError, "no repository"),
        ("https:/host/o/r", SourceError, "needs two slashes"),
        ("https:u:secret-word@host/o/r", SourceError, "needs two slashes"),
        ("//u:secret-word@host/o/r", RequestError, "there is no folder '//host/o/r'"),
        ("gopher://host/o/r", SourceError, "'gopher' is not supported"),
        ("file://elsewhere/o/r", SourceError, "is not a folder on this machine"),
        ("file:///a%00b", SourceError, "is not a folder on this machine"),
        (
            "https://evil.host?@host/o/r",
            SourceError,
            "'https://evil.host?***' has a host but no repository",
        ),
        ("ssh://evil.host%2F@host/o/r", SourceError, "has no host"),
        ("a@b@host:r", RequestError, "there is no folder"),
        ("a b:r", SourceError, "has no host"),
        ("git+https://host/o/r@v1", SourceError, "'git+https' is not supported"),
        ("git+ssh://host/o/r", SourceError, "'git+ssh' is not supported"),
        ("s3://bucket/x", SourceError, "is not an archive"),
        ("s3:///x.zip", SourceError, "has no host"),
        ("gopher://host/x.zip", SourceError, "'gopher' is not supported"),
        ("nowhere.zip", RequestError, "there is no archive 'nowhere.zip'"),
        ("file:///no/where.tar.gz", RequestError, "there is no archive"),
        ("gh:owner", RequestError, "is not gh:OWNER/REPOSITORY"),
        ("u:secret-word@host/x", RequestError, "there is no folder 'u@host/x'"),
        ("file://u:secret-word@host/x", SourceError, "'file://host/x' is not a folder"),
    ],
)
def test_refusals(tmp_path: Path, text: str, error: type[ProjrunError], message: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "script.sh").touch()
    with pytest.raises(ProjrunError) as raised:
        parse(text, tmp_path)
    assert type(raised.value) is error
    assert message in raised.value.message
    assert "secret-word" not in raised.value.message
    assert not any(ord(character) < 32 for character in raised.value.message)


@given(st.text(max_size=40))
def test_any_text_is_parsed_or_refused_in_one_line(text: str) -> None:
    try:
        uri = parse_project_uri(text, Path("/nonexistent"))
    except ProjrunError as error:
        assert len(error.message.splitlines()) == 1
    else:
        assert uri.location
        assert not uri.location.startswith("-")


_ODD = st.text("ab:@/?#%.-_[] é⒈\\", max_size=6)


@given(
    scheme=st.sampled_from(["https", "http", "ssh", "git", "s3", "abfss", "HTTPS"]),
    before=_ODD,
    after=_ODD,
    host=st.sampled_from(["host", "github.com", "GITHUB.com:443", "[::1]:80"]),
    path=st.sampled_from(
        ["/o/r", "/o/r.git#sub", "/o/r/tree/main/dir", "/o/x.zip?sig=" + SECRET, "/g/r/-/tree/x"]
    ),
)
def test_what_is_recorded_holds_no_password_and_is_read_again(
    scheme: str, before: str, after: str, host: str, path: str
) -> None:
    assume("@" not in before + after or not set("/?#") & set(before + after))  # then another host is meant
    try:
        uri = parse_project_uri(f"{scheme}://user:{before}{SECRET}{after}@{host}{path}", Path("/nonexistent"))
    except ProjrunError as error:
        assert SECRET not in error.message + error.hint
        return
    assert SECRET not in uri.recorded
    assert SECRET not in uri.web_path
    again = parse_project_uri(uri.recorded, Path("/nonexistent"))
    assert (again.kind, again.recorded, again.subdirectory) == (uri.kind, uri.recorded, uri.subdirectory)


def test_a_script_is_its_folder_and_a_name(tmp_path: Path) -> None:
    (tmp_path / "train.py").touch()
    (tmp_path / "train.sh").touch()
    (tmp_path / "folder.py").mkdir()
    found = parse_project_uri("train.py", tmp_path)
    assert (found.kind, found.location, found.recorded, found.script) == (
        "local",
        str(tmp_path),
        str(tmp_path),
        "train.py",
    )
    assert parse_project_uri(f"file://{tmp_path}/train.py", tmp_path) == found
    assert parse_project_uri("folder.py", tmp_path).script == ""
    for text in ("train.sh", "train.py#sub", "gone.py"):
        with pytest.raises(RequestError):
            parse_project_uri(text, tmp_path)
