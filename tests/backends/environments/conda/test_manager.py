"""Conda environments solved and installed for real by py-rattler, from channels on this machine."""

from __future__ import annotations

import base64
import http.server
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from projrun.environments.protocol import EnvironmentManager, EnvironmentRequest, PreparedEnvironment
from projrun.environments.registry import get_manager
from projrun.errors import EnvironmentBuildError, RequestError
from projrun.testing.commands import run_in
from projrun.testing.environments import prepare
from projrun_backends.environments.conda import worker as conda_worker
from projrun_backends.environments.conda.spec import read_details
from tests.backends.environments.python.packages import (
    make_request,
    make_source_tree,
    make_wheel,
    offline,
    write_files,
)
from tests.support.commands import require_tool, run_command
from tests.support.conda import Package, conda_channel, generic, module, shared_packages, write_channel

pytestmark = pytest.mark.integration  # builds real environments

PASSWORD = "s3cr:t@hush"
METADATA = "Metadata-Version: 2.1\nName: sprocket\nVersion: 1.0\n"


class Lab:
    """A project whose conda.yaml each test writes, a cache of its own, and a folder of wheels."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = folder / "project"
        self.channel = conda_channel().as_uri()
        self.manager: EnvironmentManager = get_manager("conda")
        shared_packages(folder / "cache")
        for version in ("1.0", "2.0"):
            make_wheel(folder / "wheels", "sprocket", version)

    def own_channel(self, name: str, *packages: Package) -> str:
        """The address of another channel. Its packages are kept apart: two of one name would overwrite each other."""
        (self.folder / "cache/conda-packages/pkgs").unlink(missing_ok=True)
        return write_channel(self.folder / name, packages).as_uri()

    def request(
        self, text: str, *, environ: Mapping[str, str] | None = None, temporary: bool = False
    ) -> EnvironmentRequest:
        """For a file; `{channel}` is the channel that holds Python."""
        write_files(self.project, {"conda.yaml": text.replace("{channel}", self.channel)})
        variables = {**offline(self.folder / "wheels"), **(environ or {})}
        cache = self.folder / "cache"
        return make_request(
            self.project,
            "conda_env",
            "conda.yaml",
            environ=variables,
            cache=cache,
            temporary_checkout=temporary,
        )

    def of(self, *dependencies: str, **options: Any) -> EnvironmentRequest:
        """For these dependencies from the channel that holds Python."""
        listed = "".join(f"  - {dependency}\n" for dependency in dependencies)
        return self.request(f"channels: ['{{channel}}']\ndependencies:\n{listed}", **options)

    def build(self, request: EnvironmentRequest) -> PreparedEnvironment:
        """Build it, or find it."""
        return prepare(self.manager, request)

    def output(self, request: EnvironmentRequest, command: str) -> str:
        """What a command prints in it."""
        return run_in(self.build(request), request, command, self.folder).output

    def failure(self, request: EnvironmentRequest) -> EnvironmentBuildError:
        """The error of a build that fails, and leaves nothing."""
        with pytest.raises(EnvironmentBuildError) as raised:
            self.build(request)
        assert raised.value.exit_code == 4
        assert not self.manager.resolve(request).exists
        assert not list(self.folder.glob("cache/*/0*"))
        return raised.value


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def test_the_pip_list_is_installed_by_the_environments_own_pip(lab: Lab) -> None:
    make_source_tree(lab.project / "gear box", "gearbox")
    write_files(
        lab.project, {"reqs/base.txt": "-c limits.txt\nsprocket\n", "reqs/limits.txt": "sprocket<2\n"}
    )
    request = lab.of("crank", "{pip: [-r reqs/base.txt, ./gear box]}")
    resolved = lab.manager.resolve(request)
    assert resolved.summary == "conda (py-rattler), 1 dependency and 2 pip requirements from conda.yaml"
    assert [file.name for file in read_details(request).spec.files] == [
        "conda.yaml",
        "base.txt",
        "limits.txt",
    ]
    script = "import sys, cog, crank, gearbox, sprocket; print(cog.VERSION, sprocket.VERSION, sys.prefix)"
    prepared = lab.build(request)
    prefix = prepared.environ["CONDA_PREFIX"]
    assert lab.output(request, f'python -c "{script}"') == f"1.0 1.0 {prefix}"
    assert prepared.lock is not None
    pip_lines = [line for line in prepared.lock.splitlines() if line.startswith("# pip ")]
    assert pip_lines == ["# pip ./gear box", "# pip sprocket==1.0"]
    (lab.project / "gear box/gearbox.py").write_text("VERSION = 'changed'\n")
    assert lab.output(request, 'python -c "import gearbox; print(gearbox.VERSION)"') == "changed"


def test_the_users_own_packages_are_not_seen(lab: Lab) -> None:
    request = lab.of("python", "{pip: [sprocket==1.0]}", environ={"PIP_REQUIRE_VIRTUALENV": "1"})
    show = "import site; print(site.getusersitepackages())"
    folder = Path(run_command([sys.executable, "-c", show], environ=dict(request.environ)).stdout.strip())
    write_files(
        folder, {"sprocket.py": "VERSION = 'the user's'\n", "sprocket-1.0.dist-info/METADATA": METADATA}
    )
    assert lab.output(request, 'python -c "import sprocket; print(sprocket.VERSION)"') == "1.0"


def test_the_lock_holds_the_pip_list_too(lab: Lab) -> None:
    request = lab.of("cog=1", "{pip: [sprocket==1.0]}")
    lock = lab.build(request).lock
    assert lock is not None
    (lab.folder / "conda.lock").write_text(lock)
    changed = lab.of("cog", "{pip: [sprocket]}")
    locked = changed._replace(lock_file=lab.folder / "conda.lock")
    assert lab.manager.resolve(locked).summary == (
        f"conda (py-rattler), 4 packages locked by {lab.folder / 'conda.lock'}"
    )
    command = 'cog; python -c "import sprocket; print(sprocket.VERSION)"'
    assert lab.output(locked, command) == "cog 1.0\n1.0"
    assert lab.output(changed, command) == "cog 2.0\n2.0"


def test_a_package_that_is_not_the_locked_one_is_refused(lab: Lab) -> None:
    request = lab.of("plain")
    lock = lab.build(request).lock or ""
    digest = lock.partition("#sha256:")[2].strip()
    (lab.folder / "conda.lock").write_text(lock.replace(digest, "0" * 64))
    with pytest.raises(EnvironmentBuildError, match="not the one that was locked") as raised:
        lab.build(request._replace(lock_file=lab.folder / "conda.lock"))
    assert f"plain-1.0-0.tar.bz2 has the digest {digest}, not 000" in raised.value.detail


def test_the_newest_that_fits_is_chosen_and_everything_is_compiled(lab: Lab) -> None:
    request = lab.of("cog", environ={"PYTHONDONTWRITEBYTECODE": "1"})
    prepared = lab.build(request)
    assert lab.output(request, "cog") == "cog 2.0"
    prefix = Path(prepared.environ["CONDA_PREFIX"])
    assert list(prefix.glob("lib/*/site-packages/__pycache__/cog.*.pyc"))


@pytest.mark.parametrize(
    ("dependency", "version"),
    [
        ("cog 1.0", "1.0"),
        ("cog=1", "1.0"),
        ("cog = 1.*", "1.0"),
        ("cog==1.0=0", "1.0"),
        ("cog=1.0=0", "1.0"),
        ("COG>=1,<2", "1.0"),
        ("cog>=1, !=2.0", "1.0"),
        ("cog=1.0|3", "1.0"),
        ("cog[version='<2']", "1.0"),
        ('"cog [build=0]"', "2.0"),
        ("'{channel}::cog=1'", "1.0"),
        ("cog <=1.9.*", "1.0"),
        ("cog  # the newest", "2.0"),
        ("'{channel}/noarch/cog-1.0-0.tar.bz2'", "1.0"),
    ],
)
def test_dependencies_as_people_write_them(lab: Lab, dependency: str, version: str) -> None:
    # Without Python: what is asked for alone is installed.
    lab.channel = lab.own_channel("channel", bare("1.0"), bare("2.0"))
    request = lab.of(dependency)
    (record,) = Path(lab.build(request).environ["CONDA_PREFIX"], "conda-meta").glob("cog-*.json")
    assert record.name == f"cog-{version}-0.json"


def bare(version: str) -> Package:
    return module("cog", version)._replace(depends=(), noarch="generic", entry_points=())


def test_channels_go_in_order_and_priority_is_the_users(lab: Lab) -> None:
    newer = lab.own_channel("newer", bare("3.0"))
    older = lab.own_channel("older", bare("1.0"))
    request = lab.request(f"channels: ['{older}', '{newer}']\ndependencies: [cog]\n")
    assert "cog-1.0-0.tar.bz2" in (lab.build(request).lock or "")
    write_files(Path(request.environ["HOME"]), {".condarc": "channel_priority: disabled\n"})
    assert "cog-3.0-0.tar.bz2" in (lab.build(request).lock or "")


def test_channels_by_name_come_from_the_users_configuration(lab: Lab) -> None:
    lab.own_channel("mirror/forge", bare("1.0"))
    lab.own_channel("mirror/extra", bare("2.0"), generic("plain", {"share/x": "x\n"}))
    alias = (lab.folder / "mirror").as_uri()
    request = lab.request("channels: [forge]\ndependencies: [cog, 'extra::plain']\n")
    write_files(Path(request.environ["HOME"]), {".condarc": f"channel_alias: '{alias}'\n"})
    lock = lab.build(request).lock or ""
    assert f"{alias}/forge/noarch/cog-1.0-0.tar.bz2" in lock
    assert f"{alias}/extra/noarch/plain-1.0-0.tar.bz2" in lock


def test_activation_scripts_variables_and_link_scripts_are_run(lab: Lab) -> None:
    text = "channels: ['{channel}']\ndependencies: [setter, linker]\nvariables: {REPLACED: by the file, N: 010}\n"
    request = lab.request(text, environ={"OUTSIDE": "outside", "VIRTUAL_ENV": "/other", "PYTHONHOME": "/x"})
    prefix = lab.build(request).environ["CONDA_PREFIX"]
    command = 'echo "$FIRST|$SECOND|$FROM_JSON|$REPLACED|$N|$VIRTUAL_ENV$PYTHONHOME|$CONDA_DEFAULT_ENV"'
    assert lab.output(request, command) == (
        f'{prefix}/share|share and outside|a $HOME "b"|by the file|010||{prefix}'
    )
    assert Path(prefix, "share-linked.txt").read_text() == "linked\n"
    assert lab.output(request, "exit() { echo no; }; type -p projrun >/dev/null; echo $0 $#") == "bash 0"


def test_an_environment_need_not_hold_python(lab: Lab) -> None:
    request = lab.of("plain")
    assert (
        lab.output(request, 'cat "$CONDA_PREFIX/share/plain.txt"; ls "$CONDA_PREFIX"').splitlines()[0]
        == "plain"
    )
    assert lab.manager.resolve(request).exists


def test_the_name_and_prefix_of_the_authors_machine_mean_nothing(lab: Lab) -> None:
    plain = lab.manager.resolve(lab.request("dependencies: [plain]\n")).key
    text = "name: base\nprefix: /home/ann/miniconda3\ndependencies: [plain]\n"
    assert lab.manager.resolve(lab.request(text)).key == plain


@pytest.mark.parametrize(
    ("change", "environ"),
    [
        ("dependencies: [plain, cog]\n", {}),
        ("channels: [conda-forge]\ndependencies: [plain]\n", {}),
        ("dependencies: [plain, {pip: [sprocket]}]\n", {}),
        ("dependencies: [plain]\n", {"CONDA_CHANNEL_PRIORITY": "strict"}),
        ("dependencies: [plain]\n", {"CONDA_OVERRIDE_CUDA": "12.4"}),
        ("dependencies: [plain]\n", {"CONDA_CHANNELS": "mine"}),
    ],
)
def test_what_decides_what_is_installed_is_in_the_key(lab: Lab, change: str, environ: dict[str, str]) -> None:
    before = lab.manager.resolve(lab.request("dependencies: [plain]\n")).key
    assert lab.manager.resolve(lab.request(change, environ=environ)).key != before


def test_credentials_are_not_in_the_key(lab: Lab) -> None:
    def key(channel: str) -> str | None:
        return lab.manager.resolve(lab.request(f"channels: ['{channel}']\ndependencies: [plain]\n")).key

    keys = {key(f"https://{one}host/c") for one in ("", "ann:x@", "t/")} | {key("https://host/t/TOKEN/c")}
    assert len(keys) == 2  # `t/` is a folder there


@pytest.mark.parametrize(
    ("dependencies", "message", "detail"),
    [
        (["nosuch"], "cannot satisfy all", "No candidates were found for nosuch"),
        (["cog=7"], "cannot satisfy all", "No candidates were found for cog 7"),
        (["crank", "cog>=2"], "cannot satisfy all", "crank"),
        (["lever"], "cannot satisfy all", "fulcrum"),
        (["python=2.6"], "cannot satisfy all", "python 2.6"),
        (["scipy=>1.5"], "not a valid conda match specification", "'scipy=>1.5'"),
        (["plain[nonsense]"], "not a valid conda match specification", "plain[nonsense]"),
    ],
)
def test_what_cannot_be_solved(lab: Lab, dependencies: list[str], message: str, detail: str) -> None:
    error = lab.failure(lab.of(*dependencies))
    assert error.message.startswith("the environment of conda.yaml could not be built: ")
    assert message in error.message
    assert detail in error.detail
    assert "Traceback" not in error.detail
    assert error.log is not None
    assert str(error.log) in error.hint


@pytest.mark.parametrize(
    "channel", ["file://{folder}/nowhere", "./nowhere", "http://127.0.0.1:9/channel", "{folder}/empty"]
)
def test_a_channel_that_is_not_there(lab: Lab, channel: str) -> None:
    (lab.folder / "empty").mkdir()
    channel = channel.format(folder=lab.folder)
    error = lab.failure(lab.request(f"channels: ['{channel}']\ndependencies: [plain]\n"))
    assert "a channel or package cannot be read" in error.message
    assert channel.rpartition("/")[2] in error.detail
    assert ".condarc" in error.hint


def test_a_package_that_is_damaged(lab: Lab) -> None:
    lab.channel = lab.own_channel("channel", generic("torn", {"share/x": "x\n" * 1000}))
    package = lab.folder / "channel/noarch/torn-1.0-0.tar.bz2"
    package.write_bytes(package.read_bytes()[:-40])
    assert "a package could not be installed" in lab.failure(lab.of("torn")).message


def test_a_pip_list_that_cannot_be_installed(lab: Lab) -> None:
    error = lab.failure(lab.of("python", "{pip: [sprocket==9.9]}"))
    assert "the requirements ask for what the package index does not have" in error.message
    assert "sprocket==9.9" in error.detail


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "conda.yaml has no dependencies"),
        ("dependencies: []\n", "conda.yaml has no dependencies"),
        ("dependencies: [{conda: [x]}]\n", "'conda' is not `pip`"),
        ("dependencies: ['--help']\n", "'--help' is not a conda dependency"),
        ("dependencies: [x]\nvariables: {A=B: c}\n", "conda.yaml:2:13: 'A=B' is not the name of a variable"),
        ("dependencies: [x]\nchannels: x\n", "'channels' must be a list"),
        ("dependencies: [x, {pip: ['-r gone.txt']}]\n", "file 'gone.txt' not found"),
    ],
)
def test_files_that_are_wrong(lab: Lab, text: str, problem: str) -> None:
    with pytest.raises(RequestError) as raised:
        lab.manager.resolve(lab.request(text))
    assert problem in raised.value.message


def test_an_editable_dependency_is_a_copy_in_a_temporary_checkout(lab: Lab) -> None:
    make_source_tree(lab.project / "gear", "gear")
    resolved = lab.manager.resolve(lab.of("python", "{pip: [-e ./gear]}", temporary=True))
    assert ["installed as a copy, not editable" in warning for warning in resolved.warnings] == [True]


class Channels(http.server.SimpleHTTPRequestHandler):
    """Serves a folder: below `/t/hush-token` to whom has that, else to ann with her password."""

    protected = True

    def do_GET(self) -> None:
        wanted = "Basic " + base64.b64encode(f"ann:{PASSWORD}".encode()).decode()
        if self.path.startswith("/t/hush-token/"):
            self.path = self.path.removeprefix("/t/hush-token")
        elif self.protected and self.headers.get("Authorization") != wanted:
            self.send_error(401)
            return
        super().do_GET()

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


class OpenChannels(Channels):
    protected = False


class Proxy(OpenChannels):
    """Answers for every host."""

    def do_GET(self) -> None:
        self.path = urlsplit(self.path).path
        super().do_GET()

    do_HEAD = do_GET


@contextmanager
def served(folder: Path, handler: type[Channels], context: ssl.SSLContext | None = None) -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("address", "environ"),
    [
        ("http://ann:s3cr%3At%40hush@127.0.0.1:{port}/channel", {}),
        ("http://ann:$WORD@127.0.0.1:{port}/channel", {"WORD": "s3cr%3At%40hush"}),
        ("http://127.0.0.1:{port}/t/hush-token/channel", {}),
    ],
)
def test_channels_that_ask_who_it_is(lab: Lab, address: str, environ: dict[str, str]) -> None:
    lab.own_channel("www/channel", generic("plain", {"share/plain.txt": "plain\n"}))
    with served(lab.folder / "www", Channels) as port:
        text = f"channels: ['{address.format(port=port)}']\ndependencies: [plain]\n"
        request = lab.request(text, environ=environ)
        resolved = lab.manager.resolve(request)
        prepared = lab.build(request)
        (lab.folder / "conda.lock").write_text(prepared.lock or "")
        lab.build(request._replace(lock_file=lab.folder / "conda.lock"))
        swapped = (prepared.lock or "").replace("sha256:", "sha256:0")[:-2] + "\n"
        (lab.folder / "conda.lock").write_text(swapped)
        with pytest.raises(EnvironmentBuildError, match="not the one that was locked"):
            lab.build(request._replace(lock_file=lab.folder / "conda.lock"))
    assert f"http://127.0.0.1:{port}/channel/noarch/plain-1.0-0.tar.bz2#sha256:" in (prepared.lock or "")
    assert prepared.build_log is not None
    assert "Downloading plain\n" in prepared.build_log.read_text()
    assert "hush" not in repr(resolved)
    assert "hush" not in repr(prepared)
    leaks = [
        path for path in lab.folder.glob("cache/**/*") if path.is_file() and b"hush" in path.read_bytes()
    ]
    assert leaks == []


def test_a_wrong_password_is_not_in_the_error(lab: Lab) -> None:
    lab.own_channel("www/channel")
    with served(lab.folder / "www", Channels) as port:
        address = f"http://ann:other-hush@127.0.0.1:{port}/channel"
        error = lab.failure(lab.request(f"channels: ['{address}']\ndependencies: [plain]\n"))
    assert "401" in error.detail
    assert error.log is not None
    assert "hush" not in error.detail + error.message + error.log.read_text()


def test_proxies_are_those_of_the_configuration(lab: Lab) -> None:
    lab.own_channel("www/channel", generic("plain", {"share/plain.txt": "plain\n"}))
    with served(lab.folder / "www", Proxy) as port:
        request = lab.request("channels: ['http://nowhere.invalid/channel']\ndependencies: [plain]\n")
        text = f"proxy_servers: {{http: 'http://127.0.0.1:{port}', 'https://other.invalid': 'http://gone'}}\n"
        write_files(Path(request.environ["HOME"]), {".condarc": text})
        assert "http://nowhere.invalid/channel/noarch/plain-1.0-0.tar.bz2#" in (lab.build(request).lock or "")


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate authority's file, and a server's context that it vouches for."""
    openssl = require_tool("openssl")
    folder = write_files(
        tmp_path / "tls", {"names": "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n"}
    )
    new = f"{openssl} req -newkey rsa:2048 -nodes -subj /CN=test"
    for command in (
        f"{new} -x509 -days 2 -keyout ca.key -out ca.pem",
        f"{new} -keyout host.key -out host.csr",
        f"{openssl} x509 -req -in host.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -out host.pem",
    ):
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "host.pem", folder / "host.key")
    return folder / "ca.pem", context


