"""The conformance kit of a model registry's searches: see `projrun.testing.registry`."""

from __future__ import annotations

import pytest

from projrun.errors import AlreadyExistsError, InvalidValueError
from projrun.testing.registry_base import RegistryKit, add_versions
from projrun.testing.run_store_base import unique
from projrun.tracking.entities import ModelVersion, Tag
from projrun.tracking.registry import IS_PROMPT, ModelRegistry

MODEL_FILTERS = {
    "": "Abc",
    "AND name = '{prefix}-b'": "b",
    "AND name != '{prefix}-b'": "Ac",
    "AND name LIKE '%-a'": "",
    "AND name ILIKE '%-a'": "A",
    "AND name IN ('{prefix}-b', '{prefix}-c', 'x')": "bc",
    "AND name NOT IN ('{prefix}-b')": "Ac",
    "AND tags.team = 'red'": "A",
    "AND tag.team != 'red'": "b",
    "AND tags.`team` ILIKE 'b%'": "b",
    "AND tags.team LIKE 'b%'": "",
    "AND tags.team = 'red' AND tags.level = '1'": "A",
    "and tags.team = 'red' and tags.level = '2'": "",
    "AND attribute.name ILIKE '%-C'": "c",
}
"""What is added to the names of three models, and the last letters of those that are found."""
VERSION_FILTERS = {
    "": "A2 A1 b1",
    "AND name = '{prefix}-A'": "A2 A1",
    "AND version_number = 1": "A1 b1",
    "AND version_number > 1": "A2",
    "AND version_number <= '1'": "A1 b1",
    "AND version_number != 2": "A1 b1",
    "AND source_path = 's3://other/place'": "b1",
    "AND source_path LIKE 's3://bucket/%/1'": "A2",
    "AND run_id = ''": "A2 A1 b1",
    "AND run_id IN ('', 'x')": "A2 A1 b1",
    "AND run_id != ''": "",
    "AND tags.team = 'red'": "A2",
    "AND tags.team ILIKE 'BLUE' AND tags.level = '2'": "b1",
}
REFUSED_FILTERS = (
    "name = 5",
    "name > 'a'",
    "name =",
    "nothing = 'x'",
    "description = 'x'",
    "tags.a IN ('x')",
    "metrics.a > 1",
    "name = 'a' OR name = 'b'",
    "name IN ()",
    "last_updated_timestamp > 1",
)


