"""The words of a shell line: quotes, escapes and expansions (bash's manual, "Quoting" and "Shell Expansions")."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from projrun.project.quoting.places import (
    AFTER_BACKSLASH,
    AFTER_DOLLAR,
    AFTER_NAME,
    AFTER_VARIABLE,
    ANSI,
    ANSI_IN_SH,
    ARITHMETIC,
    BACKTICKS,
    BARE,
    BRACES,
    DOUBLE,
    PLACEHOLDER,
    SINGLE,
    Document,
    Place,
    Reason,
    UnfinishedError,
    Word,
)

DEEPEST = 40
"""Levels of nesting, far beyond what people write and within what Python's stack takes."""

_MOST_AMBIGUOUS = 8
"""Occurrences of `((` that are no arithmetic: each is read twice."""
_METACHARACTERS = frozenset(" \t\n;&|<>()")
_PLAIN_RUN = re.compile(r"""[^\s;&|<>()'"\\$`\0*?\[]+""")
_QUOTED_RUN = re.compile(r'[^"\\$`\0]+')
_ORDINARY_RUN = re.compile(r"""[^'"\\$`\0()\[\]}]+""")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")
_SUBSTITUTING = re.compile(r"[#!]?\w+(?:\[[^]]*\])?:?[-=+?]")
"""`${NAME:-word}` and its like: in double quotes, a `'` in the word is an ordinary character."""
_ANSI_ESCAPES = {"\\": "\\", "'": "'", '"': '"', "n": "\n", "t": "\t"}


