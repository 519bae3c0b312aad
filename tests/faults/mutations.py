"""Damaged and hostile variants of a text, from a seed: the same number gives the same variant on every machine."""

# ruff: noqa: E501 - what is tried stands on one line

from __future__ import annotations

import random
import re
from collections.abc import Callable

_TOKENS = (
    "{", "}", "[", "]", ":", ": ", "- ", "&a", "*a", "<<: *a", "!!int", "!!python/object:os.system", "|", ">", "---\n",
    "...\n", "null", "~", "true", ".inf", ".nan", "0x1f", "1e999", "-1", "''", '""', '"', "'", "\\", "\n", "\t", "\r",
    "#", "=", "==", ">=", "@", "//", "../", "/", "file:///", "https://u:p@h/", "${A}", "$(x)", "{a}", "{{", "}}", "%s",
    "-r ", "-c ", "-e ", "--find-links ", "; python_version < '3'", "\0", "\x1b[2J", "\u202e", "\u2028", "\x85", "\ufeff",
    "é", "日本", "\U0001f600", "\ud800", "1.2.3.4.5", "^1", "~1", "*", "|| ", "<", "1970-01-01", "[[a]]", "[a.b]",
)  # fmt: skip
_ENCODINGS = ("utf-16", "utf-32", "latin-1", "utf-16-le", "utf-8-sig")


def mutated(text: str, number: int) -> bytes:
    """The variant of that number: one to four changes, then bytes."""
    chance = random.Random(f"{number}:{len(text)}")
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 4))):
        text = chance.choice(_CHANGES)(text, chance)
    if chance.random() < 0.06:
        return text.encode(chance.choice(_ENCODINGS), "replace")
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    if chance.random() < 0.25 and data:
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def mutated_bytes(data: bytes, number: int) -> bytes:
    """The same for what is no text: bytes changed, doubled, removed, and moved."""
    chance = random.Random(f"{number}:{len(data)}")
    found = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 3, 8, 30))):
        place = chance.randrange(len(found) + 1)
        piece = found[place : place + chance.choice((1, 4, 16, 512))]
        change = chance.choice(("flip", "flip", "flip", "remove", "double", "move", "ones", "cut"))
        if change == "flip" and piece:
            found[place] = chance.randrange(256)
        elif change == "ones" and piece:
            found[place : place + len(piece)] = b"\xff" * len(piece)
        elif change == "double":
            found[place:place] = piece * chance.choice((1, 3))
        elif change == "cut" and chance.random() < 0.2:
            del found[place:]
        elif piece:
            del found[place : place + len(piece)]
            if change == "move":
                other = chance.randrange(len(found) + 1)
                found[other:other] = piece
    return bytes(found)


def _insert_token(text: str, chance: random.Random) -> str:
    place = chance.randint(0, len(text))
    return text[:place] + chance.choice(_TOKENS) + text[place:]


def _replace_word(text: str, chance: random.Random) -> str:
    words = list(re.finditer(r"[\w.]+", text))
    if not words:
        return text
    word = chance.choice(words)
    return text[: word.start()] + chance.choice((*_TOKENS, _number(chance))) + text[word.end() :]


def _number(chance: random.Random) -> str:
    digits = chance.choice((5, 20, 400, 5000))
    return chance.choice(("", "-", "0x", "0b", "1e", "0.", "1_")) + chance.choice("123456789") * digits


def _remove(text: str, chance: random.Random) -> str:
    start = chance.randint(0, len(text))
    return text[:start] + text[start + chance.choice((1, 3, 20, 200)) :]


def _repeat(text: str, chance: random.Random) -> str:
    start = chance.randint(0, len(text))
    piece = text[start : start + chance.choice((1, 5, 40))]
    return text[:start] + piece * chance.choice((2, 10, 300)) + text[start:]


def _nest(text: str, chance: random.Random) -> str:
    opening, closing = chance.choice(
        (("[", "]"), ("{a: ", "}"), ('{"a": ', "}"), ("(", ")"), ("- ", ""), ("a.", ""))
    )
    depth = chance.choice((10, 70, 2000))
    place = chance.randint(0, len(text))
    return text[:place] + opening * depth + "1" + closing * depth + text[place:]


def _swap_lines(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    chance.shuffle(lines)
    return "".join(lines[: chance.randint(1, max(1, len(lines)))])


def _indent(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    if lines:
        place = chance.randrange(len(lines))
        lines[place] = chance.choice((" ", "  ", "\t", "    ")) + lines[place]
    return "".join(lines)


def _double_line(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    if lines:
        lines.insert(chance.randint(0, len(lines)), chance.choice(lines))
    return "".join(lines)


def _bomb(text: str, chance: random.Random) -> str:
    levels = chance.choice((3, 9, 30))
    lines = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, levels)]
    return chance.choice(
        ("\n".join(lines) + "\n" + text, text + "\nx: &x {x: *x}\n", text + "\nx: &x\n  <<: *x\n")
    )


def _spaces(text: str, chance: random.Random) -> str:
    """What a pattern with two neighbouring repeats takes quadratic time for."""
    place = chance.randint(0, len(text))
    return text[:place] + chance.choice(" \t\n-.[(a") * chance.choice((500, 60_000)) + text[place:]


_CHANGES: tuple[Callable[[str, random.Random], str], ...] = (
    _insert_token, _insert_token, _insert_token, _replace_word, _replace_word, _replace_word, _remove, _remove, _repeat,
    _nest, _swap_lines, _indent, _double_line, _bomb, _spaces,
)  # fmt: skip