class RegistrySearchConformance(RegistryKit):
    """Searches over registered models and versions."""

    @pytest.fixture
    def prefix(self, registry: ModelRegistry) -> str:
        """Of the names of three models: `-A` with two versions, `-b` with one, `-c` with none."""
        prefix = unique("found")
        for name, tags in (
            ("A", [Tag("team", "red"), Tag("level", "1")]),
            ("b", [Tag("team", "Blue")]),
            ("c", []),
        ):
            registry.create_registered_model(f"{prefix}-{name}", tags=tags)
        add_versions(registry, f"{prefix}-A", 2)
        registry.create_model_version(
            f"{prefix}-b", source="s3://other/place", tags=[Tag("team", "Blue"), Tag("level", "2")]
        )
        registry.set_model_version_tag(f"{prefix}-A", "2", Tag("team", "red"))
        return prefix

    def test_registered_models_are_filtered(self, registry: ModelRegistry, prefix: str) -> None:
        found = {}
        for text in MODEL_FILTERS:
            condition = f"name LIKE '{prefix}%' {text}".replace("{prefix}", prefix)
            page = registry.search_registered_models(filter_string=condition)
            found[text] = "".join(model.name[-1] for model in page.models)
        assert found == MODEL_FILTERS

    def test_versions_are_filtered(self, registry: ModelRegistry, prefix: str) -> None:
        found = {}
        for text in VERSION_FILTERS:
            page = registry.search_model_versions(
                filter_string=f"name LIKE '{prefix}%' {text}".replace("{prefix}", prefix),
                order_by=["name ASC", "version_number DESC"],
            )
            found[text] = " ".join(map(_short, page.versions))
        assert found == VERSION_FILTERS

    def test_filters_that_are_refused(self, registry: ModelRegistry) -> None:
        for text in REFUSED_FILTERS:
            with pytest.raises(InvalidValueError):
                registry.search_registered_models(filter_string=text)
            with pytest.raises(InvalidValueError):
                registry.search_model_versions(filter_string=text)

    def test_orders(self, registry: ModelRegistry, prefix: str) -> None:
        own = f"name LIKE '{prefix}%'"
        before = registry.get_registered_model(f"{prefix}-b").last_update_time
        while registry.update_registered_model(f"{prefix}-b", description="x").last_update_time == before:
            continue

        def models(*order: str) -> str:
            page = registry.search_registered_models(filter_string=own, order_by=order)
            return "".join(model.name[-1] for model in page.models)

        def versions(*order: str) -> str:
            page = registry.search_model_versions(filter_string=own, order_by=order)
            return " ".join(map(_short, page.versions))

        assert models("name DESC") == "cbA"
        assert models("timestamp DESC")[0] == models("last_updated_timestamp DESC", "name")[0] == "b"
        assert versions("version_number", "name DESC") == "b1 A1 A2"
        assert versions("name DESC", "version_number ASC") == "b1 A1 A2"
        assert versions("creation_timestamp ASC", "name").endswith("b1")
        for order in ("nothing", "name UP", "tags.team", "name,timestamp"):
            with pytest.raises(InvalidValueError):
                models(order)
            with pytest.raises(InvalidValueError):
                versions(order)

    def test_last_changed_version_comes_first(self, registry: ModelRegistry, name: str) -> None:
        add_versions(registry, name, 3)
        before = registry.get_model_version(name, "3").last_update_time
        while registry.update_model_version(name, "1", description="x").last_update_time == before:
            continue
        found = registry.search_model_versions(filter_string=f"name = '{name}'").versions
        assert found[0].version == "1"

    def test_pages_of_models_and_versions(self, registry: ModelRegistry, prefix: str) -> None:
        own = f"name LIKE '{prefix}%'"
        models, token = "", ""
        versions: list[str] = []
        while page := registry.search_registered_models(filter_string=own, max_results=2, page_token=token):
            models += "".join(model.name[-1] for model in page.models)
            token = page.next_page_token
            if not token:
                break
        while found := registry.search_model_versions(
            filter_string=own, max_results=1, order_by=["name"], page_token=token
        ):
            versions += map(_short, found.versions)
            token = found.next_page_token
            if not token:
                break
        assert (models, versions) == ("Abc", ["A2", "A1", "b1"])
        with pytest.raises(InvalidValueError):
            registry.search_registered_models(max_results=1001)
        with pytest.raises(InvalidValueError):
            registry.search_model_versions(max_results=200_001)

    def test_prompts_are_found_by_who_asks_for_them(self, registry: ModelRegistry) -> None:
        prompt, model = unique("mixed"), unique("mixed")
        registry.create_registered_model(prompt, tags=[Tag(IS_PROMPT, "true")])
        registry.create_registered_model(model)
        for taken, tags in ((prompt, []), (model, [Tag(IS_PROMPT, "true")])):
            with pytest.raises(AlreadyExistsError, match="MLflow does not allow"):
                registry.create_registered_model(taken, tags=tags)
        registry.create_model_version(prompt, source="dummy-source", tags=[Tag(IS_PROMPT, "true")])
        add_versions(registry, model)
        either = f"name IN ('{prompt}', '{model}')"
        for condition, expected in (
            ("", [model]),
            (f"AND tags.`{IS_PROMPT}` = 'true'", [prompt]),
            (f"AND tags.`{IS_PROMPT}` != 'false'", [prompt]),
            (f"AND tags.`{IS_PROMPT}` != 'true'", [model]),
            (f"AND tags.`{IS_PROMPT}` = 'false'", [model]),
        ):
            text = f"{either} {condition}"
            models = registry.search_registered_models(filter_string=text).models
            versions = registry.search_model_versions(filter_string=text).versions
            assert [found.name for found in models] == expected
            assert [found.name for found in versions] == expected


def _short(version: ModelVersion) -> str:
    return f"{version.name[-1]}{version.version}"
