"""Searches over registered models and their versions. Prompts are found only by who asks for them, as in MLflow."""

from __future__ import annotations

from projrun.errors import InvalidValueError
from projrun.tracking import limits
from projrun.tracking.entities import ModelVersionPage, RegisteredModelPage
from projrun.tracking.registry import IS_PROMPT
from projrun.tracking.search.grammar import (
    MODEL_VERSIONS,
    REGISTERED_MODELS,
    Comparison,
    parse_filter,
    parse_ordering,
)
from projrun.tracking.sql.engine import Connection, Row
from projrun.tracking.sql.paging import Clause, SortKey
from projrun.tracking.sql.queries import Kind
from projrun.tracking.sql.registry import models, versions
from projrun.tracking.sql.search import Search, find_page

MOST_MODELS = 1000
MOST_VERSIONS = 200_000

_MODELS = Kind(
    REGISTERED_MODELS,
    "registry_models",
    "id",
    "model",
    {"tag": "registry_model_tags"},
    (SortKey("registry_models.name", str),),
)
_VERSIONS = Kind(
    MODEL_VERSIONS,
    "model_versions",
    "id",
    "version",
    {"tag": "registry_version_tags"},
    (SortKey("model_versions.name", str), SortKey("model_versions.version", int, descending=True)),
)
_NO_PROMPT = Clause(
    "registry_models.id NOT IN (SELECT model FROM registry_model_tags WHERE key = ? AND value = 'true')",
    (IS_PROMPT,),
)
_NO_PROMPT_VERSION = Clause(
    "model_versions.model NOT IN (SELECT registry_versions.model FROM registry_version_tags"
    " JOIN registry_versions ON registry_versions.id = registry_version_tags.version"
    " WHERE key = ? AND value = 'true')",
    (IS_PROMPT,),
)
_NEWEST_FIRST = ("last_updated_timestamp DESC",)


def registered_models(connection: Connection, search: Search) -> RegisteredModelPage:
    """By name where no order is given. Raises InvalidValueError."""
    rows, following = _page(connection, _MODELS, models.COLUMNS, _NO_PROMPT, search, MOST_MODELS)
    return RegisteredModelPage(tuple(models.from_rows(connection, rows)), following)


def model_versions(connection: Connection, search: Search) -> ModelVersionPage:
    """The last changed first where no order is given. Raises InvalidValueError."""
    ordered = search._replace(order_by=search.order_by or _NEWEST_FIRST)
    rows, following = _page(
        connection, _VERSIONS, versions.COLUMNS, _NO_PROMPT_VERSION, ordered, MOST_VERSIONS
    )
    return ModelVersionPage(tuple(versions.from_rows(connection, rows)), following)


def _page(
    connection: Connection, kind: Kind, columns: str, no_prompt: Clause, search: Search, most: int
) -> tuple[list[Row], str]:
    limits.check_page(search.max_results, most)
    fields = [parse_ordering(text, kind.searchable).field.key for text in search.order_by]
    if len(fields) != len(set(fields)):
        raise InvalidValueError(f"`order_by` contains duplicate fields: {list(search.order_by)}")
    comparisons = parse_filter(search.filter_string, kind.searchable)
    about_prompts = [comparison for comparison in comparisons if _is_about_prompts(comparison)]
    if about_prompts and _asks_for_prompts(about_prompts[0]):
        return find_page(connection, kind, columns, Clause("1 = 1"), comparisons, search)
    # Models have no such tag: whoever asks for those that are no prompts asks for what is found anyway.
    others = [comparison for comparison in comparisons if not _is_about_prompts(comparison)]
    return find_page(connection, kind, columns, no_prompt, others, search)


def _is_about_prompts(comparison: Comparison) -> bool:
    return (comparison.field.entity, comparison.field.key) == ("tag", IS_PROMPT)


def _asks_for_prompts(comparison: Comparison) -> bool:
    value = str(comparison.value).lower()
    return (comparison.operator, value) in (("=", "true"), ("!=", "false"))
