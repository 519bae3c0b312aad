"""pip's configuration as pip merges it, and in uv's words."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from projrun_backends.environments.python.indexes import UvSettings, package_settings, uv_settings
from tests.backends.environments.python.packages import write_files


def settings_of(**environ: str) -> UvSettings:
    full = {"PIP_CONFIG_FILE": os.devnull, "HOME": "/nowhere", **environ}
    return uv_settings(package_settings(full), full)


@pytest.mark.parametrize(
    ("pip", "uv"),
    [
        ({"PIP_INDEX_URL": "https://h/simple"}, {"UV_DEFAULT_INDEX": "https://h/simple"}),
        ({"PIP_EXTRA_INDEX_URL": "https://a https://b"}, {"UV_INDEX": "https://a https://b"}),
        ({"PIP_EXTRA_INDEX_URL": "file:///no/such https://b"}, {"UV_INDEX": "https://b"}),
        ({"PIP_EXTRA_INDEX_URL": "file:///no/such"}, {}),
        ({"PIP_FIND_LINKS": "/ https://h/links /no/such"}, {"UV_FIND_LINKS": "/,https://h/links"}),
        ({"PIP_CERT": "/etc/ca.pem"}, {"SSL_CERT_FILE": "/etc/ca.pem"}),
        ({"PIP_CLIENT_CERT": "/me.pem"}, {"SSL_CLIENT_CERT": "/me.pem"}),
        ({"PIP_TRUSTED_HOST": "a b:8080"}, {"UV_INSECURE_HOST": "a b:8080"}),
        ({"PIP_PROXY": "http://proxy:1"}, {"ALL_PROXY": "http://proxy:1"}),
        ({"PIP_TIMEOUT": "60"}, {"UV_HTTP_TIMEOUT": "60"}),
        ({"PIP_PRE": "1"}, {"UV_PRERELEASE": "allow"}),
        ({"PIP_PRE": "false"}, {}),
        ({"PIP_CONSTRAINT": "/c.txt"}, {"UV_CONSTRAINT": "/c.txt"}),
        ({"PIP_INDEX_URL": "https://h", "UV_DEFAULT_INDEX": "https://mine"}, {}),
        ({"PIP_INDEX_URL": "https://h", "UV_INDEX_URL": "https://mine"}, {}),
        ({"PIP_EXTRA_INDEX_URL": "https://h", "UV_INDEX": "https://mine"}, {}),
        ({"PIP_CERT": "/etc/ca.pem", "SSL_CERT_FILE": "/mine"}, {}),
        ({"PIP_PROXY": "http://proxy:1", "HTTPS_PROXY": "http://mine"}, {}),
    ],
)
def test_what_uv_is_told(pip: dict[str, str], uv: dict[str, str]) -> None:
    assert dict(settings_of(**pip).environ) == {"UV_INDEX_STRATEGY": "unsafe-best-match", **uv}


def test_the_persons_own_strategy_is_kept() -> None:
    assert dict(settings_of(UV_INDEX_STRATEGY="first-index").environ) == {}


def test_switches_become_arguments_and_no_url_does() -> None:
    told = settings_of(
        PIP_NO_INDEX="1", PIP_ONLY_BINARY=":all:", PIP_NO_BINARY="a,b", PIP_INDEX_URL="https://me:word@h"
    )
    assert told.arguments == ("--no-index", "--only-binary=:all:", "--no-binary=a", "--no-binary=b")
    assert settings_of(PIP_NO_INDEX="0").arguments == ()


def test_a_uv_configuration_of_indexes_goes_before_pips(tmp_path: Path) -> None:
    write_files(tmp_path, {"uv/uv.toml": '[[index]]\nurl = "https://mine"\n'})
    told = settings_of(XDG_CONFIG_HOME=str(tmp_path), PIP_INDEX_URL="https://h", PIP_CERT="/ca.pem")
    assert "UV_DEFAULT_INDEX" not in told.environ
    assert told.environ["SSL_CERT_FILE"] == "/ca.pem"
    write_files(tmp_path, {"uv/uv.toml": "[[index]\n"})
    assert settings_of(XDG_CONFIG_HOME=str(tmp_path), PIP_INDEX_URL="https://h").environ["UV_DEFAULT_INDEX"]


FILES = {
    "etc/xdg/pip/pip.conf": "[global]\nindex-url = file:///xdg\n[install]\nfind-links = /xdg\n",
    "home/.pip/pip.conf": "[global]\nindex-url = file:///older\nfind-links =\n    /\n    /no/such\n",
    "home/.config/pip/pip.conf": "[install]\nindex-url = file:///newer\n[global]\nextra_index_url = file:///a\n  file:///b\n",
    "chosen.conf": "[install]\nextra-index-url = file:///c\n[global]\nindex-url = file:///chosen\n",
}


@pytest.mark.integration  # starts pip
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="these are the folders of Linux")
@pytest.mark.parametrize(
    ("chosen", "variables", "index"),
    [
        ("chosen.conf", {}, "file:///chosen"),
        ("missing.conf", {}, "file:///newer"),
        ("", {}, "file:///newer"),
        ("", {"PIP_INDEX_URL": "file:///env", "PIP_FIND_LINKS": "/env"}, "file:///env"),
    ],
)
def test_files_are_merged_as_pip_itself_merges_them(
    tmp_path: Path, chosen: str, variables: dict[str, str], index: str
) -> None:
    write_files(tmp_path, FILES)
    environ = {
        "HOME": str(tmp_path / "home"),
        "XDG_CONFIG_DIRS": str(tmp_path / "etc/xdg"),
        "PATH": os.environ["PATH"],
        **variables,
    }
    if chosen:
        environ["PIP_CONFIG_FILE"] = str(tmp_path / chosen)
    ours = package_settings(environ)
    assert ours.pip["index-url"] == index
    assert pip_looks_in(environ) == (
        [*ours.pip_items("index-url"), *ours.pip_items("extra-index-url")],
        ours.pip_items("find-links"),
    )


def pip_looks_in(environ: dict[str, str]) -> tuple[list[str], list[str]]:
    """The indexes and folders of links that pip itself says it uses."""
    argv = [sys.executable, "-m", "pip", "install", "--dry-run", "--retries=0", "no-such-package"]
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, check=False)
    said = dict(line.split(": ", 1) for line in done.stdout.splitlines() if line.startswith("Looking in "))
    return said["Looking in indexes"].split(", "), said["Looking in links"].split(", ")


def test_no_configuration_file_where_the_person_says_so(tmp_path: Path) -> None:
    write_files(tmp_path, FILES)
    environ = {"HOME": str(tmp_path / "home"), "PIP_CONFIG_FILE": os.devnull, "PIP_TIMEOUT": "9"}
    assert dict(package_settings(environ).pip) == {"timeout": "9"}


@pytest.mark.parametrize("content", [b"[global\n", b"no section\n", b"\xff\xfe\n"])
def test_a_damaged_file_is_left_to_pip(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pip.conf").write_bytes(content)
    environ = {"HOME": str(tmp_path), "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "XDG_CONFIG_DIRS": "/x"}
    assert "index-url" not in package_settings(environ).pip