class WordScanner:
    """Reads words and notes the place of each placeholder; what commands are made of is `LineScanner`'s."""

    def __init__(self, text: str, shell: str = "bash", depth: int = 0) -> None:
        self.text = text
        self.shell = shell
        self.depth = depth
        self.at = 0
        self.places: list[Place] = []
        self.documents: list[Document] = []
        self._reason: Reason | None = None
        self._name_end = -1
        self._not_arithmetic: set[int] = set()

    def commands(self, closing: str = "") -> None:
        """Read commands up to `closing`."""
        raise NotImplementedError

    def char(self) -> str:
        """The character at the present place."""
        if self.at >= len(self.text):
            raise UnfinishedError
        return self.text[self.at]

    def mark(self, kind: str, reason: Reason | None = None) -> None:
        """Note the place of a placeholder."""
        self.places.append(Place((kind,), self._reason or reason))

    def refuse(self, indices: Iterable[int], reason: Reason) -> None:
        """Note why these placeholders take plain values only."""
        for index in indices:
            self.places[index] = self.places[index].refused(reason)

    @contextmanager
    def refusing(self, reason: Reason) -> Iterator[None]:
        """Within: every placeholder takes plain values only."""
        outer = self._reason
        self._reason = outer or reason
        try:
            yield
        finally:
            self._reason = outer

    def word(self) -> Word:
        """The word at the present place, up to a metacharacter."""
        begin, first = self.at, len(self.places)
        pieces: list[str | None] = []
        is_plain = True
        while self.at < len(self.text) and self.text[self.at] not in _METACHARACTERS:
            is_plain &= self.text[self.at] not in "'\"\\$`"
            pieces.append(self._part())
        text = None if None in pieces else "".join(filter(None, pieces))
        return Word(text, is_plain, self.text[begin : self.at], tuple(range(first, len(self.places))))

    def _part(self) -> str | None:
        char = self.text[self.at]
        if char == "'":
            return self._single()
        if char == '"':
            return self._double()
        if char in "\\$`":
            return self._expansion(char, is_quoted=False)
        if char == PLACEHOLDER:
            self.mark(BARE)
        run = _PLAIN_RUN.match(self.text, self.at)
        begin, self.at = self.at, run.end() if run else self.at + 1
        return None if char in "*?[" else self.text[begin : self.at]

    def _expansion(self, char: str, *, is_quoted: bool, special: str = "") -> str | None:
        if char == "\\":
            return self._backslash(special)
        if char == "$":
            return self._dollar(is_quoted)
        self._backticks()
        return None

    def _backslash(self, special: str) -> str:
        """What an escape stands for; `special`: what a backslash escapes in quotes, "" for anything."""
        following = self.text[self.at + 1 : self.at + 2]
        if following == PLACEHOLDER:
            self.mark(BARE, AFTER_BACKSLASH)
        if following == "\n" and self._name_end == self.at:
            self._name_end += 2
        self.at += 2
        if following == "\n":
            return ""
        return "\\" + following if not following or (special and following not in special) else following

    def _single(self) -> str:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise UnfinishedError
        inner = self.text[self.at + 1 : end]
        for _ in range(inner.count(PLACEHOLDER)):
            self.mark(SINGLE)
        self.at = end + 1
        return inner

    def _double(self) -> str | None:
        self.at += 1
        pieces: list[str | None] = []
        while self.char() != '"':
            pieces.append(self.quoted_part(DOUBLE, '$`"\\'))
        self.at += 1
        return None if None in pieces else "".join(filter(None, pieces))

    def quoted_part(self, kind: str, special: str) -> str | None:
        """A stretch of text in which only expansions and escapes of `special` characters count."""
        char = self.text[self.at]
        if char in "\\$`":
            return self._expansion(char, is_quoted=True, special=special)
        if char == PLACEHOLDER:
            if self._name_end != self.at:
                self.mark(kind)
            elif kind == DOUBLE:
                self.mark(AFTER_NAME)
            else:
                self.mark(kind, AFTER_VARIABLE)
        run = _QUOTED_RUN.match(self.text, self.at)
        begin, self.at = self.at, run.end() if run else self.at + 1
        return self.text[begin : self.at]

    def _backticks(self) -> None:
        self.at += 1
        with self.refusing(BACKTICKS):
            while self.char() != "`":
                if self.text[self.at] == PLACEHOLDER:
                    self.mark(BARE)
                if self.text[self.at] == "\\" and self.text[self.at + 1 : self.at + 2] != PLACEHOLDER:
                    self.at += 1
                self.at += 1
        self.at += 1

    def _dollar(self, is_quoted: bool) -> str | None:
        following = self.text[self.at + 1 : self.at + 2]
        if following == PLACEHOLDER:
            self.mark(BARE, AFTER_DOLLAR)
            self.at += 2
            return "$" + PLACEHOLDER
        if following and following in "({[":
            self._bracketed(following, is_quoted)
            return None
        if following == "'" and not is_quoted:
            return self._ansi()
        if following == '"' and not is_quoted:
            self.at += 1
            return self._double()
        if self.text.startswith("\\\n", self.at + 1):
            raise UnfinishedError
        variable = _VARIABLE.match(self.text, self.at + 1)
        if variable is None:
            self.at += 1
            return "$"
        self.at = variable.end()
        if not variable.group().isdigit():
            self._name_end = self.at
        return None

    @contextmanager
    def nesting(self) -> Iterator[None]:
        """Within: one level deeper."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise UnfinishedError
        try:
            yield
        finally:
            self.depth -= 1

    def _bracketed(self, bracket: str, is_quoted: bool) -> None:
        with self.nesting():
            self._in_brackets(bracket, is_quoted)

    def _in_brackets(self, bracket: str, is_quoted: bool) -> None:
        if bracket == "(":
            if not (self.text.startswith("$((", self.at) and self.arithmetic(self.at + 3)):
                self.at += 2
                self.commands(")")
            return
        self.at += 2
        if bracket == "[":
            with self.refusing(ARITHMETIC):
                self._brackets()
        else:
            with self.refusing(BRACES):
                self._braces(is_quoted)

    def _braces(self, is_quoted: bool) -> None:
        if self.char() in " \t\n|":  # bash 5.3: `${ command; }`
            raise UnfinishedError
        literal_quotes = is_quoted and _SUBSTITUTING.match(self.text, self.at) is not None
        while self.char() != "}":
            self._skip(is_quoted, literal_quotes)
        self.at += 1

    def _brackets(self) -> None:
        depth = 1
        while depth:
            char = self.char()
            depth += (char == "[") - (char == "]")
            self._skip(False, False)

    def arithmetic(self, begin: int) -> bool:
        """Read an arithmetic expression up to its `))`; False, and nothing read, where it is none."""
        if begin in self._not_arithmetic:
            return False
        if len(self._not_arithmetic) > _MOST_AMBIGUOUS:
            raise UnfinishedError
        saved = self.at, len(self.places), len(self.documents)
        self.at = begin
        try:
            with self.refusing(ARITHMETIC):
                if self._closes_twice():
                    return True
        except UnfinishedError:
            pass
        self.at = saved[0]
        del self.places[saved[1] :], self.documents[saved[2] :]
        self._not_arithmetic.add(begin)
        return False

    def _closes_twice(self) -> bool:
        depth = 0
        while depth or self.char() != ")":
            char = self.char()
            depth += (char == "(") - (char == ")")
            self._skip(False, False)
        if not self.text.startswith("))", self.at):
            return False
        self.at += 2
        return True

    def _skip(self, is_quoted: bool, literal_quotes: bool) -> None:
        """Pass over an element of an expression."""
        char = self.char()
        if char == "'" and not literal_quotes:
            self._single()
        elif char == '"':
            self._double()
        elif char in "\\$`":
            self._expansion(char, is_quoted=is_quoted)
        else:
            if char == PLACEHOLDER:
                self.mark(BARE)
            run = _ORDINARY_RUN.match(self.text, self.at)
            self.at = run.end() if run else self.at + 1

    def _ansi(self) -> str | None:
        self.at += 2
        pieces: list[str | None] = []
        while self.char() != "'":
            begin = self.at
            if self.text[begin] == "\\":
                following = self.text[begin + 1 : begin + 2]
                if following == PLACEHOLDER:
                    self.mark(ANSI, AFTER_BACKSLASH)
                pieces.append(_ANSI_ESCAPES.get(following))
                self.at += 2
            else:
                if self.text[begin] == PLACEHOLDER:
                    self.mark(ANSI, ANSI_IN_SH if self.shell in ("sh", "dash") else None)
                pieces.append(self.text[begin])
                self.at += 1
        self.at += 1
        return None if None in pieces else "".join(filter(None, pieces))
