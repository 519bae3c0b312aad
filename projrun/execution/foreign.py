"""What another package's backend returns, checked: its faults are reported as its own."""

from __future__ import annotations

from collections.abc import Mapping

from projrun.execution.protocol import Job, JobRef, Outcome
from projrun.foreign import Origin, Results


def backend_results() -> Results:
    """The checks of what `submit`, `attach` and `how_held` return."""
    return {"submit": _checked_reference, "attach": ForeignJob, "how_held": _checked_texts}


class ForeignJob:
    """Another package's job."""

    def __init__(self, origin: Origin, job: Job) -> None:
        """Raises PluginError for what is no job."""
        origin.check_members(job, Job, "what `attach` returned")
        self._origin = origin
        self._job = job

    def poll(self) -> Outcome | None:
        """The outcome, checked."""
        with self._origin.faults():
            outcome = self._job.poll()
        return None if outcome is None else checked_outcome(self._origin, outcome, "poll")

    def wait(self) -> Outcome:
        """The outcome, checked."""
        with self._origin.faults():
            outcome = self._job.wait()
        return checked_outcome(self._origin, outcome, "wait")

    def signal(self, signum: int) -> None:
        """Pass it on."""
        with self._origin.faults():
            self._job.signal(signum)

    def logs(self, offset: int) -> bytes:
        """The job's bytes."""
        with self._origin.faults():
            printed = self._job.logs(offset)
        return self._origin.expect(printed, bytes, "what `logs` returned")


def checked_outcome(origin: Origin, outcome: object, method: str) -> Outcome:
    """An outcome that can be recorded; PluginError for anything else."""
    what = f"what `{method}` returned"
    checked = origin.expect(outcome, Outcome, what)
    if mistake := checked.mistake(what):
        raise origin.fault(mistake)
    return checked


def _checked_reference(origin: Origin, ref: object) -> JobRef:
    checked = origin.expect(ref, str, "what `submit` returned")
    if not checked.isprintable() or not checked:
        raise origin.fault(f"what `submit` returned is not a line of text: {checked!r}")
    return checked


def _checked_texts(origin: Origin, texts: object) -> Mapping[str, str]:
    checked = origin.expect(texts, Mapping, "what `how_held` returned")  # only asked
    for word in (*checked.keys(), *checked.values()):
        origin.expect(word, str, "a text of `how_held`")
    return checked
