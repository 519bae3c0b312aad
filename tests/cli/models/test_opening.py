"""Where a registered model's address leads."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from projrun.cli.models.opening import model_place
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.sql.store import SqlStore


@pytest.mark.parametrize(
    "address", ["models:/wine@champion", "models:/wine/latest", "models:/wine@champion/part"]
)
def test_another_version_at_the_same_place_is_another(tmp_path: Path, address: str) -> None:
    """As a model that is saved again to the same folder of an object store, and registered again."""
    values = {"uri": address, "tracking_uri": f"sqlite:///{tmp_path}/store.db"}
    with closing(SqlStore.open(tmp_path / "store.db")) as store:
        registry = part_of(store, ModelRegistry)
        registry.create_registered_model("wine")
        places = []
        for version in ("1", "2"):
            registry.create_model_version("wine", source="s3://bucket/model")
            registry.set_registered_model_alias("wine", "champion", version)
            assert model_place(values) == model_place(values)
            places.append(model_place(values))
    first, second = places
    assert first[1] == second[1]
    assert first[0] != second[0]
