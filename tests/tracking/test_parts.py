"""Parts of a store: what it keeps beside runs, asked for by its contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import pytest

from projrun.tracking.parts import NotKeptError, find_part, open_part, part_of
from projrun.tracking.runs import RunStore
from projrun.tracking.sql.store import SqlStore


@runtime_checkable
class NoteBook(Protocol):
    """A contract that no store of ours knows."""

    def write_note(self, text: str) -> None: ...


class Notes:
    """Fulfils it, over what the store gives it."""

    def __init__(self, engine: str) -> None:
        self.engine = engine

    def write_note(self, text: str) -> None:
        """Nothing to do here."""


class StoreWithNotes:
    """A store of another package that opens its parts itself."""

    uri = "notes://here"

    def part(self, contract: type[Any]) -> Any:
        """Its only part."""
        return open_part({"NoteBook": f"{__name__}:Notes"}, contract, "engine")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    """An embedded store."""
    opened = SqlStore.open(tmp_path / "projrun.db")
    yield opened
    opened.close()


def test_part_is_given_what_it_needs() -> None:
    part = part_of(StoreWithNotes(), NoteBook)  # type: ignore[arg-type]
    assert isinstance(part, Notes)
    assert part.engine == "engine"


def test_store_that_fulfils_a_contract_is_its_own_part(store: RunStore) -> None:
    assert find_part(store, SqlStore) is store


def test_part_that_no_store_has_is_named(store: RunStore) -> None:
    assert find_part(store, NoteBook) is None
    with pytest.raises(NotKeptError, match=r"the store sqlite:.*projrun.db has no note book$"):
        part_of(store, NoteBook)
