"""A JobSpec survives as JSON, and nothing that is masked can be read in it."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projrun.execution.protocol import JobSpec, Limits
from projrun.execution.serialization import read_spec, write_spec

# What a person or the system can hand over: any text without NUL, undecodable bytes included.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=())).map(
    lambda text: os.fsdecode(os.fsencode(text)) if _encodable(text) else "?"
)
lists = st.lists(texts, max_size=3).map(tuple)
tables = st.dictionaries(texts, texts, max_size=3)
paths = texts.map(lambda text: Path("/", text))
# Recognisable, so that finding one in the text is no accident.
secrets = st.lists(st.integers(10**12, 10**13).map(lambda number: f"hush{number}"), min_size=1, max_size=3)


def _encodable(text: str) -> bool:
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


specs = st.builds(
    JobSpec,
    command=texts,
    argv_prefix=lists,
    directory=paths,
    environ=tables,
    log_file=paths,
    grace_period=st.floats(0, 1e9),
    secrets=lists,
    argv=lists,
    end_argv=lists,
    end_environ=tables,
    end_function=texts,
    end_details=tables,
    forward_stdout_to_stderr=st.booleans(),
    kept_open=st.just(()),
    limits=st.builds(Limits, st.floats(0, 1e9), st.integers(0, 2**62), st.floats(0, 1e3)),
)


@given(specs)
def test_it_is_the_same_afterwards(spec: JobSpec) -> None:
    with tempfile.TemporaryDirectory() as folder:
        text = write_spec(spec, Path(folder, "private"))
        assert read_spec(text) == spec
        assert read_spec(json.dumps(json.loads(text), ensure_ascii=False)) == spec


@given(specs, secrets, st.data())
def test_no_masked_text_is_in_it(spec: JobSpec, masked: list[str], data: st.DataObject) -> None:
    """Wherever it stands: also where a person wrote it into the command."""
    secret = data.draw(st.sampled_from(masked))
    around = data.draw(texts)
    places: dict[str, Any] = {
        "command": f"{around}{secret}{around}",
        "argv": (around, f"--token={secret}"),
        "environ": {"TOKEN": secret, **spec.environ},
        "end_details": {around: f"{secret}{around}"},
        "directory": Path("/", secret),
    }
    chosen = data.draw(st.sets(st.sampled_from(sorted(places)), min_size=1))
    spec = spec._replace(secrets=tuple(masked), **{name: places[name] for name in chosen})
    with tempfile.TemporaryDirectory() as folder:
        text = write_spec(spec, Path(folder, "private"))
        assert not [one for one in masked if one in text]
        assert read_spec(text) == spec


def spec_in(folder: Path, **changes: Any) -> JobSpec:
    return JobSpec("true", (), folder, {"PASSWORD": "unmasked"}, folder / "log", 5.0)._replace(**changes)


def test_no_value_of_a_variable_is_in_it(tmp_path: Path) -> None:
    spec = spec_in(tmp_path, end_environ={"TOKEN": "unmasked"})
    assert "unmasked" not in write_spec(spec, tmp_path / "private")


def test_the_private_file_is_its_owners_alone(tmp_path: Path) -> None:
    private = tmp_path / "private"
    umask = os.umask(0)
    try:
        text = write_spec(spec_in(tmp_path), private)
    finally:
        os.umask(umask)
    assert private.stat().st_mode & 0o777 == 0o600
    private.chmod(0o640)
    with pytest.raises(ValueError, match="may be read or written by others"):
        read_spec(text)


def test_a_pipe_in_the_place_of_the_private_file_is_refused_at_once(tmp_path: Path) -> None:
    private = tmp_path / "private"
    text = write_spec(spec_in(tmp_path), private)
    private.unlink()
    os.mkfifo(private, 0o600)
    with pytest.raises(ValueError, match="not a regular file"):
        read_spec(text)


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        write_spec(spec_in(tmp_path), private)
    assert not (tmp_path / "elsewhere").exists()


def test_a_private_file_that_is_gone(tmp_path: Path) -> None:
    text = write_spec(spec_in(tmp_path), tmp_path / "private")
    (tmp_path / "private").unlink()
    with pytest.raises(FileNotFoundError):
        read_spec(text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "version 1"),
        ({"private": None}, "private file"),
        ({"private": 7}, "private file"),
        ({"added": 1}, "added is missing or unknown"),
        ({"command": 7}, "command has the wrong type"),
        ({"argv": "true"}, "argv has the wrong type"),
        ({"argv": ["true", 1]}, "argv has the wrong type"),
        ({"end_details": {"a": 1}}, "end_details has the wrong type"),
        ({"directory": None}, "directory has the wrong type"),
        ({"grace_period": True}, "grace_period has the wrong type"),
        ({"forward_stdout_to_stderr": 1}, "forward_stdout_to_stderr has the wrong type"),
    ],
)
def test_what_is_no_specification_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    document = json.loads(write_spec(spec_in(tmp_path), tmp_path / "private"))
    with pytest.raises(ValueError, match=message):
        read_spec(json.dumps({**document, **change}))


@pytest.mark.parametrize("text", ["", "7", "[]", "{"])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_spec(text)
