"""Building a conda environment: the solve and the packages, then the `pip:` list, then the lock."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

import yaml

from projrun.directories import home_folder
from projrun.environments.protocol import EnvironmentRequest, Progress
from projrun.errors import EnvironmentBuildError
from projrun_backends.environments.conda import activation as conda_activation
from projrun_backends.environments.conda import lock as conda_lock
from projrun_backends.environments.conda import worker as conda_worker
from projrun_backends.environments.conda.settings import CondaSettings
from projrun_backends.environments.conda.spec import PREFIX, CondaDetails, with_pip
from projrun_backends.environments.python.indexes import package_settings
from projrun_backends.environments.python.locks import lock_text as python_lock_text
from projrun_backends.environments.python.python_environments import (
    FAILED_LOG,
    LOG,
    build_failure,
    build_secrets,
)
from projrun_backends.environments.python.tools import ToolError, ToolRunner, build_environ

PACKAGES = "conda-packages"
"""The folder of downloaded packages and channel indexes, beside the environments: files are linked from it."""

_RATTLER = "py-rattler"
_SHORTEST_SECRET = 4
_PIP_QUIET = ("--disable-pip-version-check", "--no-input")
_HINTS = {
    conda_worker.UNSOLVABLE: "change the versions that are asked for, or add the channel that has them",
    conda_worker.BAD_SPEC: "write it as conda expects it: name, name=1.2, name>=1.2,<2 or channel::name",
    conda_worker.CHANGED: "create a new lock, or ask the channel's publisher why it changed",
    conda_worker.UNFIT: "pip install --upgrade 'projrun[conda]'",
    conda_worker.UNREACHABLE: "check the names of the channels, ~/.condarc and the network",
}


class CondaBuild:
    """One build into one folder of the environment cache."""

    def __init__(
        self, request: EnvironmentRequest, details: CondaDetails, folder: Path, progress: Progress
    ) -> None:
        self._request = request
        self._details = details
        self._folder = folder
        self._prefix = folder / PREFIX
        self._scratch = folder / "scratch"
        self._scratch.mkdir()
        self._packages = package_settings(request.environ)
        environ = {**build_environ(request.environ), **conda_activation.ISOLATED}
        secrets = build_secrets(details.spec, self._packages, environ) | _secrets(details)
        self._tools = ToolRunner(folder / LOG, environ, secrets, progress, self._scratch)
        self._python = conda_activation.python_of(self._prefix)
        self._path = environ.get("PATH", os.defpath)

    def run(self) -> None:
        """Raises EnvironmentBuildError with the tool's last lines; the caller removes what is left."""
        import shutil

        try:
            self._create()
            pip_lines = self._install_pip_lines()
            self._compile()
        except ToolError as error:
            raise self._failure(error) from None
        shutil.rmtree(self._scratch)
        lock = conda_lock.lock_text(self._prefix, self._details.platform, pip_lines)
        (self._folder / conda_lock.NAME).write_text(lock, encoding="utf-8")
        (self._folder.parent / FAILED_LOG).unlink(missing_ok=True)

    def _create(self) -> None:
        program = self._details.program
        if program is None:
            self._call_worker()
            return
        lock = self._details.lock
        if lock is None:
            file = self._scratch / "environment.yml"
            file.write_text(_environment_file(self._details), encoding="utf-8")
        else:
            file = self._scratch / "explicit.txt"
            file.write_text(lock.text, encoding="utf-8")
        argv = program.create(self._prefix, file, explicit=lock is not None)
        self._tools.run(program.name, argv, directory=self._details.directory)
        history = self._prefix / "conda-meta/history"
        if not history.exists():
            raise ToolError(
                program.name, 0, [f"{program.path} created no conda environment in {self._prefix}"]
            )

    def _call_worker(self) -> None:
        file = self._scratch / "job.json"
        # It may hold credentials; the folder is private and gone when the build ends.
        file.write_text(self._job().to_json(), encoding="utf-8")
        module = conda_worker.__name__
        words: list[str | Path] = [sys.executable, "-m", module, file]
        self._tools.run(_RATTLER, words, variables=_certificates(self._details.settings))

    def _job(self) -> conda_worker.Job:
        details = self._details
        shared = self._request.cache_directory / PACKAGES
        locked = details.lock.packages if details.lock else ()
        return conda_worker.Job(
            prefix=str(self._prefix),
            packages_directory=str(shared / "pkgs"),
            repodata_directory=str(shared / "repodata"),
            channels=tuple(channel.url for channel in details.channels),
            specs=() if details.lock else details.dependencies,
            locked=tuple(conda_worker.Package(package.url, package.digest) for package in locked),
            is_locked=details.lock is not None,
            priority=details.settings.channel_priority,
            add_pip=details.settings.add_pip,
            config=self._rattler_config(),
        )

    def _rattler_config(self) -> str:
        """Passwords go into rattler's credential file, tokens into the URL to use instead."""
        settings, lines = self._details.settings, []
        if settings.ssl_verify == "false":
            lines.append("tls-no-verify = true")
        logins = {
            urlsplit(channel.url).hostname or "": {
                "BasicHTTP": {"username": channel.user, "password": channel.password}
            }
            for channel in self._details.channels
            if channel.user
        }
        if logins:
            file = self._scratch / "logins.json"
            file.write_text(json.dumps({**_own_logins(self._request.environ), **logins}), encoding="utf-8")
            lines.append(f"authentication-override-file = {_toml(str(file))}")
        proxies = {scheme: url for scheme, url in settings.proxies.items() if scheme in ("http", "https")}
        if proxies:
            lines.append("[proxy-config]")
            lines += [f"{scheme} = {_toml(url)}" for scheme, url in proxies.items()]
        tokened = [channel for channel in self._details.channels if channel.token]
        if tokened:
            lines.append("[mirrors]")
            lines += [f"{_toml(one.url + '/')} = [{_toml(one.tokened_url + '/')}]" for one in tokened]
        return "".join(f"{line}\n" for line in lines)

    def _install_pip_lines(self) -> list[str]:
        """Install the `pip:` list as `conda env create` does; the lines for the lock."""
        spec = self._details.spec
        if not spec.requirements.lines:
            return []
        before = self._freeze()
        requirements = self._write("requirements.txt", spec.requirements.lines)
        arguments: list[str | Path] = ["install", "--progress-bar", "off", "-r", requirements]
        if spec.requirements.constraints:
            arguments += ["-c", self._write("constraints.txt", spec.requirements.constraints)]
        if spec.pinned:
            arguments.append("--no-deps")
        self._run_pip(arguments)
        added = [line for line in self._freeze() if line not in before]
        lock = python_lock_text("\n".join(added), "", spec, self._request.project_directory)
        return [line for line in lock.splitlines() if not line.startswith("#")]

    def _run_pip(self, arguments: list[str | Path]) -> None:
        variables, _ = conda_activation.activation_variables(self._prefix, self._details.spec.variables)
        folders = [*map(str, conda_activation.activation_path(self._prefix)), self._path]
        # pip does not see a conda environment as a virtual environment, which PIP_REQUIRE_VIRTUALENV demands.
        variables |= {"PIP_REQUIRE_VIRTUALENV": "0", "PIP_ROOT_USER_ACTION": "ignore"}
        variables["PATH"] = os.pathsep.join(folders)
        # Activated: a package that pip compiles finds the environment's compilers and libraries.
        starter = conda_activation.starter(self._prefix)
        words = [*starter, self._python, "-m", "pip", *_PIP_QUIET, *arguments]
        self._tools.run("pip", words, variables=variables)

    def _freeze(self) -> list[str]:
        return self._tools.capture(
            "pip", [self._python, "-m", "pip", *_PIP_QUIET, "freeze", "--all"]
        ).splitlines()

    def _compile(self) -> None:
        """py-rattler leaves modules that are the same on every Python as they are; conda compiles them."""
        libraries = sorted(self._prefix.glob("lib/python3.*"))
        if self._details.program is not None or not self._python.exists() or not libraries:
            return
        with suppress(ToolError):  # some packages carry files that no Python can read, on purpose
            self._tools.run("compileall", [self._python, "-m", "compileall", "-qq", "-j", "0", *libraries])

    def _write(self, name: str, lines: tuple[str, ...]) -> Path:
        file = self._scratch / name
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return file

    def _failure(self, error: ToolError) -> EnvironmentBuildError:
        source = self._details.spec.source
        why, advice = "", f"check what {source} asks for and where packages come from"
        if self._details.program is None and error.tool == _RATTLER:
            why, advice = conda_worker.MEANINGS.get(error.code, ""), _HINTS.get(error.code, "")
        return build_failure(source, error, (advice,), self._folder / LOG, why=why)


