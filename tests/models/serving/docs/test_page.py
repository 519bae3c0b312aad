"""The page and the document of models with hostile files; what they look like is tested in a browser."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.models.serving.answers import json_answer
from projrun.models.serving.description import Description, describe
from projrun.models.serving.docs.openapi import openapi
from projrun.models.serving.docs.page import page
from projrun.models.serving.served import ServedModel

HOSTILE = "</textarea><script>alert(1)</script>\"><img src=x onerror='alert(2)'>\ud800\x00"


def model(folder: Path, name: str = "m", example: str = "", **signature: object) -> Description:
    """Described by files that are written into a folder."""
    lines = ["flavors: {python_function: {loader_module: m}}"]
    if signature:
        lines += [
            "signature:",
            *(f"  {part}: {json.dumps(json.dumps(it))}" for part, it in signature.items()),
        ]
    if example:
        lines.append(f"saved_input_example_info: {{artifact_path: x, serving_input_path: {example}}}")
    (folder / "MLmodel").write_text("\n".join(lines))
    return describe(ServedModel(name, folder, (), {}))


class Tags(HTMLParser):
    """The elements of a page, and the texts in them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.texts += data


def test_names_of_a_signature_are_text(tmp_path: Path) -> None:
    column = {"type": "double", "name": HOSTILE}
    param = {"type": "string", "name": HOSTILE, "default": HOSTILE}
    plain = Tags(
        page(
            [model(tmp_path, inputs=[column | {"name": "a"}], params=[param | {"name": "b"}])], ""
        ).body.decode()
    )
    hostile = model(tmp_path, name=HOSTILE, inputs=[column], params=[param], outputs=[column])
    seen = Tags(page([hostile._replace(version=HOSTILE, example=[HOSTILE])], "").body.decode())
    assert seen.tags == plain.tags | {"span"}
    assert seen.attributes == plain.attributes
    assert seen.texts.count("<script>alert(1)</script>") > 5
    written = json_answer(openapi([hostile, hostile])).body
    assert HOSTILE in json.loads(written)["components"]["schemas"]["Model1Row"]["properties"]


def test_numbers_that_json_has_not_are_null(tmp_path: Path) -> None:
    param = {"type": "double", "name": "p", "default": float("nan")}
    (tmp_path / "example.json").write_text('{"instances": [Infinity]}')
    described = model(tmp_path, example="example.json", params=[param])
    assert b"NaN" not in json_answer(openapi([described])).body
    assert json.loads(json_answer({"a": [float("inf"), 1]}).body) == {"a": [None, 1]}


@pytest.mark.parametrize("content", ["{", "\ud800", "[" * 100_000, f'"{"x" * 100_000}"'])
def test_an_example_that_is_none_is_left_out(tmp_path: Path, content: str) -> None:
    (tmp_path / "example.json").write_text(content, errors="surrogatepass")
    assert model(tmp_path, example="example.json").example is None


@pytest.mark.parametrize("path", ["../secret.json", "link.json", "absent.json", "."])
def test_an_example_is_in_the_models_folder(tmp_path: Path, path: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.json").write_text('"secret"')
    (folder / "link.json").symlink_to(tmp_path / "secret.json")
    assert model(folder, example=path).example is None


def test_a_tensor_of_endless_dimensions_is_refused(tmp_path: Path) -> None:
    tensor = {"type": "tensor", "tensor-spec": {"dtype": "int8", "shape": [1] * 1000}}
    with pytest.raises(RequestError, match="more than 64 dimensions"):
        model(tmp_path, inputs=[tensor])


def test_a_large_tensor_is_no_request_to_begin_with(tmp_path: Path) -> None:
    tensor = {"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 224, 224, 3]}}
    assert len(page([model(tmp_path, inputs=[tensor])], "").body) < 5000
