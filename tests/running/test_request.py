"""A request: its JSON, its secrets, and what is refused of what another process hands over."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projrun.credentials import redact_uri
from projrun.errors import RequestError
from projrun.project.binding import GivenValue
from projrun.running.handover import discard_request, hand_over, take_over
from projrun.running.keywords import registry_login_from
from projrun.running.request import RunRequest, SecretRef, context_of
from projrun.running.request_json import from_json, to_json
from projrun.running.request_secrets import read_text, sealed, secrets_of, unsealed
from projrun.settings.options import OPTIONS

SECRET = "s3cret-of-ada"

# What arguments and variables can hold: bytes that are not UTF-8 are the second half of surrogates alone.
characters = st.one_of(
    st.characters(exclude_categories=["Cs"]), st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF)
)
texts = st.text(characters, max_size=12)
paths = st.text(st.sampled_from("ab/ \n\udcff\u00e9"), max_size=8).map(lambda text: Path(f"/{text}"))
uris = st.one_of(
    texts,
    st.builds("https://{}:{}@host/{}?sig={}#{}".format, texts, texts, texts, texts, texts),
    st.builds("https://host/{}".format, texts),
)
parameters = st.builds(
    GivenValue,
    texts,
    st.sampled_from(["command line", "parameters file", "api", "record"]),
    st.none() | paths,
    st.none() | texts,
    st.booleans(),
    st.booleans(),
)


def values_of(name: str) -> st.SearchStrategy[Any]:
    kind = OPTIONS[name].kind
    if kind == "flag":
        return st.just("1")
    return st.lists(texts, min_size=1, max_size=3).map(tuple) if kind == "repeated" else uris


names = [name for name, option in OPTIONS.items() if option.requested]
options = st.lists(st.sampled_from(names), max_size=4).flatmap(
    lambda chosen: st.fixed_dictionaries({name: values_of(name) for name in chosen})
)
settings = st.dictionaries(
    st.sampled_from([name for name, option in OPTIONS.items() if option.setting and option.commands]),
    texts,
    max_size=2,
)
requests = st.tuples(
    uris,
    paths,
    texts,
    st.none() | texts,
    st.dictionaries(texts, parameters, max_size=3),
    options,
    st.dictionaries(texts, texts, max_size=2),
    st.dictionaries(texts, texts, max_size=2),
    st.none() | paths,
    settings,
    texts,
).map(lambda fields: RunRequest(*fields))


@given(requests)
def test_a_request_comes_back_as_it_was(request: RunRequest) -> None:
    with TemporaryDirectory() as folder:
        file = hand_over(request, Path(folder), "one")
        assert take_over(file, {}) == request
        assert list(Path(folder).iterdir()) == []


@given(requests)
def test_json_comes_back_as_it_was(request: RunRequest) -> None:
    with TemporaryDirectory() as folder:
        without = sealed(request, Path(folder, "secrets"))
        text = to_json(without)
        assert text.isascii()
        assert from_json(text) == without
        assert secrets_of(without) == {}


def full_request(folder: Path) -> RunRequest:
    """A request with a secret in every place that can hold one."""
    return RunRequest(
        f"https://ada:{SECRET}@host/repo.git#train",
        folder,
        parameters={"key": GivenValue(SECRET, "api"), "empty": GivenValue("", "api")},
        options={
            "tracking-uri": f"https://ada:{SECRET}@tracking",
            "backend-config": json.dumps({"token": SECRET}),
            "docker-args": (f"env=KEY={SECRET}", "t"),
            "env-manager": "local",
            "rebuild-env": "1",
        },
        registry_login={"username": "ada", "password": SECRET},
    )


def test_no_secret_is_in_the_json(tmp_path: Path) -> None:
    request = full_request(tmp_path)
    file = hand_over(request, tmp_path, "run")
    shown = file.read_text()
    assert SECRET not in shown
    assert "host/repo.git" in shown
    secrets = tmp_path / "run.secrets.json"
    assert SECRET in secrets.read_text()
    assert {file.stat().st_mode & 0o777, secrets.stat().st_mode & 0o777} == {0o600}
    assert take_over(file, {}) == request


def test_a_registry_login_is_never_shown(tmp_path: Path) -> None:
    login = registry_login_from({"username": "ada", "password": SECRET})
    given = RunRequest("project", tmp_path, registry_login=login)
    assert SECRET not in repr(given)
    taken = take_over(hand_over(given, tmp_path, "run"), {})
    assert taken == given
    assert SECRET not in repr(taken)


def test_a_request_that_holds_a_secret_is_never_written(tmp_path: Path) -> None:
    request = full_request(tmp_path)
    with pytest.raises(ValueError, match=r"docker-args.*parameters/key.*uri") as raised:
        to_json(request)
    assert SECRET not in str(raised.value)


def test_a_failed_handover_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(request: RunRequest) -> str:
        raise OSError("no space left")

    monkeypatch.setattr("projrun.running.handover.to_json", fail)
    with pytest.raises(OSError, match="no space"):
        hand_over(full_request(tmp_path), tmp_path, "run")
    assert list(tmp_path.iterdir()) == []


def test_secrets_in_variables(tmp_path: Path) -> None:
    request = RunRequest(
        "https://host/repo.git",
        tmp_path,
        parameters={"key": GivenValue("", "api")},
        secrets={
            "uri": SecretRef(variable="URI"),
            "parameters/key": SecretRef(variable="KEY"),
            "options/docker-args": SecretRef(variable="ARGS"),
            "registry-login": SecretRef(variable="LOGIN"),
        },
    )
    environ = {"URI": "https://a:b@host/r", "KEY": SECRET, "ARGS": '["t"]', "LOGIN": '{"username": "ada"}'}
    found = unsealed(from_json(to_json(request)), environ)
    assert (found.uri, found.parameters["key"].text) == ("https://a:b@host/r", SECRET)
    assert (found.options, found.registry_login) == ({"docker-args": ("t",)}, {"username": "ada"})
    for name in environ:
        with pytest.raises(RequestError, match=rf"\${name} does not hold"):
            unsealed(request, {key: value for key, value in environ.items() if key != name})
    for name in ("ARGS", "LOGIN"):
        for text in ("[", "1", '{"a": 1}', "[1]"):
            with pytest.raises(RequestError, match=rf"\${name} does not hold"):
                unsealed(request, {**environ, name: text})


def document(folder: Path) -> dict[str, Any]:
    request = RunRequest("uri", folder, parameters={"a": GivenValue("", "api")}, options={"strict": "1"})
    found: dict[str, Any] = json.loads(to_json(sealed(request, folder / "secrets")))
    return found


def test_the_document_is_accepted(tmp_path: Path) -> None:
    assert from_json(json.dumps(document(tmp_path))).uri == "uri"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda it: it.update(format=2), "has format 2, and this version of projrun reads 1"),
        (lambda it: it.update(format=True), "no format number"),
        (lambda it: it.pop("format"), "no format number"),
        (lambda it: it.update(later=1), "unknown key 'later'"),
        (lambda it: it.pop("tags"), "no 'tags'"),
        (lambda it: it.update(uri=1), "'uri' is not a string"),
        (lambda it: it.update(uri="https://a:b@host/r"), "a secret is in plain text"),
        (lambda it: it.update(caller_directory="relative"), "not an absolute path"),
        (lambda it: it.update(caller_directory="/a\0"), "not an absolute path"),
        (lambda it: it.update(tags={"a": 1}), "'a' is not a string"),
        (lambda it: it.update(tags=[]), "'tags' is not an object"),
        (lambda it: it.update(patch=3), "'patch' is not a string"),
        (lambda it: it["options"].update(new="1"), "unknown option 'new'"),
        (lambda it: it["options"].update({"x" * 999: "1"}), "unknown option 'xxx"),
        (
            lambda it: it["options"].update({"allowed-hosts": "evil.example"}),
            "unknown option 'allowed-hosts'",
        ),
        (lambda it: it["options"].update({"strict": "yes"}), "--strict has a value of the wrong type"),
        (lambda it: it["options"].update({"backend": 1}), "--backend has a value of the wrong type"),
        (lambda it: it["options"].update({"docker-args": ["t"]}), "in plain text"),
        (lambda it: it["options"].update({"backend-config": "{}"}), "a secret is in plain text"),
        (lambda it: it["recorded"].update({"rebuild-env": "1"}), "cannot be recorded"),
        (lambda it: it["parameters"].update(a=1), "parameter 'a' is not an object"),
        (lambda it: it["parameters"]["a"].update(text="x"), "parameter 'a' has an unknown key 'text'"),
        (lambda it: it["parameters"]["a"].update(origin="x"), "an unknown origin"),
        (lambda it: it["parameters"]["a"].update(is_given="x"), "neither true nor false"),
        (lambda it: it["parameters"].update(b=it["parameters"]["a"]), "parameter 'b' has no value"),
        (lambda it: it["secrets"].update({"parameters/c": {"variable": "A"}}), "nothing in it needs"),
        (lambda it: it["secrets"].update({"options/version": {"variable": "A"}}), "unknown option 'version'"),
        (
            lambda it: it["secrets"].update(uri={"variable": "A", "file": "/a"}),
            "neither a variable nor a file",
        ),
        (lambda it: it["secrets"].update(uri={"file": "a"}), "not an absolute path"),
        (lambda it: it["secrets"].update(uri={"variable": 1}), "not a string"),
    ],
)
def test_what_no_projrun_wrote_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    changed = document(tmp_path)
    change(changed)
    with pytest.raises(RequestError) as raised:
        from_json(json.dumps(changed))
    assert message in raised.value.message
    assert len(raised.value.message) < 200


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "null", "[" * 100_000, "1" * 5000, '{"format": 1e999}'])
def test_what_is_no_request_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="the request is damaged"):
        from_json(text)


@given(st.text(max_size=40) | st.recursive(st.none() | st.booleans() | texts, st.lists).map(json.dumps))
def test_any_text_is_a_request_or_an_error(text: str) -> None:
    with pytest.raises(RequestError):
        from_json(text)


@given(
    st.sampled_from(sorted({"format", *RunRequest._fields})),
    st.recursive(
        st.none() | st.booleans() | st.integers() | texts,
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
        max_leaves=4,
    ),
)
def test_any_value_of_a_key_is_read_or_an_error(key: str, value: object) -> None:
    changed = {**document_without_secrets(), key: value}
    try:
        assert isinstance(from_json(json.dumps(changed)), RunRequest)
    except RequestError as error:
        assert error.hint


def document_without_secrets() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(to_json(RunRequest("uri", Path("/"))))
    return found


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_may_access_is_refused(tmp_path: Path, mode: int) -> None:
    file = hand_over(full_request(tmp_path), tmp_path, "run")
    for one in (file, tmp_path / "run.secrets.json"):
        one.chmod(mode)
        with pytest.raises(RequestError, match=f"others may access it .mode {mode:04o}"):
            take_over(file, {})
        one.chmod(0o600)
    take_over(file, {})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    file = hand_over(full_request(tmp_path), tmp_path, "run")
    os.chown(tmp_path / "run.secrets.json", 12345, 0)
    with pytest.raises(RequestError, match="belongs to uid 12345"):
        take_over(file, {})


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "file").touch(0o600)
    (tmp_path / "link").symlink_to("file")
    assert read_text(tmp_path / "file") == ""
    for name, message in (("pipe", "not a regular file"), ("link", "cannot read"), ("none", "No such file")):
        with pytest.raises(RequestError, match=message):
            read_text(tmp_path / name)
    with pytest.raises(RequestError, match=r"not a regular file|cannot read"):
        read_text(tmp_path)


def test_damaged_secrets_are_refused(tmp_path: Path) -> None:
    file = hand_over(full_request(tmp_path), tmp_path, "run")
    for text, message in (("[", "not a JSON object"), ("[]", "not a JSON object"), ("{}", "does not hold")):
        (tmp_path / "run.secrets.json").write_text(text)
        with pytest.raises(RequestError, match=message):
            take_over(file, {})
    discard_request(file)
    assert list(tmp_path.iterdir()) == []


def test_only_what_may_be_a_secret_is_one(tmp_path: Path) -> None:
    request = RunRequest("ssh://git@host/repo.git", tmp_path, options={"tracking-uri": "https://host"})
    assert redact_uri(request.uri) == request.uri
    assert secrets_of(request) == {}
    hand_over(request, tmp_path, "run")
    assert [file.name for file in tmp_path.iterdir()] == ["run.request.json"]


def test_the_context_has_the_record_under_the_options(tmp_path: Path) -> None:
    (tmp_path / "vars.env").write_text("PROJRUN_ENV_MANAGER=conda\nPROJRUN_STRICT=1\nNEW=1\nOLD=2\n")
    request = RunRequest(
        "uri",
        tmp_path,
        options={"backend": "mine", "env-file": "vars.env"},
        recorded={"backend": "theirs", "env-manager": "uv"},
        record="the record of run 1",
    )
    context = context_of(request, {"PROJRUN_HOME": str(tmp_path), "OLD": "1"})
    found = {name: context.settings.get(name) for name in ("backend", "env-manager", "strict")}
    assert [one and one.value for one in found.values()] == ["mine", "uv", "1"]
    assert (context.environ["NEW"], context.environ["OLD"]) == ("1", "1")
    assert context.directories.database.is_relative_to(tmp_path)