def test_certificates_are_verified_as_configured(lab: Lab, certificate: tuple[Path, ssl.SSLContext]) -> None:
    authority, context = certificate
    lab.own_channel("www/channel", generic("plain", {"share/plain.txt": "plain\n"}))
    with served(lab.folder / "www", OpenChannels, context) as port:
        request = lab.request(f"channels: ['https://127.0.0.1:{port}/channel']\ndependencies: [plain]\n")
        error = lab.failure(request)
        assert "certificate" in error.detail
        rc = Path(request.environ["HOME"], ".condarc")
        for word in (str(authority), "false"):
            rc.write_text(f"ssl_verify: {word}\n")
            assert prepare(lab.manager, request, rebuild=True).built


def test_a_py_rattler_that_is_another(lab: Lab) -> None:
    """As a version would be that has renamed what is used here: found as the installed one is, by `python -m`."""
    request = lab.of("plain")
    write_files(lab.folder / "poison", {"rattler/__init__.py": "VERSION = 1\n"})
    worker = [sys.executable, "-m", conda_worker.__name__, "job.json"]
    job = conda_worker.Job("p", "a", "b", (), ("plain",), (), False, "strict", False, "")
    write_files(lab.folder, {"job.json": job.to_json()})
    done = run_command(worker, cwd=lab.folder, environ={"PYTHONPATH": str(lab.folder / "poison")})
    assert done.returncode == conda_worker.UNFIT
    assert "cannot import name 'Client'" in done.stderr
    assert lab.build(request).built


def test_python_variables_of_the_caller_do_not_disturb_the_build(lab: Lab) -> None:
    write_files(lab.folder / "poison", {"rattler.py": "raise SystemExit('poisoned')\n"})
    request = lab.of("plain", environ={"PYTHONPATH": str(lab.folder / "poison"), "PYTHONHOME": "/nowhere"})
    assert lab.build(request).built
