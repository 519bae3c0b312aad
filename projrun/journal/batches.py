"""Changes of one run, sent in batches: each arrives exactly once, whatever fails on the way."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from projrun.errors import NotFoundError
from projrun.journal.changes import Change
from projrun.journal.journal import Held, Journal
from projrun.journal.references import References
from projrun.journal.values import ValueSender, identity
from projrun.tracking import limits
from projrun.tracking.entities import ModelOutput, Run
from projrun.tracking.runs import RunStore

_MOST = {"metric": limits.BATCH_METRICS, "param": limits.BATCH_PARAMS, "tag": limits.BATCH_TAGS}


class RunSender:
    """Sends the changes of one run to its place in the target."""

    def __init__(self, journal: Journal, held: Held, target: RunStore, references: References) -> None:
        self._journal = journal
        self._held = held
        self._target = target
        self._references = references
        self._run_id = held.target
        self._doubtful = held.sent
        self._values = ValueSender(target, held.target, references)
        self.counts, self.refused = self._values.counts, self._values.refused

    def send_batch(self) -> bool:
        """Send the oldest changes that wait; False where none do."""
        batch = _batch(self._journal.changes(self._held, limits.BATCH_TOTAL))
        if not batch:
            return False
        kind = batch[0].kind
        if kind in _MOST:
            self._send_values(batch)
        elif kind == "no tag":
            self._delete_tag(batch[0].key)
        elif kind == "state":
            self._update(batch[0])
        else:
            self._send_inputs()
        self._journal.acknowledge(self._held, batch)
        return True

    def _send_values(self, batch: Sequence[Change]) -> None:
        doubtful = {
            change.seq for change in batch if change.kind == "metric" and change.seq <= self._doubtful
        }
        missing: Sequence[Change] = batch
        if doubtful:
            there = self._values.recorded({change.key for change in batch if change.seq in doubtful})
            missing = [one for one in batch if one.seq not in doubtful or identity(one.metric()) not in there]
        if missing:
            self._doubtful = max(self._doubtful, batch[-1].seq)
            self._journal.mark_sent(self._held, self._doubtful)
            self._values.send([change.entity() for change in missing])

    def _delete_tag(self, key: str) -> None:
        try:
            self._target.delete_tag(self._run_id, key)
        except NotFoundError:  # it never arrived there, or the deletion did, without an answer
            return

    def _update(self, change: Change) -> None:
        status = change.key
        self._target.update_run(self._run_id, status=status, end_time=change.value)  # type: ignore[arg-type]

    def _send_inputs(self) -> None:
        run = self._journal.store.get_run(self._held.run.run_id)
        if not send_inputs(self._target, self._run_id, run, self._references):
            self.refused.append(f"the datasets and models of run {self._run_id}: the store keeps none")


def send_inputs(target: RunStore, run_id: str, run: Run, references: References) -> bool:
    """All that a run read and wrote: what the target has of it already stays as it is. False where it keeps none."""
    from projrun.tracking.inputs import Inputs
    from projrun.tracking.parts import find_part

    inputs, text = find_part(target, Inputs), references.text
    if inputs is None:
        return False
    if run.datasets or run.model_inputs:
        datasets = [references.dataset(dataset) for dataset in run.datasets]
        inputs.log_inputs(run_id, datasets, [text(model) for model in run.model_inputs])
    if run.model_outputs:
        outputs = [ModelOutput(text(output.model_id), output.step) for output in run.model_outputs]
        inputs.log_outputs(run_id, outputs)
    return True


def _batch(waiting: Sequence[Change]) -> list[Change]:
    """As many of the oldest changes as one request takes."""
    if not waiting or waiting[0].kind not in _MOST:
        return list(waiting[:1])
    counts = dict.fromkeys(_MOST, 0)

    def fits(change: Change) -> bool:
        if change.kind not in counts:
            return False
        counts[change.kind] += 1
        return counts[change.kind] <= _MOST[change.kind]

    return list(takewhile(fits, waiting))
