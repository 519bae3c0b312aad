"""What managers of virtual environments share: resolving a spec to a key, and building into the cache."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from projrun.cache.entries import ContentCache, Facts
from projrun.credentials import without_credentials
from projrun.environments.protocol import (
    EnvironmentRequest,
    PreparedEnvironment,
    Progress,
    ResolvedEnvironment,
)
from projrun.errors import EnvironmentBuildError, ProjrunError
from projrun.tuples import NamedTuple
from projrun.typed import TYPE_CHECKING
from projrun_backends.environments.python.editables import left_clean, of_this_request
from projrun_backends.environments.python.indexes import PackageSettings, package_settings
from projrun_backends.environments.python.interpreters import (
    Interpreter,
    MissingInterpreterError,
    find_interpreter,
)
from projrun_backends.environments.python.keys import environment_key
from projrun_backends.environments.python.requirements import referenced_variables
from projrun_backends.environments.python.spec import EnvironmentSpec
from projrun_backends.environments.python.specs import read_spec
from projrun_backends.environments.python.version_files import with_pinned_python
from projrun_backends.environments.python.versions import PythonRequest

if TYPE_CHECKING:
    from projrun_backends.environments.python.tools import ToolError, ToolRunner

ENVIRONMENT = "env"
LOCK = "requirements.lock.txt"
LOG = "build.log"
FAILED_LOG = "failed-build.log"
PYTHON_TAG = "projrun.environment.python"
"""Where the Python is not the one that was asked for."""
MORE_SPACE = (
    "make room, for example with `projrun envs prune --older-than 30d`, or set PROJRUN_CACHE_DIR to a folder of"
    " a larger disk"
)
"""What to do about a full disk."""
_FULL = ("No space left on device", "os error 28", "Disk quota exceeded")
_PYTHON = f"{ENVIRONMENT}/bin/python"

# What `activate` of virtual environments unsets, and what would still name another environment.
UNSET = frozenset(
    {"PYTHONHOME", "__PYVENV_LAUNCHER__", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "CONDA_PROMPT_MODIFIER"}
)


class PythonEnvironment(NamedTuple):
    """`ResolvedEnvironment.details` of these managers: all that a build needs."""

    spec: EnvironmentSpec
    interpreter: Interpreter
    editable: bool
    """False in a temporary checkout: what would be editable by default is installed as a copy."""

    def __repr__(self) -> str:
        """Short, and without the requirement lines, which may hold credentials: plans are shown."""
        return f"<Python {self.interpreter.version}, {self.spec.summary}>"


class Build(NamedTuple):
    """An environment being built."""

    environment: Path
    """The folder of the virtual environment; does not exist yet."""
    python: Path
    """The interpreter that will be in it."""
    scratch: Path
    """A folder for files that the build alone needs."""
    details: PythonEnvironment
    settings: PackageSettings
    """Not part of the plan: indexes may hold credentials."""
    tools: ToolRunner
    environ: Mapping[str, str]
    """The environment that the tools run in."""


class Recipe(NamedTuple):
    """How a manager differs from the others."""

    manager: str
    build: Callable[[Build], str]
    """Make the environment and return what is installed, as `pip freeze` says it. Raises ToolError."""
    environ: Callable[[PackageSettings, Mapping[str, str]], dict[str, str]]
    """What the tools' environment has over the caller's."""
    reads_uv_settings: bool = False
    hint: str = ""


def resolve(recipe: Recipe, request: EnvironmentRequest, *, exact_by: str = "") -> ResolvedEnvironment:
    """Read the spec, find the interpreter, compute the key: builds nothing, starts no process when warm.

    `exact_by` is the setting that refuses another patch than the one that is asked for, if any. Where the environment
    that the project's own file asks for is there, and has what a lock wants, no second one is built for the lock.
    """
    resolved = _resolve(recipe, request, exact_by=exact_by)
    if request.lock_file is None or resolved.exists:
        return resolved
    with suppress(ProjrunError, OSError):
        unlocked = _resolve(recipe, request._replace(lock_file=None), exact_by=exact_by)
        if unlocked.exists and unlocked.path is not None and unlocked.python == resolved.python:
            lock = (unlocked.path.parent / LOCK).read_bytes()
            if lock == request.lock_file.read_bytes():  # where it is built again after all, by the lock
                return resolved._replace(key=unlocked.key, path=unlocked.path, exists=True)
    return resolved


def _resolve(recipe: Recipe, request: EnvironmentRequest, *, exact_by: str) -> ResolvedEnvironment:
    spec = read_environment_spec(request)
    if spec.needs_uv and not recipe.reads_uv_settings:
        raise EnvironmentBuildError(
            f"only uv can install {spec.source}: {spec.needs_uv}",
            hint="pip install uv, and remove --env-manager=virtualenv if it is given",
        )
    interpreter = _interpreter(spec, request, exact_by)
    settings = package_settings(request.environ)
    key = environment_key(
        recipe.manager, spec, interpreter, settings, reads_uv_settings=recipe.reads_uv_settings
    )
    cache = _cache(request)
    with cache_errors(request):
        entry = cache.find(key)
    resolved = ResolvedEnvironment(
        manager=recipe.manager,
        summary=f"{recipe.manager}, Python {interpreter.version}, {spec.summary}",
        key=key,
        path=entry / ENVIRONMENT if entry else cache.folder(key),
        exists=entry is not None,
        python=interpreter.path,
        recorded_kind=recipe.manager,
        details=PythonEnvironment(spec, interpreter, not request.temporary_checkout),
        warnings=(
            *spec.warnings,
            *(() if recipe.reads_uv_settings else spec.pip_warnings),
            *_python_warnings(spec, interpreter),
        ),
    )
    return with_translation(resolved, spec, request)


def with_translation(
    resolved: ResolvedEnvironment, spec: EnvironmentSpec, request: EnvironmentRequest
) -> ResolvedEnvironment:
    """With the words that say what was translated, where anything was."""
    if not spec.translated:
        return resolved
    from projrun_backends.environments.translation import translation

    # What a lock builds was translated, and said, when the lock was made.
    warnings = (
        ()
        if spec.pinned
        else (translation.translation_warning(spec.translated, spec.source, request.instead),)
    )
    return resolved._replace(
        warnings=(*resolved.warnings, *warnings),
        tags={translation.TAG: translation.translation_tag(spec.translated)},
        facts=translation.translation_facts(spec.translated),
    )


def read_environment_spec(request: EnvironmentRequest) -> EnvironmentSpec:
    """What is to be built: the project's file, with a lock's packages where there is one."""
    spec = read_spec(request.reference, request.project_directory, request.environ, request.checkout_root)
    if request.lock_file is not None:
        from projrun_backends.environments.python.locks import locked_spec

        spec = locked_spec(spec, request.lock_file, request)
    return of_this_request(with_pinned_python(spec, request), request)


def _interpreter(spec: EnvironmentSpec, request: EnvironmentRequest, exact_by: str) -> Interpreter:
    def find(python: PythonRequest | None) -> Interpreter:
        memory = request.cache_directory / "interpreters.json"
        return find_interpreter(python, request.environ, origin=spec.python_origin, memory=memory)

    try:
        return find(spec.python)
    except MissingInterpreterError as missing:
        if spec.python_instead is None:
            raise
        try:
            instead = find(spec.python_instead)
        except MissingInterpreterError:
            raise missing from None
        if exact_by:
            missing.hint = f"remove {exact_by} to use {instead.version}; or {missing.hint}"
            raise missing from None
        return instead


def _python_warnings(spec: EnvironmentSpec, interpreter: Interpreter) -> Iterator[str]:
    if spec.python is not None and not spec.python.matches(interpreter.version):
        yield f"{spec.python_origin} asks for Python {spec.python.plain}; {interpreter.version} is used instead"


def _tags(details: PythonEnvironment) -> Mapping[str, str]:
    asked, version = details.spec.python, details.interpreter.version
    if asked is None or asked.matches(version):
        return {}
    return {PYTHON_TAG: f"{version} instead of {asked.plain}"}


def prepare(
    recipe: Recipe,
    request: EnvironmentRequest,
    resolved: ResolvedEnvironment,
    *,
    rebuild: bool,
    progress: Progress,
) -> PreparedEnvironment:
    """Build the environment, or find it built. Raises EnvironmentBuildError; leaves nothing half-built."""
    details = resolved.details
    if not isinstance(details, PythonEnvironment) or resolved.key is None:
        raise TypeError("the environment was resolved by another manager")
    with cache_errors(request):
        entry, built = _cache(request).get_or_build(
            resolved.key,
            lambda folder: _build(recipe, request, details, folder, progress),
            rebuild=rebuild,
            waiting=lambda: progress("waiting for another process that builds the same environment"),
            facts=_facts(recipe, request, details),
        )
        lock = (entry / LOCK).read_text(encoding="utf-8")
    environment = entry / ENVIRONMENT
    return PreparedEnvironment(
        environ={**dict(details.spec.variables), "VIRTUAL_ENV": str(environment)},
        unset=UNSET,
        path_prefix=(environment / "bin",),
        lock=lock,
        built=built,
        build_log=entry / LOG,
        tags=_tags(details),
    )


def write_requirements(build: Build, lines: tuple[str, ...], name: str) -> Path:
    """A file for `-r` or `-c`; it may hold credentials and is gone when the build ends."""
    file = build.scratch / name
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


def install_arguments(build: Build) -> list[list[str | Path]]:
    """The `-r` and `-c` arguments of each step: the build requirements, then the others."""
    steps: list[list[str | Path]] = []
    spec = build.details.spec
    for name, requirements in (("build", spec.build_requirements), ("dependencies", spec.requirements)):
        if not requirements.lines:
            continue
        step: list[str | Path] = ["-r", write_requirements(build, requirements.lines, f"{name}.txt")]
        if requirements.constraints:
            step += ["-c", write_requirements(build, requirements.constraints, f"{name}-constraints.txt")]
        if spec.pinned:
            step.append("--no-deps")
        steps.append(step)
    return steps


def _cache(request: EnvironmentRequest) -> ContentCache:
    return ContentCache(request.cache_directory, probe=_PYTHON)


@contextmanager
def cache_errors(request: EnvironmentRequest) -> Iterator[None]:
    """EnvironmentBuildError for a cache that cannot be read or written."""
    try:
        yield
    except BrokenPipeError:
        raise  # of the progress lines
    except OSError as error:
        raise EnvironmentBuildError(
            f"the environment cache {request.cache_directory} cannot be used: {error.strerror or error}",
            hint=MORE_SPACE
            if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None))
            else "set PROJRUN_CACHE_DIR to a writable folder",
        ) from None


def _build(
    recipe: Recipe,
    request: EnvironmentRequest,
    details: PythonEnvironment,
    folder: Path,
    progress: Progress,
) -> None:
    import shutil

    from projrun_backends.environments.python.locks import lock_text
    from projrun_backends.environments.python.tools import ToolError, ToolRunner, build_environ

    settings = package_settings(request.environ)
    environ = {**build_environ(request.environ), **recipe.environ(settings, request.environ)}
    scratch = folder / "scratch"
    scratch.mkdir()
    log = folder / LOG
    tools = ToolRunner(log, environ, build_secrets(details.spec, settings, environ), progress, scratch)
    build = Build(folder / ENVIRONMENT, folder / _PYTHON, scratch, details, settings, tools, environ)
    version = details.interpreter.version
    progress(f"building the environment: {recipe.manager}, Python {version}, {details.spec.summary}")
    try:
        with left_clean(details.spec, request):
            frozen = recipe.build(build)
    except ToolError as error:
        source = details.spec.source
        check = f"check what {source} asks for and where packages come from" if source else ""
        raise build_failure(source, error, (check, recipe.hint), log) from None
    shutil.rmtree(scratch)
    lock = lock_text(frozen, version, details.spec, request.project_directory)
    (folder / LOCK).write_text(lock, encoding="utf-8")
    (folder.parent / FAILED_LOG).unlink(missing_ok=True)


def _facts(recipe: Recipe, request: EnvironmentRequest, details: PythonEnvironment) -> Facts:
    spec = details.spec
    lines = (*spec.build_requirements.lines, *spec.requirements.lines)
    return {
        "manager": recipe.manager,
        "python": str(details.interpreter.version),
        "interpreter": str(details.interpreter.path),
        "summary": spec.summary,
        "project": str(request.project_directory),
        "files": tuple(str(file) for file in spec.files),
        "requirements": tuple(without_credentials(line) for line in lines),
    }


def _kept_log(log: Path) -> Path | None:
    """The log of a failed build outlives its folder; None if nothing could be written."""
    kept = log.parent.parent / FAILED_LOG
    try:
        log.replace(kept)
        return kept if kept.stat().st_size else None
    except OSError:
        return None


def build_failure(
    source: str, error: ToolError, advice: tuple[str, ...], log: Path, *, why: str = ""
) -> EnvironmentBuildError:
    """The error of a build in which a tool failed; its log is kept. `why` explains better than the tool's name."""
    from projrun_backends.environments.python.causes import cause_of  # only of a build that failed

    kept = _kept_log(log)
    if any(words in line for line in error.tail for words in _FULL):
        advice = (MORE_SPACE,)
    elif not why and (cause := cause_of(error.tail)):
        why = cause.why
        advice = (cause.advice,) if cause.advice else advice[:1]
    told = f"the whole output is in {kept}" if kept else ""
    return EnvironmentBuildError(
        f"the environment of {source or 'the project'} could not be built: {why or error}",
        hint="; ".join(part for part in (*advice, told) if part),
        detail="\n".join(error.tail),
        log=kept,
    )


def build_secrets(
    spec: EnvironmentSpec, settings: PackageSettings, environ: Mapping[str, str]
) -> frozenset[str]:
    from projrun_backends.environments.python.index_credentials import secrets_of

    lines = [
        *spec.build_requirements.lines,
        *spec.build_requirements.constraints,
        *spec.requirements.lines,
        *spec.requirements.constraints,
    ]
    named = {environ[name] for name in referenced_variables(lines) if name in environ}
    configured = [value for name, value in environ.items() if name.startswith(("PIP_", "UV_"))]
    texts = [*lines, *configured, *settings.pip.values(), repr(settings.uv_file)]
    return secrets_of(texts, environ) | frozenset(value for value in named if len(value) > 3)
