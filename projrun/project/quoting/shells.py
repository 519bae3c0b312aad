"""Which words of a command are shell lines themselves, and which are programs of other languages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from projrun.project.quoting.places import PLACEHOLDER, UnfinishedError, Word

SHELLS = frozenset({"sh", "bash", "dash", "ksh", "zsh"})
_SHELL_VARIABLES = frozenset({"$SHELL", "${SHELL}", "$BASH", "${BASH}"})
_RUNNERS = frozenset({"su", "runuser", "flock", "script", "sg"})
"""Programs that give what follows `-c` to a shell."""
_PREFIXES = frozenset({"command", "builtin", "exec", "env", "nohup"})
_PRINTERS = frozenset({"echo", "printf", "grep", "ssh"})
"""A shell's name among their words is text; what ssh sends is another machine's."""
_MOST_SHELLS = 20
"""In one command: far more than people write."""
_SHELL_NAME = re.compile(r"\b(?:ba|da|k|z)?sh\b")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*(?:\[[^]]*\])?\+?=", re.DOTALL)
_WITH_WORD = frozenset({"--rcfile", "--init-file"})

_CODE_OPTIONS = {
    "python": "-c",
    "perl": "-e",
    "ruby": "-e",
    "node": "-e",
    "Rscript": "-e",
    "R": "-e",
    "php": "-r",
}
_CODE_READERS = frozenset({"ssh", "psql", "mysql", "sqlite3"})
_CODE_PROGRAMS = frozenset({"awk", "gawk", "mawk", "nawk", "sed", "jq"})


class Script(NamedTuple):
    """The words that make up a shell line."""

    words: Sequence[Word]
    shell: str
    is_known: bool = True
    """False where it depends on other values whether it is one."""


def script_of(words: Sequence[Word]) -> Script | None:
    """The shell line among a command's words."""
    rest = _without_prefixes(words)
    if not rest:
        return None
    name = _program(rest[0])
    if name == "eval":
        return Script(rest[2:] if rest[1:2] and rest[1].text == "--" else rest[1:], "bash")
    if name == "trap":
        operands = [word for word in rest[1:] if word.text != "--"]
        return Script(_line_of(operands), "bash") if len(operands) > 1 else None
    if name in _RUNNERS:
        return _runner_script(rest)
    if name in _PRINTERS:
        return None
    return next(filter(None, _shell_scripts(rest)), None)


def reads_script(words: Sequence[Word]) -> str:
    """The shell that a command starts to read its lines from the input, without `-c` or a file; else ""."""
    for index, shell in _shells(words):
        has_line, is_known, operands, from_input = _options(words, index + 1)
        if not has_line and (from_input or not is_known or not operands):
            return shell
    return ""


def may_read_script(script: Script | None) -> bool:
    """Whether a shell line starts shells that could read their lines from the input of the line."""
    return script is not None and any(
        word.text is None or _SHELL_NAME.search(word.text) for word in script.words
    )


def prints(words: Sequence[Word]) -> bool:
    """Whether a command prints its own text: `echo`, `printf`, or `cat` of its input."""
    rest = _without_prefixes(words)
    return bool(rest) and (rest[0].text in ("echo", "printf") or (rest[0].text == "cat" and len(rest) == 1))


def foreign_reader(words: Sequence[Word]) -> str:
    """The program of another language that takes its input as code; "" where a command is none."""
    rest = _without_prefixes(words)
    name = _program(rest[0]) if rest else ""
    if _language(name) in _CODE_OPTIONS:
        return name if all(word.raw.startswith("-") for word in rest[1:]) else ""
    return name if name in _CODE_READERS else ""


def _language(name: str) -> str:
    return re.sub(r"[\d.]+$", "", name)


def foreign_words(words: Sequence[Word]) -> Iterator[tuple[str, Word]]:
    """The words with placeholders that programs of other languages take as code."""
    rest = _without_prefixes(words)
    name = _program(rest[0]) if rest else ""
    option = _CODE_OPTIONS.get(_language(name))
    for before, word in pairwise(rest):
        if not word.places or word.raw == PLACEHOLDER:
            continue
        is_program = name in _CODE_PROGRAMS and not (before.text or "").startswith("-")
        if is_program or name == "ssh" or (option and before.text == option):
            yield name, word


def is_assignment(word: Word) -> bool:
    """Whether a word begins with `NAME=`."""
    return _ASSIGNMENT.match(word.raw) is not None


def _program(word: Word) -> str:
    bare = word.raw.strip('"')
    if bare in _SHELL_VARIABLES:
        return "bash"
    return (word.text or "").rpartition("/")[2]


def _without_prefixes(words: Sequence[Word]) -> Sequence[Word]:
    for index, word in enumerate(words):
        is_option = index > 0 and word.raw.startswith("-")
        if not (is_assignment(word) or is_option or _may_vanish(word) or _program(word) in _PREFIXES):
            return words[index:]
    return ()


def _shell_scripts(words: Sequence[Word]) -> Iterator[Script | None]:
    for index, shell in _shells(words):
        has_line, is_known, operands, _ = _options(words, index + 1)
        line = _line_of(operands) if is_known else operands
        yield Script(line, shell, is_known) if has_line and operands else None


def _shells(words: Sequence[Word]) -> Iterator[tuple[int, str]]:
    """The words that are shells."""
    found = ((index, _program(word)) for index, word in enumerate(words))
    for number, (index, shell) in enumerate(pair for pair in found if pair[1] in SHELLS):
        if number == _MOST_SHELLS:
            raise UnfinishedError
        yield index, shell


def _line_of(operands: Sequence[Word]) -> Sequence[Word]:
    """The first operand; all where that one may vanish, so that another takes its place."""
    return operands if operands and _may_vanish(operands[0]) else operands[:1]


def _may_vanish(word: Word) -> bool:
    return word.text is None and word.raw.startswith("$") and word.raw not in _SHELL_VARIABLES


def _options(words: Sequence[Word], index: int) -> tuple[bool, bool, Sequence[Word], bool]:
    """Whether a shell's options have `-c`, whether all are known, the operands, and whether `-s` is there."""
    has_line, is_known, from_input = False, True, False
    while index < len(words):
        text = words[index].text
        if text is None or PLACEHOLDER in text:
            if has_line or (is_known and not any(map(_may_be_line_option, words[index:]))):
                break
            is_known = False  # it may be options, or none
        elif text in ("--", "-"):
            index += 1
            break
        elif text[:1] not in ("-", "+"):
            break
        elif text in _WITH_WORD:
            index += 1
        elif not text.startswith("--"):
            has_line = has_line or (text[0] == "-" and "c" in text)
            from_input = from_input or (text[0] == "-" and "s" in text)
            index += text.count("o") + text.count("O")
        index += 1
    return has_line, is_known, words[index:], from_input


def _may_be_line_option(word: Word) -> bool:
    return (word.text or "").startswith("-") and "c" in word.raw


def _runner_script(words: Sequence[Word]) -> Script | None:
    for before, word in pairwise(words):
        text = before.text or ""
        if text == "--command" or (text.startswith("-") and not text.startswith("--") and text.endswith("c")):
            return Script([word], "sh")
    return None
