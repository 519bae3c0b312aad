"""The conformance kit of model registries.

    class TestMyRegistry(ModelRegistryConformance):
        @pytest.fixture
        def store(self, tmp_path: Path) -> Iterator[RunStore]: ...

The registry under test is the store's part, unless the fixture `registry` is replaced. A store may be used by other
tests at the same time: names are unique, and searches ask for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from projrun.errors import AlreadyExistsError, InvalidValueError, NotFoundError
from projrun.testing.registry_base import ABSENT, RegistryKit, add_versions
from projrun.testing.registry_search import RegistrySearchConformance
from projrun.testing.run_store_base import unique
from projrun.tracking.entities import ModelAlias, Run, Tag
from projrun.tracking.registry import ModelRegistry, copy_model_version


class RegisteredModelsConformance(RegistryKit):
    """Registered models, their tags and aliases."""

    def test_registered_model_is_found(self, registry: ModelRegistry) -> None:
        name = unique("registered é")
        registry.create_registered_model(name, description="what it is", tags=[Tag("team", "a")])
        found = registry.get_registered_model(name)
        assert (found.name, found.description, found.tags) == (name, "what it is", (Tag("team", "a"),))
        assert found.creation_time == found.last_update_time > 0
        with pytest.raises(AlreadyExistsError):
            registry.create_registered_model(name)

    def test_names_differ_by_case(self, registry: ModelRegistry, name: str) -> None:
        registry.create_registered_model(name.upper())
        assert registry.get_registered_model(name.upper()).name == name.upper()

    def test_description_is_updated(self, registry: ModelRegistry, name: str) -> None:
        before = registry.get_registered_model(name)
        found = registry.update_registered_model(name, description="new")
        assert found.description == "new"
        assert found.last_update_time >= before.last_update_time
        assert registry.update_registered_model(name, description="").description == ""

    def test_renamed_model_keeps_what_it_has(self, registry: ModelRegistry, name: str) -> None:
        add_versions(registry, name, 2)
        registry.set_registered_model_tag(name, Tag("k", "v"))
        registry.set_registered_model_alias(name, "best", "1")
        registry.set_model_version_tag(name, "1", Tag("of", "version"))
        other = unique("renamed")
        assert registry.rename_registered_model(name, other).name == other
        found = registry.get_registered_model(other)
        assert found.tags == (Tag("k", "v"),)
        assert found.aliases == (ModelAlias("best", "1"),)
        assert [version.name for version in found.latest_versions] == [other]
        by_alias = registry.get_model_version_by_alias(other, "best")
        assert (by_alias.name, by_alias.tags) == (other, (Tag("of", "version"),))
        with pytest.raises(NotFoundError):
            registry.get_registered_model(name)
        registry.create_registered_model(name)
        assert add_versions(registry, name) == ["1"]
        assert add_versions(registry, other) == ["3"]

    def test_name_that_is_taken_is_refused(self, registry: ModelRegistry, name: str) -> None:
        other = registry.create_registered_model(unique("other")).name
        with pytest.raises(AlreadyExistsError):
            registry.rename_registered_model(name, other)
        assert registry.get_registered_model(name).name == name

    def test_names_that_are_refused(self, registry: ModelRegistry) -> None:
        for name in ("a/b", "a:b", " ", ".", "..", "a//b"):
            with pytest.raises(InvalidValueError):
                registry.create_registered_model(name)

    def test_deleted_model_is_gone(self, registry: ModelRegistry, name: str) -> None:
        add_versions(registry, name, 2)
        registry.set_registered_model_alias(name, "best", "1")
        registry.set_registered_model_tag(name, Tag("k", "v"))
        registry.set_model_version_tag(name, "2", Tag("k", "v"))
        registry.delete_registered_model(name)
        with pytest.raises(NotFoundError):
            registry.get_registered_model(name)
        with pytest.raises(NotFoundError):
            registry.get_model_version(name, "1")
        again = registry.create_registered_model(name)
        assert (again.tags, again.aliases, again.latest_versions) == ((), (), ())
        assert registry.search_model_versions(filter_string=f"name = '{name}'").versions == ()

    def test_tags_are_set_and_deleted(self, registry: ModelRegistry, name: str) -> None:
        for value in ("1", "2"):
            registry.set_registered_model_tag(name, Tag("k", value))
        registry.set_registered_model_tag(name, Tag("empty", ""))
        assert set(registry.get_registered_model(name).tags) == {Tag("k", "2"), Tag("empty", "")}
        for _ in range(2):
            registry.delete_registered_model_tag(name, "k")
        assert registry.get_registered_model(name).tags == (Tag("empty", ""),)

    def test_aliases_move_and_go(self, registry: ModelRegistry, name: str) -> None:
        add_versions(registry, name, 2)
        for version in ("1", "2"):
            registry.set_registered_model_alias(name, "best", version)
        registry.set_registered_model_alias(name, "Best", "1")
        assert set(registry.get_registered_model(name).aliases) == {
            ModelAlias("best", "2"),
            ModelAlias("Best", "1"),
        }
        assert registry.get_model_version_by_alias(name, "best").version == "2"
        assert registry.get_model_version(name, "2").aliases == ("best",)
        for _ in range(2):
            registry.delete_registered_model_alias(name, "best")
        with pytest.raises(NotFoundError):
            registry.get_model_version_by_alias(name, "best")

    def test_alias_goes_with_its_version(self, registry: ModelRegistry, name: str) -> None:
        add_versions(registry, name)
        registry.set_registered_model_alias(name, "best", "1")
        registry.delete_model_version(name, "1")
        assert registry.get_registered_model(name).aliases == ()

    def test_aliases_that_are_refused(self, registry: ModelRegistry, name: str) -> None:
        add_versions(registry, name)
        for alias in ("latest", "Latest", "v1", "V12", "a b", "a/b", "x" * 256):
            with pytest.raises(InvalidValueError):
                registry.set_registered_model_alias(name, alias, "1")

    def test_alias_latest_is_the_newest_version(self, registry: ModelRegistry, name: str) -> None:
        with pytest.raises(NotFoundError):
            registry.get_model_version_by_alias(name, "latest")
        add_versions(registry, name, 3)
        registry.transition_model_version_stage(name, "1", "Production")
        assert registry.get_model_version_by_alias(name, "latest").version == "3"

    def test_models_that_are_not_there(self, registry: ModelRegistry) -> None:
        attempts: Sequence[Callable[[], object]] = (
            lambda: registry.get_registered_model(ABSENT),
            lambda: registry.update_registered_model(ABSENT, description=""),
            lambda: registry.rename_registered_model(ABSENT, "other"),
            lambda: registry.delete_registered_model(ABSENT),
            lambda: registry.set_registered_model_tag(ABSENT, Tag("k", "v")),
            lambda: registry.delete_registered_model_tag(ABSENT, "k"),
            lambda: registry.set_registered_model_alias(ABSENT, "best", "1"),
            lambda: registry.delete_registered_model_alias(ABSENT, "best"),
            lambda: registry.get_model_version_by_alias(ABSENT, "best"),
            lambda: registry.get_latest_versions(ABSENT),
            lambda: registry.create_model_version(ABSENT, source="s3://b/m"),
        )
        for attempt in attempts:
            with pytest.raises(NotFoundError):
                attempt()


class ModelVersionsConformance(RegistryKit):
    """Versions of registered models."""

    def test_versions_are_counted(self, registry: ModelRegistry, model_run: Run, name: str) -> None:
        for number in (1, 2):
            source = f"{model_run.artifact_uri}/model{number}"
            made = registry.create_model_version(
                name, source=source, run_id=model_run.run_id, description="d", tags=[Tag("k", "v")]
            )
            assert (made.version, made.run_id, made.description) == (str(number), model_run.run_id, "d")
            assert (made.tags, made.status, made.current_stage) == ((Tag("k", "v"),), "READY", "None")
            assert registry.get_model_version(name, made.version) == made
            assert made.source == source
            assert registry.get_model_version_download_uri(name, made.version) == source
        assert [version.version for version in registry.get_registered_model(name).latest_versions] == ["2"]

    def test_number_of_a_deleted_version_is_not_used_again(self, registry: ModelRegistry, name: str) -> None:
        add_versions(registry, name, 3)
        registry.delete_model_version(name, "3")
        registry.delete_model_version(name, "1")
        with pytest.raises(NotFoundError):
            registry.get_model_version(name, "3")
        with pytest.raises(NotFoundError):
            registry.delete_model_version(name, "3")
        assert [version.version for version in registry.get_latest_versions(name)] == ["2"]
        assert add_versions(registry, name) == ["4"]

    def test_description_of_a_version(self, registry: ModelRegistry, name: str) -> None:
        add_versions(registry, name)
        assert registry.update_model_version(name, "1", description="new").description == "new"
        assert registry.get_model_version(name, "1").description == "new"

    def test_tags_of_a_version(self, registry: ModelRegistry, name: str) -> None:
        add_versions(registry, name, 2)
        for value in ("1", "2"):
            registry.set_model_version_tag(name, "1", Tag("k", value))
        assert registry.get_model_version(name, "1").tags == (Tag("k", "2"),)
        assert registry.get_model_version(name, "2").tags == ()
        for _ in range(2):
            registry.delete_model_version_tag(name, "1", "k")
        assert registry.get_model_version(name, "1").tags == ()

    def test_latest_versions_of_stages(self, registry: ModelRegistry, name: str) -> None:
        add_versions(registry, name, 5)
        for version, stage in (("1", "Production"), ("2", "production"), ("3", "STAGING")):
            registry.transition_model_version_stage(name, version, stage)
        found = {version.current_stage: version.version for version in registry.get_latest_versions(name)}
        assert found == {"Production": "2", "Staging": "3", "None": "5"}
        assert [version.version for version in registry.get_latest_versions(name, ["production"])] == ["2"]
        assert registry.get_latest_versions(name, ["Archived"]) == ()
        with pytest.raises(InvalidValueError):
            registry.get_latest_versions(name, ["nowhere"])

    def test_existing_versions_of_a_stage_are_archived(self, registry: ModelRegistry, name: str) -> None:
        add_versions(registry, name, 3)
        for version in ("1", "2"):
            registry.transition_model_version_stage(name, version, "Production")
        moved = registry.transition_model_version_stage(name, "3", "production", archive_existing=True)
        assert moved.current_stage == "Production"
        stages = [registry.get_model_version(name, number).current_stage for number in ("1", "2", "3")]
        assert stages == ["Archived", "Archived", "Production"]
        with pytest.raises(InvalidValueError):
            registry.transition_model_version_stage(name, "1", "elsewhere")

    def test_version_is_copied(self, registry: ModelRegistry, name: str) -> None:
        registry.create_model_version(name, source="s3://b/m", description="d", tags=[Tag("k", "v")])
        other = unique("copied")
        made = copy_model_version(registry, registry.get_model_version(name, "1"), other)
        assert (made.name, made.version, made.source) == (other, "1", f"models:/{name}/1")
        assert (made.description, made.tags) == ("d", (Tag("k", "v"),))
        assert registry.get_model_version_download_uri(other, "1") == "s3://b/m"
        again = copy_model_version(registry, made, other)
        assert (again.version, registry.get_model_version_download_uri(other, "2")) == ("2", "s3://b/m")

    def test_versions_that_are_not_there(self, registry: ModelRegistry, name: str) -> None:
        attempts: Sequence[Callable[[], object]] = (
            lambda: registry.get_model_version(name, "9"),
            lambda: registry.get_model_version_download_uri(name, "9"),
            lambda: registry.update_model_version(name, "9", description=""),
            lambda: registry.delete_model_version(name, "9"),
            lambda: registry.transition_model_version_stage(name, "9", "Staging"),
            lambda: registry.set_model_version_tag(name, "9", Tag("k", "v")),
            lambda: registry.delete_model_version_tag(name, "9", "k"),
            lambda: registry.set_registered_model_alias(name, "best", "9"),
            lambda: registry.get_model_version(ABSENT, "1"),
        )
        for attempt in attempts:
            with pytest.raises(NotFoundError):
                attempt()
        for version in ("latest", "1.5", "x"):
            with pytest.raises(InvalidValueError):
                registry.get_model_version(name, version)


class ModelRegistryConformance(
    RegisteredModelsConformance, ModelVersionsConformance, RegistrySearchConformance
):
    """All of the contract."""


class RegistryRaces:
    """A registry that many processes write to at once; for stores of which every thread can open one."""

    @pytest.fixture
    def open_registry(self) -> Callable[[], ModelRegistry]:
        """Opens the same registry again, for the thread that calls; a subclass provides it."""
        raise NotImplementedError("a subclass of the kit provides the fixture `open_registry`")

    def test_threads_get_versions_of_their_own(self, open_registry: Callable[[], ModelRegistry]) -> None:
        name = open_registry().create_registered_model(unique("raced")).name

        def create(_: int) -> str:
            return open_registry().create_model_version(name, source="s3://b/m").version

        with ThreadPoolExecutor(20) as threads:
            numbers = list(threads.map(create, range(40)))
        assert sorted(map(int, numbers)) == list(range(1, 41))

    def test_one_of_many_gets_a_name(self, open_registry: Callable[[], ModelRegistry]) -> None:
        name = unique("raced")

        def create(_: int) -> bool:
            try:
                open_registry().create_registered_model(name)
            except AlreadyExistsError:
                return False
            return True

        def rename(index: int) -> bool:
            registry = open_registry()
            own = registry.create_registered_model(f"{name}-{index}").name
            try:
                registry.rename_registered_model(own, f"{name}-new")
            except AlreadyExistsError:
                return False
            return True

        with ThreadPoolExecutor(10) as threads:
            assert sum(threads.map(create, range(10))) == 1
            assert sum(threads.map(rename, range(10))) == 1

    def test_versions_come_and_go_at_once(self, open_registry: Callable[[], ModelRegistry]) -> None:
        name = open_registry().create_registered_model(unique("raced")).name

        def create_and_delete(_: int) -> str:
            registry = open_registry()
            version = registry.create_model_version(name, source="s3://b/m").version
            registry.set_registered_model_alias(name, "newest", version)
            registry.delete_model_version(name, version)
            return version

        with ThreadPoolExecutor(10) as threads:
            numbers = list(threads.map(create_and_delete, range(30)))
        assert len(set(numbers)) == 30
        found = open_registry().get_registered_model(name)
        assert (found.latest_versions, found.aliases) == ((), ())
