"""What `projrun import` and `projrun export` share: the transfer while it works, and what it did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from projrun.cli.quantities import count_text, size_text
from projrun.cli.rendering import one_line, print_json, print_text, print_warning
from projrun.cli.reporter import CommandLineReporter
from projrun.errors import RequestError, TrackingError
from projrun.tracking.runs import RunStore
from projrun.transfer.report import Progress, Transferred
from projrun.transfer.source import Source
from projrun.transfer.transfer import Transfer

_MOST = 20
"""Lines of what could not be brought."""


def bring(
    source: Source,
    target: RunStore,
    verb: str,
    names: Sequence[str],
    *,
    artifacts: bool,
    check: bool,
    as_json: bool,
) -> int:
    """Bring a store into another one, and print what was brought; the exit code."""
    if source.uri == target.uri:
        raise RequestError(
            f"{source.uri} is the tracking store itself", hint="name another with --tracking-uri"
        )
    work = Transfer(source, target, names=names, artifacts=artifacts, check=check)
    try:
        with CommandLineReporter().activity(f"bringing {source.uri} to {target.uri}") as meter:
            work.progress = Progress(work.transferred, meter, size_text)
            work.run()
    except TrackingError as error:
        hint = error.hint or "the same command again brings the rest"
        raise TrackingError(error.message, hint=hint, detail=error.detail) from error
    return tell(work.transferred, source, verb, as_json=as_json)


def tell(done: Transferred, source: Source, verb: str, *, as_json: bool) -> int:
    """Print what was brought, and what is missing; the exit code."""
    notes, missing = [*dict.fromkeys([*done.notes, *source.notes])], [*done.missing, *source.skipped]
    if as_json:
        print_json({**asdict(done), "notes": notes, "missing": missing})
    else:
        for note in notes:
            print_text(one_line(f"projrun: {note}"), err=True)
        for text in missing[:_MOST]:
            print_warning(one_line(f"not {verb}: {text}"))
        if len(missing) > _MOST:
            print_warning(f"not {verb}: {len(missing) - _MOST} things more; --json names all of them")
        print_text(f"{verb} {_counts(done)}")
    return TrackingError.exit_code if missing else 0


def _counts(done: Transferred) -> str:
    some = [
        count_text(count, word)
        for count, word in (
            (done.experiments, "experiment"),
            (done.runs, "run"),
            (done.points, "point"),
            (done.models, "logged model"),
            (done.versions, "model version"),
        )
        if count
    ]
    if done.artifacts:
        some.append(f"{count_text(done.artifacts, 'artifact')} ({size_text(done.size)})")
    text = ", ".join(some) or "nothing"
    if not done.found:
        return text
    return f"{text}; {count_text(done.found, 'run')} {'was' if done.found == 1 else 'were'} there already"
