"""What models are called where they are served."""

from __future__ import annotations

import pytest

from projrun.errors import RequestError
from projrun.models.names import NamedUri, model_name, model_path, model_version, parse_names


@pytest.mark.parametrize(
    ("uri", "name", "version"),
    [
        ("models:/wine/3", "wine", "3"),
        ("models:/wine/3/part", "wine", "3"),
        ("models:/red wine@champion", "red wine", ""),
        ("models:/wine/Production", "wine", ""),
        ("models:/m-0123", "m-0123", ""),
        ("runs:/0123/model", "model", ""),
        ("./a/model/", "model", ""),
        ("/", "model", ""),
        ("..", "model", ""),
        ("s3://bucket/wine", "wine", ""),
        ("https://host/wine.zip?token=a/b", "wine.zip", ""),
        ("https://host/repo.git#folder", "folder", ""),
    ],
)
def test_a_model_is_called_by_its_address(uri: str, name: str, version: str) -> None:
    assert (model_name(uri), model_version(uri)) == (name, version)
    assert parse_names([uri]) == [NamedUri(name, uri)]


def test_names_are_given_before_addresses() -> None:
    assert parse_names(["a=./x=y", "b.2=models:/wine/3", "s3://x/y=z", "./c=d"]) == [
        ("a", "./x=y"),
        ("b.2", "models:/wine/3"),
        ("y=z", "s3://x/y=z"),
        ("c=d", "./c=d"),
    ]


@pytest.mark.parametrize("words", [["./model", "runs:/1/model"], ["a=x", "a=y"], ["a=x", "./a"]])
def test_two_models_have_two_names(words: list[str]) -> None:
    with pytest.raises(RequestError, match="two models are called") as refusal:
        parse_names(words)
    assert "NAME=URI" in refusal.value.hint


def test_a_name_is_one_part_of_a_path() -> None:
    assert model_path("a/b ?\ud800") == "/models/a%2Fb%20%3F%3F"
