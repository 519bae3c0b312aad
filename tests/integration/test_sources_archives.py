"""Archives by the command line: local, and from a web server that is stopped then."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources.git_servers import file_server, serving
from tests.support.commands import run_projrun
from tests.support.projects import write_project
from tests.support.source_bench import Person
from tests.support.wire import Wire

pytestmark = pytest.mark.integration

SAYS = "entry_points: {main: {command: 'cat which.txt'}}\n"
KINDS = {"wine.zip": "zip", "wine.tar": "tar", "wine.tar.gz": "gztar", "wine.tar.xz": "xztar"}


@pytest.fixture(params=KINDS)
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An archive with a single folder at its top, which holds a project, and one in a folder of it."""
    top = tmp_path / "packed" / "wine-1.0"
    write_project(top, SAYS, which_txt="the top\n")
    write_project(top / "examples" / "v1.2", SAYS, which_txt="the example\n")
    file = tmp_path / "served" / str(request.param)
    packed = shutil.make_archive(str(tmp_path / "packed" / "archive"), KINDS[file.name], top.parent, top.name)
    file.parent.mkdir()
    Path(packed).rename(file)
    # One that has just changed may change again without another date: it is fetched again.
    os.utime(file, (time.time() - 3600,) * 2)
    return file


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Wire]:
    """The way to a web server that has what lies in `served`; it takes no connections yet."""
    (tmp_path / "served").mkdir(exist_ok=True)
    server = file_server(tmp_path / "served")
    with serving(server):
        yield Wire(int(server.server_address[1]))


def test_a_local_archive(archive: Path, person: Person) -> None:
    assert "the top\n" in person.run(archive).check().stdout
    done = person.run(f"{archive}#examples/v1.2", "--json").check()
    assert "the example\n" in done.stderr
    show = run_projrun("runs", "show", json.loads(done.stdout)["run_id"], "--json", environ=person.environ)
    assert json.loads(show.check().stdout)["tags"]["mlflow.source.name"] == f"{archive}#examples/v1.2"
    assert len(person.complete_checkouts()) == 1


def test_an_archive_of_a_web_server(archive: Path, web: Wire, person: Person) -> None:
    url = f"http://{web.address}/{archive.name}"
    content = f"sha256:{hashlib.sha256(archive.read_bytes()).hexdigest()}"
    with serving(web):
        assert "the example\n" in person.run(f"{url}#examples/v1.2").check().stdout
        fetched, connections = web.downloaded, web.connections
        assert "the top\n" in person.run(url, "--version", content).check().stdout
        assert web.connections == connections, "its content is cached"
        assert "the top\n" in person.run(url).check().stdout
        assert web.downloaded - fetched < 1000, "it has not changed"
        other = person.run(url, "--version", f"sha256:{'0' * 64}")
        assert other.returncode == 3
        assert "0000" in other.stderr
    assert person.run(url).returncode == 3
    offline = person.run(url, "--offline").check()
    assert "the top\n" in offline.stdout
    assert "offline" in offline.stderr
