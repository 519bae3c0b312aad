"""Texts that people read are plain English: phrasings that readers stumbled over do not come back.

Checked are `--help` of every command, the string literals, docstrings and comments of the code, and the documents.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import pytest

from projrun.cli.application import application
from tests.support.code import nodes
from tests.support.guard import REPOSITORY

pytestmark = pytest.mark.together("syntax trees")

CODE = sorted(
    file for folder in ("projrun", "backends", "scripts") for file in (REPOSITORY / folder).rglob("*.py")
)
DOCUMENTS = sorted(
    file
    for pattern in ("*.md", "docs/*.md", "benchmarks/*.md", "example_projects/**/*.md")
    for file in REPOSITORY.glob(pattern)
    if not any(part.startswith(".") for part in file.relative_to(REPOSITORY).parts)
)

INSTEAD = {
    r"anew": "again",
    r"shall": "must, or the present tense",
    r"(?:if )?need be": "if needed",
    r"whence": "where … from",
    r"made[- ]up": "generated",
    r"(?:go|goes|went) (?:before|after)": "take precedence over",
    r"(?:is|are|was|were) told": "say who does what",
    r"texts only": "values must be strings",
    r"nobody|somebody": "say who, or that it does not happen",
    r"in all\b(?! (?:of|the|cases|other))": "in total",
    r"leaves? (?:\S+ ){1,3}away|leave (?:\S+ )out": "remove",
    r"has not(?=[ ]?[.,;:)]|$)": "does not have, does not support",
    r"begins? (?:the )?(?:ids?|keys?) of": "is ambiguous: it matches several",
    r"(?:is|are|was) no (?:lock|archive|file|folder|list|address|name|protocol|pattern|number)": "is not a …",
    r"not what (?:they|it) (?:was|were)": "changed",
    r"nothing tells": "is unknown",
    r"the way of a run": "run lifecycle",
    r"by the look of": "that look like",
    r"be it (?:a|an|of|by)": "either, or",
    r"in the eyes of": "for",
    r"carr(?:y|ies|ied) (?:\S+ ){0,2}out": "execute, run, repeat",
    r"what became of": "the result of",
    r"for longest": "least recently used",
}
"""Regular expressions of the phrasings, and what to write."""

ALLOWED = {
    ("backends/projrun_backends/environments/conda/settings.py", "nobody"),  # the user of `~nobody`
    ("backends/projrun_backends/environments/python/indexes.py", "nobody"),
    ("projrun/environments/protocol.py", "nobody"),
    ("backends/projrun_backends/environments/python/requirements.py", "nobody"),
}
"""Places where a phrase is right, as the file and the words."""

_FORBIDDEN = re.compile(rf"\b(?:{'|'.join(INSTEAD)})\b", re.IGNORECASE)


def test_help_is_plain() -> None:
    found = [f"{name}: {phrase}" for name, text in _helps(application, "projrun") for phrase in phrases(text)]
    assert found == []


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_documents_are_plain(file: Path) -> None:
    assert _offences(file, [(0, file.read_text(encoding="utf-8"))]) == []


def test_code_is_plain() -> None:
    suspicious = [file for file in CODE if _suspicious(file)]
    assert [offence for file in suspicious for offence in _offences(file, _all_texts(file))] == []


def _suspicious(file: Path) -> bool:
    """Whether a phrase may be in it: a quick look, which finds too much and misses nothing."""
    code = file.read_text(encoding="utf-8")
    remarks = (line.partition("#")[2] for line in code.splitlines() if "#" in line)
    literals = " . ".join(text for _, text in _literals(nodes(file)))
    return bool(phrases(literals) or phrases(" . ".join(remarks)))


def test_nothing_is_allowed_for_nothing() -> None:
    """Each exception is still needed."""
    files = {name for name, _ in ALLOWED}
    used = {
        (name, phrase.lower())
        for name in files
        for _, text in _all_texts(REPOSITORY / name)
        for phrase in phrases(text)
    }
    assert used >= ALLOWED


@pytest.mark.parametrize(
    "text",
    [
        "--rebuild-env builds anew",
        "[default: a made-up one]",
        "-P goes before\nthem",
        "Experiment to record in; made if need be",
        "leave --version away",
        "Every option says what shall be otherwise",
        "docker_auth holds texts only",
        "whoever is missing a credential is told what was tried",
        "by an extension, which projrun has not",
        "3 in all",
        "'3f' begins the ids of more than one run",
    ],
)
def test_clumsy_words_are_found(tmp_path: Path, text: str) -> None:
    assert phrases(text)
    for number, code in enumerate(
        (f"x = {text!r}\ny = 'plain'\n", f"x = 1  # {' '.join(text.split())}\n# plain\n")
    ):
        file = tmp_path / f"{number}.py"
        file.write_text(code)
        assert _suspicious(file)


@pytest.mark.parametrize(
    "text", ["Options take precedence over variables", "in all of them", "the URI has no host", "shallow"]
)
def test_plain_words_are_not(text: str) -> None:
    assert phrases(text) == []


def test_every_kind_of_text_is_read() -> None:
    code = '"""Doc."""\n# why\ndef f():\n    """Of f."""\n    return g(f"a {x} b" "c", "d")  # end\n'
    assert [text for _, text in texts(code)] == ["Doc.", "Of f.", "a … bc", "d", "why", "end"]


def phrases(text: str) -> list[str]:
    """The forbidden words in a text, lines joined."""
    return [match.group() for match in _FORBIDDEN.finditer(" ".join(text.split()))]


def texts(code: str) -> Iterator[tuple[int, str]]:
    """The string literals, docstrings and comments of Python code, with their lines."""
    yield from _literals(tuple(ast.walk(ast.parse(code))))
    yield from _comments(code)


def _literals(everything: Sequence[ast.AST]) -> Iterator[tuple[int, str]]:
    inside = {id(part) for node in everything if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in everything:
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, "".join(_part(part) for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.lineno, node.value


def _part(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else "…"


def _comments(code: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# ")


def _all_texts(file: Path) -> list[tuple[int, str]]:
    text = file.read_text(encoding="utf-8")
    return list(texts(text)) if file.suffix == ".py" else [(0, text)]


def _offences(file: Path, found: Iterator[tuple[int, str]] | list[tuple[int, str]]) -> list[str]:
    name = file.relative_to(REPOSITORY).as_posix()
    return [
        f"{name}:{line}: {phrase!r}; write: {_instead(phrase)}"
        for line, text in found
        for phrase in phrases(text)
        if (name, phrase.lower()) not in ALLOWED
    ]


def _instead(phrase: str) -> str:
    return next(word for pattern, word in INSTEAD.items() if re.fullmatch(pattern, phrase, re.IGNORECASE))


def _helps(command: click.Command, path: str) -> Iterator[tuple[str, str]]:
    context = click.Context(command, info_name=path)
    yield path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                yield from _helps(child, f"{path} {name}")
