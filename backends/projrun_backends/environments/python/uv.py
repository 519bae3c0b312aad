"""`--env-manager=uv`: environments created and filled by uv, in a tenth of pip's time."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from projrun.directories import home_folder, make_private
from projrun.environments.protocol import (
    Capabilities,
    EnvironmentRequest,
    GivenOptions,
    PreparedEnvironment,
    Progress,
    Refusal,
    ResolvedEnvironment,
)
from projrun.errors import EnvironmentBuildError
from projrun.project.files import is_file
from projrun.project.model import EnvironmentReference
from projrun_backends.environments.executables import path_folders, program, pyenv_versions
from projrun_backends.environments.options import UvOptions
from projrun_backends.environments.python import python_environments
from projrun_backends.environments.python.editables import (
    require_copies,
    without_editable_repositories,
)
from projrun_backends.environments.python.indexes import PackageSettings, uv_settings
from projrun_backends.environments.python.interpreters import MissingInterpreterError
from projrun_backends.environments.python.python_environments import Build, Recipe
from projrun_backends.environments.python.seed_packages import seed_wheels
from projrun_backends.environments.python.specs import conda_refusal

_COMPLETE = {"UV_CONSTRAINT": "", "UV_OVERRIDE": ""}
"""A lock leaves nothing to constrain, and uv refuses to do so with a `pylock.toml`."""
_NO_CACHE = "Failed to initialize cache"
_NOT_COMPILED = "Failed to bytecode-compile"
"""What uv says when everything is installed, and compiling it failed."""


class UvEnvironment:
    """Needs the program uv."""

    name = "uv"
    capabilities = Capabilities(
        kinds=frozenset(
            {"python_env", "conda_env", "requirements", "poetry", "pylock", "script", "uv_env", "none"}
        ),
        locks=frozenset({"python"}),
    )

    needs = "uv, which is not installed"
    installation = "pip install uv"

    def available(self, environ: Mapping[str, str]) -> bool:
        """Whether uv is on this machine."""
        return find_uv(environ) is not None

    def tool(self, environ: Mapping[str, str]) -> Path | None:
        """Where uv is."""
        return find_uv(environ)

    def refusal(self, reference: EnvironmentReference) -> Refusal | None:
        """A conda file that needs more than pip can install."""
        return conda_refusal(reference)

    def read_options(self, given: GivenOptions) -> UvOptions:
        """See `UvOptions`."""
        return UvOptions.read(given)

    def resolve(self, request: EnvironmentRequest) -> ResolvedEnvironment:
        """See `python_environments.resolve`; a Python that uv may download may still be missing."""
        _require_uv(request.environ)
        options = request.options_as(UvOptions)
        try:
            exact_by = options.exact_python or options.python_downloads
            return python_environments.resolve(_RECIPE, request, exact_by=exact_by)
        except MissingInterpreterError as missing:
            if not options.python_downloads:
                if "uv python install" in missing.hint:
                    missing.hint = f"--python-downloads=automatic lets uv download it; or {missing.hint}"
                raise
            resolved = ResolvedEnvironment(
                manager=self.name,
                summary=f"uv, Python {missing.wanted}, which uv downloads first",
                exists=False,
                recorded_kind=self.name,
                details=missing,
            )
            spec = python_environments.read_environment_spec(request)
            return python_environments.with_translation(resolved, spec, request)

    def prepare(
        self, request: EnvironmentRequest, resolved: ResolvedEnvironment, *, rebuild: bool, progress: Progress
    ) -> PreparedEnvironment:
        """See `python_environments.prepare`."""
        if isinstance(resolved.details, MissingInterpreterError):
            _download(resolved.details, request, progress)
            resolved = python_environments.resolve(_RECIPE, request)
        return python_environments.prepare(_RECIPE, request, resolved, rebuild=rebuild, progress=progress)


def find_uv(environ: Mapping[str, str]) -> Path | None:
    """uv on PATH, else beside projrun, else where its installers and pyenv put it; never a shim."""
    for folder in _folders(environ):
        found = program(folder, "uv")
        if found:
            return found
    return None


def _folders(environ: Mapping[str, str]) -> Iterator[Path]:
    yield from path_folders(environ)
    yield Path(sys.executable).parent
    yield home_folder(environ) / ".local/bin"
    yield home_folder(environ) / ".cargo/bin"
    yield from sorted(pyenv_versions(environ).glob("*/bin"), reverse=True)


def _require_uv(environ: Mapping[str, str]) -> Path:
    found = find_uv(environ)
    if found is None:
        raise EnvironmentBuildError(
            "uv is not installed", hint="pip install uv, or use --env-manager=virtualenv"
        )
    return found


def _build(build: Build) -> str:
    """Also where uv cannot write its cache (the home folder of a container), which only saves time."""
    from projrun_backends.environments.python.tools import ToolError

    try:
        return _built(build)
    except ToolError as error:
        if not any(_NO_CACHE in line for line in error.tail):
            raise
        return _built(build._replace(tools=build.tools.with_variables({"UV_NO_CACHE": "1"})))


def _built(build: Build) -> str:
    uv = _require_uv(build.environ)
    spec = build.details.spec
    if spec.locked_project:
        _synchronize(build, uv, spec.locked_project)
    elif spec.script and spec.needs_uv:
        _create(build, uv)
        _synchronize_script(build, uv, spec.script)
    else:
        _create(build, uv)
        _install(build, uv)
    frozen = _freeze(build, uv)
    if not build.details.editable:
        require_copies(frozen)
    return frozen


def _create(build: Build, uv: Path) -> None:
    create: list[str | Path] = [
        uv,
        "venv",
        "--no-project",
        "--python",
        build.details.interpreter.path,
        build.environment,
    ]
    build.tools.run("uv", create)


def _install(build: Build, uv: Path) -> None:
    details = build.details
    install: list[str | Path] = [uv, "pip", "install", "--no-progress", "--python", build.python]
    settings = [*uv_settings(build.settings, build.environ).arguments, *_refresh(build)]
    spec = without_editable_repositories(details.spec)
    wanted = python_environments.install_arguments(build._replace(details=details._replace(spec=spec)))
    if spec.dependency_file and wanted:
        wanted = [["-r", spec.dependency_file]]
    for arguments in _seeds(build):
        build.tools.run("uv", [*install, *arguments])
    for number, step in enumerate(wanted):
        before = _freeze(build, uv) if number else ""
        # In the project's own folder, where uv finds the indexes that a project of its own names.
        words = [*install, *settings, *step]
        variables = {**(_COMPLETE if spec.pinned else {}), **_copies(build)}
        _run_compiling(build, words, directory=spec.uv_project, variables=variables)
        if before and set(before.splitlines()) - set(_freeze(build, uv).splitlines()):
            _compile_anew(build)


def _copies(build: Build) -> dict[str, str]:
    """For what `[tool.uv.sources]` and `pylock.toml` call editable; as a variable, which an old uv does not refuse."""
    return {} if build.details.editable else {"UV_NO_EDITABLE": "1"}


def _run_compiling(
    build: Build,
    words: list[str | Path],
    *,
    directory: Path | None,
    variables: Mapping[str, str],
) -> None:
    """Run uv so that it compiles what it installs; where just that fails (it needs Python 3.7), Python does it.

    Bytecode only saves time: without it the environment is as good.
    """
    from projrun_backends.environments.python.tools import ToolError

    try:
        compiling = [*words, "--compile-bytecode"]
        build.tools.run("uv", compiling, directory=directory, variables=variables)
    except ToolError as error:
        if not any(_NOT_COMPILED in line for line in error.tail):
            raise
        build.tools.run("uv", [*words, "--no-compile-bytecode"], directory=directory, variables=variables)
        _compile(build)


def _compile_anew(build: Build) -> None:
    """uv compiles what a step installs, and leaves the bytecode of a version that a later step replaces: Python
    would take it for that of the new one where the two modules are of the same size and date.
    """
    import shutil

    for folder in list(build.environment.rglob("__pycache__")):
        shutil.rmtree(folder, ignore_errors=True)
    _compile(build)


def _compile(build: Build) -> None:
    from projrun_backends.environments.python.tools import ToolError

    # Fails if a package ships a file for another Python, which is never imported.
    with suppress(ToolError):
        words: list[str | Path] = [build.python, "-m", "compileall", "-qq", "-j", "0", build.environment]
        build.tools.run("compileall", words)


def _freeze(build: Build, uv: Path) -> str:
    return build.tools.capture("uv", [uv, "pip", "freeze", "--python", build.python])


def _seeds(build: Build) -> list[list[str | Path]]:
    """Projects are written for `mlflow run`, whose environments have pip; the manager must make no
    difference. uv's own projects work without pip.
    """
    wheels = seed_wheels(build.details.interpreter.version) if build.details.spec.seeded else []
    if not wheels:
        return []
    pinned = ["==".join(wheel.name.split("-")[:2]) for wheel in wheels]
    return [["--no-index", "--no-deps", "--find-links", wheels[0].parent, *pinned]]


def _refresh(build: Build) -> list[str]:
    """uv considers a folder that it built before unchanged as long as its pyproject.toml is."""
    local = (*build.details.spec.build_requirements.local, *build.details.spec.requirements.local)
    return ["--refresh"] if any(not one.editable and one.path.is_dir() for one in local) else []


def _synchronize(build: Build, uv: Path, project: Path) -> None:
    words: list[str | Path] = [uv, "sync", "--frozen", "--no-progress"]
    words += ["--python", build.details.interpreter.path]
    words += _refresh(build)
    if not build.details.editable:
        words.append("--no-editable")
    variables = {"UV_PROJECT_ENVIRONMENT": str(build.environment)}
    _run_compiling(build, words, directory=project, variables=variables)


def _synchronize_script(build: Build, uv: Path, script: Path) -> None:
    """With the lock beside it, else with what its block tells uv."""
    words: list[str | Path] = [uv, "sync", "--script", script, "--active", "--no-progress", *_refresh(build)]
    lock = script.with_name(f"{script.name}.lock")
    variables = {"VIRTUAL_ENV": str(build.environment)}
    index = ["--no-index"] if build.settings.pip_enabled("no-index") else []
    says_editable = any("editable" in text for text in build.details.spec.texts)
    made = says_editable and not build.details.editable and not is_file(lock)
    if not build.details.editable:
        words.append("--no-editable")
        if made:  # without a lock, uv takes no notice of --no-editable
            locking: list[str | Path] = [uv, "lock", "--script", script, "--no-progress", *index]
            build.tools.run("uv", [*locking, "--python", build.python], directory=script.parent)
    try:
        words += ["--frozen"] if is_file(lock) else index
        _run_compiling(build, words, directory=script.parent, variables=variables)
    finally:
        if made:
            lock.unlink(missing_ok=True)


def _download(missing: MissingInterpreterError, request: EnvironmentRequest, progress: Progress) -> None:
    from projrun_backends.environments.python.index_credentials import secrets_of
    from projrun_backends.environments.python.tools import ToolError, ToolRunner, build_environ

    log = request.cache_directory / "python-install.log"
    make_private(log.parent)
    log.unlink(missing_ok=True)
    environ = {
        **build_environ(request.environ),
        "UV_PYTHON_DOWNLOADS": "automatic",
        # Else newer versions of uv put a `python3.X` into ~/.local/bin.
        "UV_PYTHON_INSTALL_BIN": "0",
    }
    tools = ToolRunner(log, environ, secrets_of(environ.values(), environ), progress, log.parent)
    progress(f"downloading Python {missing.wanted} with uv")
    try:
        tools.run("uv", [_require_uv(request.environ), "python", "install", "--no-progress", missing.wanted])
    except ToolError as error:
        raise EnvironmentBuildError(
            f"{missing.message}, and uv could not download it",
            hint=missing.hint,
            detail="\n".join(error.tail),
            log=log,
        ) from None


def _environ(settings: PackageSettings, environ: Mapping[str, str]) -> dict[str, str]:
    return {
        **uv_settings(settings, environ).environ,
        # Where an interpreter is to be downloaded, that was done before: here uv would only lose time.
        "UV_PYTHON_DOWNLOADS": "never",
        # Otherwise one large module that takes a minute on a busy machine would fail the build.
        "UV_COMPILE_BYTECODE_TIMEOUT": environ.get("UV_COMPILE_BYTECODE_TIMEOUT", "0"),
    }


_RECIPE = Recipe(
    manager=UvEnvironment.name,
    build=_build,
    environ=_environ,
    reads_uv_settings=True,
    hint="--env-manager=virtualenv installs with pip",
)
