"""`/docs`: what the models take and give, for people, with a box to try a request.

The page is whole without its script and asks nothing of other hosts. What models call themselves is text in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from html import escape
from pathlib import Path

from projrun.models.names import model_path
from projrun.models.serving.answers import Answer
from projrun.models.serving.description import Description
from projrun.models.serving.docs.samples import sample_request
from projrun.models.signature import Field, Signature

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}
FILES = {"style.css": "text/css", "page.js": "text/javascript"}
"""What the page loads."""
_MOST_LINES = 40


def page(descriptions: Sequence[Description], root: str) -> Answer:
    """The page; `root` leads from it to the server's root."""
    return Answer(200, "\n".join(_lines(descriptions, root)).encode(errors="replace"), "text/html", _HEADERS)


@cache
def file(name: str) -> Answer:
    """One of `FILES`."""
    return Answer(200, (Path(__file__).parent / name).read_bytes(), FILES[name], _HEADERS)


def _lines(descriptions: Sequence[Description], root: str) -> Iterator[str]:
    title = escape(", ".join(each.name for each in descriptions))
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f'<title>{title}</title><link rel="stylesheet" href="{root}docs/style.css">'
    yield f'<script type="module" src="{root}docs/page.js"></script></head><body><main>'
    if len(descriptions) > 1:
        yield f"<h1>{title}</h1>"
    for each in descriptions:
        yield from _model(each, root, alone=len(descriptions) == 1)
    yield '<footer class="muted">Requests and answers are those of MLflow\'s scoring server and of the Open Inference '
    yield f'Protocol, as <a href="{root}openapi.json">openapi.json</a> says for programs.</footer></main></body></html>'


def _model(model: Description, root: str, *, alone: bool) -> Iterator[str]:
    path = f"{root}invocations" if alone else f"{root}{model_path(model.name)[1:]}/invocations"
    version = f' <span class="muted">version {escape(model.version)}</span>' if model.version else ""
    heading = "h1" if alone else "h2"
    yield f"<section><{heading}>{escape(model.name)}{version}</{heading}>"
    signature = model.signature or Signature()
    if model.signature is None:
        yield '<p class="muted">The model has no signature: it does not say what it takes.</p>'
    yield from _table(
        "Inputs", "", [(each, "" if each.required else "optional") for each in signature.inputs]
    )
    yield from _table("Params", "Default", [(each, json.dumps(each.default)) for each in signature.params])
    yield from _table("Predictions", "", [(each, "") for each in signature.outputs])
    example = sample_request(signature) if model.example is None else model.example
    yield f'<form action="{escape(path)}" hidden><h3>Try it</h3>'
    yield f'<textarea spellcheck="false" aria-label="Request to {escape(model.name)}">'
    yield f"{escape(_text(example))}</textarea>"
    yield '<button>Send</button><span class="status" role="status"></span><pre class="answer" hidden></pre>'
    yield '<details><summary>As a command</summary><pre class="curl"></pre></details></form></section>'


def _table(title: str, last: str, rows: Sequence[tuple[Field, str]]) -> Iterator[str]:
    if not rows:
        return
    yield f"<h3>{title}</h3><table><thead><tr><th>Name</th><th>Type</th><th>{last}</th></tr></thead><tbody>"
    for index, (field, note) in enumerate(rows):
        name = f"<code>{escape(field.name)}</code>" if field.name else f'<span class="muted">{index}</span>'
        yield f"<tr><td>{name}</td><td>{escape(str(field.type))}</td><td>{escape(note)}</td></tr>"
    yield "</tbody></table>"


def _text(example: object) -> str:
    """In one line where it is long: a table of numbers would have one in each."""
    short = json.dumps(example, indent=2, ensure_ascii=False)
    return short if short.count("\n") < _MOST_LINES else json.dumps(example, ensure_ascii=False)