def _toml(text: str) -> str:
    """A string of TOML, which JSON's are too as long as nothing is written as a pair of surrogates."""
    return json.dumps(text, ensure_ascii=False)


def _environment_file(details: CondaDetails) -> str:
    """For conda's own programs: without the `pip:` list, which is installed in the same way for all of them."""
    document = details.document
    content = {"dependencies": with_pip(document)}
    if document.channels:
        content["channels"] = [text.value for text in document.channels]
    return str(yaml.safe_dump(content))


def _secrets(details: CondaDetails) -> frozenset[str]:
    found = {secret for channel in details.channels for secret in channel.secrets}
    found |= {urlsplit(url).password or "" for url in details.settings.proxies.values()}
    found |= {quote(secret, safe="") for secret in found}
    return frozenset(secret for secret in found if len(secret) >= _SHORTEST_SECRET)


def _certificates(settings: CondaSettings) -> dict[str, str]:
    """The certificates that conda is configured to trust, in the variables that rattler reads."""
    if settings.ssl_verify in ("true", "false"):
        return {}
    name = "SSL_CERT_DIR" if Path(settings.ssl_verify).is_dir() else "SSL_CERT_FILE"
    return {name: settings.ssl_verify}


def _own_logins(environ: Mapping[str, str]) -> dict[str, object]:
    """What the user logged in to with a tool of rattler's family: a credential file of ours replaces theirs."""
    chosen = environ.get("RATTLER_AUTH_FILE")
    file = Path(chosen) if chosen else home_folder(environ) / ".rattler/credentials.json"
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
