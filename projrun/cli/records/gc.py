"""`projrun gc`: what was deleted is removed for good, with its artifacts."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from typing import Any

import click

from projrun.cli.asking import at_terminal, confirm
from projrun.cli.options import click_option, json_option, tracking_uri_option
from projrun.cli.quantities import ago_text, count_text, parse_duration
from projrun.cli.records.purging import remove_for_good
from projrun.cli.rendering import print_json, print_line, print_text, print_warning
from projrun.cli.server.opening import own_store
from projrun.errors import NotFoundError, RequestError, TrackingError
from projrun.settings.server import ARTIFACTS_DESTINATION, BACKEND_STORE
from projrun.tracking.parts import part_of
from projrun.tracking.purge import Deleted, Kind, Purge
from projrun.tracking.runs import RunStore


@click.command()
@click.option(
    "--older-than", metavar="TIME", default="0d", help="Only what was deleted this long ago: 30d, 2d8h."
)
@click.option("--run-ids", metavar="ID,...", default="", help="Only these runs, and what else is named.")
@click.option(
    "--experiment-ids", metavar="ID,...", default="", help="Only these experiments, with their runs."
)
@click.option("--logged-model-ids", metavar="ID,...", default="", help="Only these logged models.")
@click.option("--dry-run", is_flag=True, help="Show what would be removed; remove nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask on a terminal.")
@tracking_uri_option
@click_option(BACKEND_STORE, "run")
@click_option(ARTIFACTS_DESTINATION, "run")
@json_option
def gc(
    older_than: str, run_ids: str, experiment_ids: str, logged_model_ids: str, dry_run: bool, yes: bool,
    as_json: bool, **values: Any,
) -> None:  # fmt: skip
    """Remove deleted runs, logged models and experiments for good, with their artifacts.

    Works on the store itself, also while a server serves it: the embedded one unless another is named. What was
    deleted with an experiment is removed with it. On a terminal it asks first.

    \b
    projrun gc --older-than 30d --dry-run
    projrun gc --backend-store-uri postgresql://db/ml --artifacts-destination /srv
    """
    before = int((time.time() - parse_duration(older_than, "--older-than")) * 1000)
    named: dict[Kind, set[str]] = {
        "run": _ids(run_ids), "logged_model": _ids(logged_model_ids), "experiment": _ids(experiment_ids),
    }  # fmt: skip
    with own_store(values) as store:
        purge = part_of(store, Purge)
        chosen = choose(purge.find_deleted(), named, before)
        asks = bool(chosen) and not (yes or as_json) and at_terminal()
        if dry_run or asks:
            _announce(chosen, as_json=as_json)
        if dry_run:
            return
        if asks:
            confirm(
                f"Remove {_counted(chosen)} for good, with all artifacts?",
                RequestError("nothing was removed"),
            )
        _remove_all(store, purge, chosen, as_json=as_json)


def choose(found: Sequence[Deleted], named: Mapping[Kind, Set[str]], before: int) -> list[Deleted]:
    """What is named, else all; with experiments, what is in them.

    Raises RequestError for what is named and was not deleted, or later than `before`.
    """
    known = {(each.kind, each.id): each for each in found}
    keys = [(kind, identifier) for kind, ids in named.items() for identifier in sorted(ids)]
    for kind, identifier in keys:
        if (kind, identifier) not in known:
            raise RequestError(
                f"{kind.replace('_', ' ')} {identifier} is not deleted",
                hint="only what is deleted is removed",
            )
        if known[kind, identifier].deleted_time > before:
            raise RequestError(f"{known[kind, identifier].words} was deleted later than --older-than says")
    wanted = set(keys) or {key for key, each in known.items() if each.deleted_time <= before}
    return [each for each in found if {(each.kind, each.id), ("experiment", each.experiment_id)} & wanted]


def _ids(text: str) -> set[str]:
    return {word for part in text.split(",") if (word := part.strip())}


def _announce(chosen: Sequence[Deleted], *, as_json: bool) -> None:
    if as_json:
        print_json({"dry_run": True, "removed": [_document(each) for each in chosen], "kept": []})
        return
    for each in chosen:
        ago = ago_text(time.time() - each.deleted_time / 1000)
        print_line(f"would remove {each.words}, deleted {ago}")
    print_text(f"{_counted(chosen)} would be removed", err=True)


def _remove_all(store: RunStore, purge: Purge, chosen: Sequence[Deleted], *, as_json: bool) -> None:
    """One after the other; raises TrackingError at the end where some could not be removed."""
    removed, kept = list[Deleted](), list[Deleted]()
    for each in chosen:
        try:
            remove_for_good(store, purge, each)
        except NotFoundError as error:
            print_warning(error.message)
        except (TrackingError, OSError) as error:
            kept.append(each)
            print_warning(f"could not remove {each.words}: {error}")
        else:
            removed.append(each)
            if not as_json:
                print_line(f"removed {each.words}")
    if as_json:
        documents = [[_document(each) for each in some] for some in (removed, kept)]
        print_json({"dry_run": False, "removed": documents[0], "kept": documents[1]})
    else:
        print_text(f"{_counted(removed)} removed", err=True)
    if kept:
        raise TrackingError(
            f"{_counted(kept)} could not be removed", hint="`projrun gc` again removes what is left"
        )


def _counted(some: Sequence[Deleted]) -> str:
    """`2 runs and 1 experiment`."""
    kinds = Counter(each.kind for each in some)
    parts = [count_text(number, kind.replace("_", " ")) for kind, number in kinds.items()]
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:]))) or "nothing"


def _document(deleted: Deleted) -> dict[str, object]:
    return {
        "kind": deleted.kind,
        "id": deleted.id,
        "name": deleted.name,
        "deleted_time": deleted.deleted_time,
        "experiment_id": deleted.experiment_id,
    }
