from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.project import parsed
from projrun.project.check import check_project
from projrun.project.loader import load_project
from projrun.project.model import Project
from tests.support.commands import run_projrun

TEXT = """\
name: kept
python_env: env.yaml
entry_points:
  main:
    parameters:
      alpha: {type: float, default: 0.10, min: 0, max: 1, description: how much}
      word: string
    command: echo {alpha} {word}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "MLproject").write_text(TEXT)
    (folder / "env.yaml").write_text("python: '3.12'\n")
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def entries(cache: Path) -> list[Path]:
    return sorted(parsed.folder(cache).iterdir())


def reads_yaml(monkeypatch: pytest.MonkeyPatch, folder: Path, cache: Path) -> tuple[bool, Project]:
    """Whether the YAML parser was needed to load a project."""
    from projrun.project import loader

    used: list[Path] = []
    read = loader.read_now

    def counted(file: Path, within: Path | None) -> Project:
        used.append(file)
        return read(file, within)

    with monkeypatch.context() as patch:
        patch.setattr(loader, "read_now", counted)
        found = load_project(folder, cache)
    return bool(used), found


def test_the_second_time_is_the_same_without_yaml(
    project: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = reads_yaml(monkeypatch, project, cache)
    second = reads_yaml(monkeypatch, project, cache)
    assert (first[0], second[0]) == (True, False)
    assert second[1] == first[1] == load_project(project)


@pytest.mark.parametrize(
    "text",
    [
        "docker_env: {image: i, environment: [[PASSWORD, hush]]}\nentry_points: {main: {command: 'true'}}\n",
        "entry_points: {main: {parameters: {key: {type: string, secret: true, default: hush}}, command: 'true'}}\n",
    ],
)
def test_a_file_with_secrets_is_not_copied(project: Path, cache: Path, text: str) -> None:
    (project / "MLproject").write_text(text)
    load_project(project, cache)
    assert not parsed.folder(cache).exists()
    (project / "MLproject").write_text(
        text.replace("[[PASSWORD, hush]]", "[PASSWORD]").replace(", default: hush", "")
    )
    load_project(project, cache)
    assert len(entries(cache)) == 1


def test_an_entry_is_private(project: Path, cache: Path) -> None:
    load_project(project, cache)
    (entry,) = entries(cache)
    assert entry.stat().st_mode & 0o777 == 0o600
    assert entry.parent.stat().st_mode & 0o777 == 0o700


def test_a_copy_of_the_project_shares_the_entry(
    project: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    load_project(project, cache)
    copy = Path(shutil.copytree(project, project.with_name("copy")))
    used, found = reads_yaml(monkeypatch, copy, cache)
    assert not used
    assert found.directory == copy
    assert found == load_project(copy)


@pytest.mark.parametrize("old, new", [("0.10", "0.20"), ("echo", "true"), ("name: kept", "name: other")])
def test_an_edit_of_the_mlproject_is_noticed(project: Path, cache: Path, old: str, new: str) -> None:
    load_project(project, cache)
    (project / "MLproject").write_text(TEXT.replace(old, new))
    assert load_project(project, cache) == load_project(project)


def test_an_environment_file_that_goes_or_leaves_is_reported_as_before(project: Path, cache: Path) -> None:
    load_project(project, cache)
    (project / "env.yaml").unlink()
    with pytest.raises(RequestError, match=r"MLproject:2:13: python_env: 'env.yaml' does not exist"):
        load_project(project, cache)
    (project / "env.yaml").symlink_to("/etc/hostname")
    with pytest.raises(RequestError, match="leaves the fetched project"):
        load_project(project, cache, within=project)
    assert load_project(project, cache) == load_project(project)


def test_default_environment_files_are_looked_at_in_every_run(project: Path, cache: Path) -> None:
    (project / "MLproject").write_text(TEXT.replace("python_env: env.yaml\n", ""))
    assert load_project(project, cache).environment.kind == "none"
    for name, kind in (("requirements.txt", "requirements"), ("conda.yaml", "conda_env")):
        (project / name).write_text("")
        assert load_project(project, cache).environment.kind == kind
    (project / "conda.yaml").unlink()
    assert load_project(project, cache) == load_project(project)


def test_a_file_of_another_packages_environment_that_appears_is_noticed(project: Path, cache: Path) -> None:
    for key in ("pixi_env", '"pixi\\x5fenv"'):
        (project / "MLproject").write_text(TEXT.replace("python_env", key).replace("env.yaml", "pixi.toml"))
        assert load_project(project, cache).environment.kind == "none"
        (project / "pixi.toml").write_text("")
        assert load_project(project, cache).environment.kind == "pixi_env"
        (project / "pixi.toml").unlink()
        assert load_project(project, cache).environment.kind == "none"


@pytest.mark.processes
def test_the_content_of_environment_files_is_read_in_every_run(project: Path) -> None:
    def python() -> str:
        done = run_projrun("plan", project, "--json", "-P", "word=x", "--env-manager=virtualenv")
        return done.stdout + done.stderr

    assert "3.9.99" not in python()
    (project / "env.yaml").write_text("python: '3.9.99'\n")
    assert "3.9.99" in python()


def _rewritten(change: Callable[[list[object]], object]) -> Callable[[Path], object]:
    return lambda entry: entry.write_text(json.dumps(change(json.loads(entry.read_text()))))


def _linked(entry: Path) -> None:
    entry.rename(entry.with_name("elsewhere"))
    entry.symlink_to("elsewhere")


DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": lambda entry: entry.write_text(""),
    "cut": lambda entry: entry.write_text(entry.read_text()[:-5]),
    "not UTF-8": lambda entry: entry.write_bytes(b"\xff\xfe"),
    "deep": lambda entry: entry.write_text("[" * 100_000),
    "an object": lambda entry: entry.write_text("{}"),
    "a number": lambda entry: entry.write_text("7"),
    "another key": _rewritten(lambda value: ["0" * 64, value[1]]),
    "wrong types": _rewritten(lambda value: [value[0], [1, 2, 3, 4, 5]]),
    "another file": lambda entry: entry.write_text(entry.read_text().replace('"MLproject",[', '"../x",[')),
    "environment elsewhere": lambda entry: entry.write_text(
        entry.read_text().replace('"env.yaml"', '"/env.yaml"')
    ),
    "group may write": lambda entry: entry.chmod(0o660),
    "all may write": lambda entry: entry.chmod(0o602),
    "folder of others": lambda entry: entry.parent.chmod(0o777),
    "a link": _linked,
    "too large": lambda entry: os.truncate(entry, 1 << 30),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_or_foreign_entry_is_ignored(
    project: Path, cache: Path, damage: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = load_project(project, cache)
    damage(entries(cache)[0])
    used, found = reads_yaml(monkeypatch, project, cache)
    assert used
    assert found == before


def test_a_folder_or_a_pipe_in_its_place_is_ignored(project: Path, cache: Path) -> None:
    before = load_project(project, cache)
    (entry,) = entries(cache)
    entry.unlink()
    os.mkfifo(entry)
    assert load_project(project, cache) == before
    entry.unlink()
    entry.mkdir()
    assert load_project(project, cache) == before
    assert entries(cache) == [entry]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_an_entry_of_another_user_is_ignored(
    project: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_project(project, cache)
    os.chown(entries(cache)[0], 4321, 4321)
    assert reads_yaml(monkeypatch, project, cache)[0]


def test_a_cache_that_cannot_be_written_stops_nothing(project: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert load_project(project, tmp_path / "file" / "cache") == load_project(project)


def test_other_versions_have_other_entries(
    project: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_project(project, cache)
    monkeypatch.setattr(parsed, "__version__", "0.0.0")
    load_project(project, cache)
    monkeypatch.setattr(parsed, "_parser", lambda: b"another PyYAML")
    load_project(project, cache)
    assert len(entries(cache)) == 3


def test_a_mistake_is_never_kept(project: Path, cache: Path) -> None:
    (project / "MLproject").write_text("entry_points: [")
    with pytest.raises(RequestError):
        load_project(project, cache)
    assert not parsed.folder(cache).exists()


def test_the_oldest_entries_make_room(project: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsed, "MOST_ENTRIES", 2)
    for number in range(4):
        (project / "MLproject").write_text(TEXT.replace("kept", f"kept{number}"))
        load_project(project, cache)
        for age, entry in enumerate(sorted(entries(cache), key=lambda path: -path.stat().st_mtime)):
            os.utime(entry, (1_000_000 - age, 1_000_000 - age))
    assert len(entries(cache)) == 2
    used, _ = reads_yaml(monkeypatch, project, cache)
    assert not used


def test_prune_removes_old_entries_and_leftovers(project: Path, cache: Path) -> None:
    load_project(project, cache)
    (entry,) = entries(cache)
    (entry.parent / "0123.abcdef").write_text("half")
    parsed.remove_unused(cache, 0.0)
    assert entries(cache) == [entry]
    parsed.remove_unused(cache, entry.stat().st_mtime + 1)
    assert entries(cache) == []


def test_check_keeps_nothing(project: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    check_project(project)
    assert sorted(tmp_path.rglob("*")) == before
