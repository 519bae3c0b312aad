"""The commands of a shell line: operators, redirections, here-documents, compound commands (bash's grammar).

A line is scanned with one NUL character for each placeholder. Nothing is run or expanded: what depends on that is
refused, not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from projrun.project.quoting import shells
from projrun.project.quoting.documents import document_end
from projrun.project.quoting.places import (
    ARITHMETIC,
    BARE,
    COMMENT,
    COMPOSED,
    DELIMITER,
    DOCUMENT,
    PLACEHOLDER,
    PRINTED,
    REDIRECTION,
    REGEX,
    TEXT,
    UNFINISHED,
    Document,
    Place,
    Scan,
    UnfinishedError,
    Word,
)
from projrun.project.quoting.state import Awaited, Command, Commands
from projrun.project.quoting.words import WordScanner

_LINE_DEPTH = 10
"""What a shell line within another counts for: each level is read again."""
_OPERATOR = re.compile(r";;&|;;|;&|;|&&|&>>|&>|&|\|\||\|&|\|")
_REDIRECTION = re.compile(r"<<<|<<-|<<|<>|<&|<\(|<|>>|>&|>\||>\(|>")
_OPENERS = frozenset(
    {"if", "then", "elif", "else", "while", "until", "do", "!", "{", "time", "coproc"}
)  # a command follows
_EVALUATING_TESTS = frozenset({"-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-v"})
_DECLARING = frozenset({"declare", "export", "local", "readonly", "typeset", "unset"})
_SUBSCRIPT = re.compile(r"[A-Za-z_]\w*\[[^]]*\0", re.DOTALL)


def scan(line: str, shell: str = "bash", depth: int = 0) -> Scan:
    """The place of each placeholder of a line; an unfinished line refuses all."""
    scanner = LineScanner(line, shell, depth)
    try:
        scanner.commands()
    except UnfinishedError:
        missing = line.count(PLACEHOLDER) - len(scanner.places)
        places = [*scanner.places, *[Place()] * missing]
        return Scan([place.refused(UNFINISHED) for place in places], [])
    return Scan(scanner.places, scanner.documents)


class LineScanner(WordScanner):
    """Reads commands, and the shell lines that their words hold."""

    def __init__(self, text: str, shell: str = "bash", depth: int = 0) -> None:
        super().__init__(text, shell, depth)
        self._open: list[Commands] = []

    def commands(self, closing: str = "") -> None:
        self._commands(Commands(closing, []))

    def _commands(self, state: Commands) -> None:
        self._open.append(state)
        try:
            with self.nesting():
                self._elements(state)
        finally:
            self._open.pop()
        if state.closing and state.awaited and not self._is_shared(state):
            raise UnfinishedError

    def _elements(self, state: Commands) -> None:
        while self.at < len(self.text):
            if self.text[self.at] != ")":
                self._element(state)
            elif self._is_closed(state):
                break
        else:
            if state.closing:
                raise UnfinishedError
        self._end_command(state)

    def _is_shared(self, state: Commands) -> bool:
        return any(outer.awaited is state.awaited for outer in self._open)

    def _is_closed(self, state: Commands) -> bool:
        self.at += 1
        if state.in_pattern:
            state.cases[-1] = False
            state.command = Command()
            return False
        if state.closing != ")":
            raise UnfinishedError
        return True

    def _element(self, state: Commands) -> None:
        char = self.text[self.at]
        if char in " \t":
            self.at += 1
        elif char == "\n":
            self.at += 1
            self._newline(state)
        elif self.text.startswith("\\\n", self.at):
            self.at += 2
        elif char == "#":
            self._comment()
        elif char in "<>":
            self._redirection(state)
        elif char == "(":
            self._parenthesis(state)
        elif char in ";&|":
            self._operator(state)
        else:
            self._word(state)

    def _comment(self) -> None:
        end = self.text.find("\n", self.at)
        end = len(self.text) if end < 0 else end
        for _ in range(self.text.count(PLACEHOLDER, self.at, end)):
            self.mark(BARE, COMMENT)
        self.at = end

    def _operator(self, state: Commands) -> None:
        found = _OPERATOR.match(self.text, self.at)
        operator = found.group() if found else ""
        self.at += len(operator)
        if state.is_array:  # bash would go on after such a mistake, with the next line
            raise UnfinishedError
        if operator.startswith("&>"):
            self._target()
            return
        before = self._end_command(state)
        state.before = before if operator in ("|", "|&") else None
        if operator in (";;", ";&", ";;&"):
            if not state.cases:
                raise UnfinishedError
            state.cases[-1] = True

    def _redirection(self, state: Commands) -> None:
        found = _REDIRECTION.match(self.text, self.at)
        operator = found.group() if found else ""
        self.at += len(operator)
        if self.text.startswith("\\\n", self.at):  # it may continue the operator
            raise UnfinishedError
        if operator in ("<(", ">("):
            self.commands(")")
            state.command.words.append(Word(None, False, operator, ()))
        elif operator in ("<<", "<<-"):
            self._here_document(state, strips_tabs=operator == "<<-")
        elif operator == "<<<":
            state.command.strings.append(self._target())
        elif operator in (">&", "<&"):
            self.refuse(self._target().places, REDIRECTION)
        else:
            self._target()

    def _target(self) -> Word:
        """The word after a redirection."""
        while self.char() in " \t" or self.text.startswith("\\\n", self.at):
            self.at += 1 if self.text[self.at] != "\\" else 2
        if self.text.startswith(("<(", ">("), self.at):
            self.at += 2
            self.commands(")")
            return Word(None, False, "<(", ())
        word = self.word()
        if not word.raw:
            raise UnfinishedError
        return word

    def _here_document(self, state: Commands, *, strips_tabs: bool) -> None:
        word = self._target()
        if word.places:
            self.refuse(word.places, DELIMITER)
        if word.places or word.text is None:
            raise UnfinishedError
        state.awaited.append(Awaited(word.text, strips_tabs, not word.is_plain, state.command))

    def _parenthesis(self, state: Commands) -> None:
        words = state.command.words
        before = self.text[self.at - 1] if self.at else ""
        if state.is_array:
            raise UnfinishedError
        if state.in_pattern and not words:
            self.at += 1
        elif before == "=" and words and shells.is_assignment(words[-1]):
            self.at += 1
            self._commands(Commands(")", state.awaited, is_array=True))
        elif self.text.startswith("((", self.at) and (not words or words[0].raw == "for"):
            if not self.arithmetic(self.at + 2):
                self._subshell(state)
        else:
            self._subshell(state)
            if len(words) == 1:  # the head of a function
                state.command = Command()

    def _subshell(self, state: Commands) -> None:
        self.at += 1
        self._commands(Commands(")", state.awaited))

    def _word(self, state: Commands) -> None:
        word = self.word()
        words = state.command.words
        is_descriptor = word.raw.isdigit() and self.text[self.at : self.at + 1] in ("<", ">")
        if is_descriptor or (not words and word.is_plain and self._is_reserved(word.raw, state)):
            return
        words.append(word)
        is_declared = state.command.assigns or words[0].raw in _DECLARING
        if is_declared and _SUBSCRIPT.match(word.raw):
            self.refuse(word.places, ARITHMETIC)
        state.command.assigns &= shells.is_assignment(word)
        if state.is_array and word.raw.startswith("["):
            self.refuse(word.places, ARITHMETIC)
        if len(words) == 3 and words[0].is_plain and words[0].raw == "case" and word.raw == "in":
            state.cases.append(True)
            state.command = Command()

    def _is_reserved(self, word: str, state: Commands) -> bool:
        """Read a reserved word at the beginning of a command."""
        if state.is_array:
            return False
        if word == "esac" and state.cases:
            state.cases.pop()
            return True
        if state.in_pattern:
            return False
        if word == "[[":
            self._condition()
            return True
        if word == "function":
            while self.char() in " \t":
                self.at += 1
            self.word()
            return True
        return word in _OPENERS

    def _condition(self) -> None:
        """Read a `[[ … ]]` whose first word was read."""
        outer, begin, evaluates = self._reason, len(self.places), False
        while True:
            char = self.char()
            if char in " \t\n<>;":
                self.at += 1
            elif self.text.startswith("\\\n", self.at):
                self.at += 2
            elif char in "()&|":
                self.at += 1
                begin, evaluates = len(self.places), False
            else:
                word = self.word().raw
                evaluates = evaluates or word in _EVALUATING_TESTS
                if word == "]]":
                    break
                if word == "=~":
                    self._reason = outer or REGEX
            if evaluates:
                self.refuse(range(begin, len(self.places)), ARITHMETIC)
        self._reason = outer

    def _newline(self, state: Commands) -> None:
        if any(outer.awaited and outer.awaited is not state.awaited for outer in self._open):
            raise UnfinishedError  # versions of bash differ in where such a body is
        if not state.in_case_head:
            self._end_command(state)
        for awaited in state.awaited:
            self._document(awaited, may_be_cut=not self._open[-1].closing)
        state.awaited.clear()

    def _document(self, awaited: Awaited, *, may_be_cut: bool) -> None:
        begin = self.at
        end, self.at = document_end(self.text, begin, awaited)
        if end == self.at == len(self.text) and not may_be_cut:
            raise UnfinishedError
        body = self.text[begin:end]
        first = len(self.places)
        text: str | None = body
        if awaited.is_quoted:
            for _ in range(body.count(PLACEHOLDER)):
                self.mark(TEXT)
        elif PLACEHOLDER in body:
            text = self._expanded(body)
        indices = tuple(range(first, len(self.places)))
        if not indices:
            return
        self.documents.append(
            Document(awaited.delimiter, awaited.strips_tabs, awaited.is_quoted, body, indices)
        )
        self._tag(indices, shells.foreign_reader(awaited.command.words))
        if shells.may_read_script(shells.script_of(awaited.command.words)):
            self.refuse(indices, COMPOSED)
        shell = shells.reads_script(awaited.command.words) or awaited.command.feeds
        if shell:
            if awaited.strips_tabs and text is not None:
                text = re.sub(r"^\t+", "", text, flags=re.MULTILINE)
            self._nest(text, indices, shell)

    def _expanded(self, body: str) -> str | None:
        """Read the body of a here-document in which expansions count."""
        inner = LineScanner(body, self.shell, self.depth)
        inner._reason = self._reason
        pieces: list[str | None] = []
        while inner.at < len(body):
            pieces.append('"' if body[inner.at] == '"' else inner.quoted_part(DOCUMENT, "$`\\"))
            inner.at += body.startswith('"', inner.at) and pieces[-1] == '"'
        self._adopt(inner.documents, len(self.places))
        self.places += inner.places
        return None if None in pieces else "".join(filter(None, pieces))

    def _adopt(self, documents: Sequence[Document], first: int) -> None:
        for document in documents:
            self.documents.append(document._replace(places=tuple(first + n for n in document.places)))

    def _end_command(self, state: Commands) -> Command:
        command, state.command = state.command, Command()
        if not state.in_pattern:
            self._read_words(command)
            self._read_pipe(command, state.before)
        state.before = None
        return command

    def _read_pipe(self, command: Command, before: Command | None) -> None:
        shell = shells.reads_script(command.words)
        if before is None or not shell or not shells.prints(before.words):
            return
        before.feeds = shell
        for word in before.words:
            if word.raw != PLACEHOLDER:
                self.refuse(word.places, PRINTED)
        for word in before.strings:
            self._nest(word.text, word.places, shell)

    def _read_words(self, command: Command) -> None:
        """Note which words of a command are shell lines, and which are code of other languages."""
        words = command.words
        if words and words[0].raw == "let":
            self.refuse([index for word in words for index in word.places], ARITHMETIC)
        script = shells.script_of(words)
        if script is not None and script.words:
            indices = [index for word in script.words for index in word.places]
            texts = [word.text if script.is_known else None for word in script.words]
            text = None if None in texts else " ".join(filter(None, texts))
            if len(script.words) == 1 and script.words[0].raw.strip('"') == PLACEHOLDER:
                self._tag(indices, script.shell)  # the author wants the value to be run
            else:
                self._nest(text, indices, script.shell)
        shell = shells.reads_script(words)
        for string in command.strings:
            self._tag(string.places, shells.foreign_reader(words))
            if shells.may_read_script(script):
                self.refuse(string.places, COMPOSED)
            if shell:
                self._nest(string.text, string.places, shell)
        for language, word in shells.foreign_words(words):
            self._tag(word.places, language)

    def _tag(self, indices: Sequence[int], language: str) -> None:
        for index in indices:
            self.places[index] = self.places[index]._replace(language=language or self.places[index].language)

    def _nest(self, text: str | None, indices: Sequence[int], shell: str) -> None:
        """Read a shell line that the program of a command runs, and add its places to those of its words."""
        if text is None:
            self.refuse(indices, COMPOSED)
        if text is None or not indices:
            return
        inner = scan(text, shell, self.depth + _LINE_DEPTH)
        for index, place in zip(indices, inner.places, strict=True):
            outer = self.places[index]
            self.places[index] = Place(
                outer.layers + place.layers, outer.reason or place.reason, place.language
            )
        for document in inner.documents:
            places = tuple(indices[n] for n in document.places)
            self.documents.append(document._replace(places=places, level=document.level + 1))
