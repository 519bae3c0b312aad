"""Python versions, and how environment files request one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from projrun.tuples import NamedTuple

_NUMBER = r"[0-9]{1,9}"
_VERSION = rf"({_NUMBER})\.({_NUMBER})(?:\.({_NUMBER}))?(?:(a|b|rc)({_NUMBER}))?"
_CLAUSE = rf"(===|==|>=|<=|!=|~=|=|<|>)?\s*v?({_NUMBER}(?:\.{_NUMBER})*)(\.?\*)?((?:a|b|rc){_NUMBER})?"
_LONGEST = 500
_STAGES = {"a": 0, "b": 1, "rc": 2}
_FINAL = (3, 0)


class PythonVersion(NamedTuple):
    """The version of an interpreter; ordered, with `3.14.0rc1` before `3.14.0`."""

    major: int
    minor: int
    micro: int
    stage: tuple[int, int] = _FINAL

    @classmethod
    def parse(cls, text: str) -> PythonVersion | None:
        """From `3.11.7` or `3.14.0rc1`; None for anything else, `3.11` included."""
        match = re.fullmatch(_VERSION, text)
        if match is None or match[3] is None:
            return None
        stage = (_STAGES[match[4]], int(match[5])) if match[4] else _FINAL
        return cls(int(match[1]), int(match[2]), int(match[3]), stage)

    @property
    def release(self) -> tuple[int, int, int]:
        """Without the stage."""
        return (self.major, self.minor, self.micro)

    @property
    def final(self) -> bool:
        """False for alphas, betas and release candidates."""
        return self.stage == _FINAL

    def __str__(self) -> str:
        text = f"{self.major}.{self.minor}.{self.micro}"
        if self.final:
            return text
        word = next(word for word, order in _STAGES.items() if order == self.stage[0])
        return f"{text}{word}{self.stage[1]}"


class _Clause(NamedTuple):
    operator: str
    release: tuple[int, ...]

    def accepts(self, version: tuple[int, ...]) -> bool:
        if self.operator in ("prefix", "not prefix"):
            same = version[: len(self.release)] == self.release[: len(version)]
            return same == (self.operator == "prefix")
        wanted = self.release + (0,) * (len(version) - len(self.release))
        return {
            ">=": version >= wanted,
            "<=": version <= wanted,
            ">": version > wanted,
            "<": version < wanted,
        }[self.operator]

    def edges(self) -> Iterator[PythonVersion]:
        """The versions at which what it accepts may begin."""
        major, minor, micro = (*self.release, 0, 0)[:3]
        yield PythonVersion(major, minor, micro)
        yield PythonVersion(major, minor, micro + 1)
        if len(self.release) < 3:
            after = (*self.release[:-1], self.release[-1] + 1, 0)
            yield PythonVersion(after[0], after[1], 0)


class PythonRequest(NamedTuple):
    """What a file asks for: `3.8`, `3.8.15`, `>=3.10,<3.13`, `3.11.*`, conda's `3.10|3.11`."""

    text: str
    alternatives: tuple[tuple[_Clause, ...], ...]

    @classmethod
    def parse(cls, text: str) -> PythonRequest | None:
        """None where it is no version. A bare version, `=` and `==` are prefixes: `3.8` takes any 3.8.x.

        PEP 440 reads `==3.8` as 3.8.0 alone, which is never meant for an interpreter.
        """
        if len(text) > _LONGEST:
            return None
        alternatives = []
        for alternative in text.split("|"):
            clauses: list[_Clause] = []
            for part in alternative.split(","):
                parsed = _parse_clause(part.strip())
                if parsed is None:
                    return None
                clauses += parsed
            alternatives.append(tuple(clauses))
        return cls(text.strip(), tuple(alternatives))

    def matches(self, version: PythonVersion) -> bool:
        """Whether an interpreter of this version matches."""
        return any(
            all(clause.accepts(version.release) for clause in clauses) for clauses in self.alternatives
        )

    def limited_to(self, other: PythonRequest) -> PythonRequest:
        """What both take, under this one's text."""
        both = tuple(mine + theirs for mine in self.alternatives for theirs in other.alternatives)
        return PythonRequest(self.text, both)

    def overlaps(self, other: PythonRequest) -> bool:
        """Whether there may be a version that both take: the lowest one begins where a clause does."""
        both = self.limited_to(other)
        edges = (edge for clauses in both.alternatives for clause in clauses for edge in clause.edges())
        return any(map(both.matches, (PythonVersion(0, 0, 0), PythonVersion(3, 0, 0), *edges)))

    def may_match(self, major: int, minor: int) -> bool:
        """False if no interpreter of this minor version can match, as far as that is cheap to tell."""
        return any(
            all(clause.accepts((major, minor)) for clause in clauses if clause.operator == "prefix")
            for clauses in self.alternatives
        )

    @property
    def plain(self) -> str:
        """What to name in `uv python install`: of `=3.8.12`, `==3.8.12` and `3.8.12.*` the version alone.

        Of conda's alternatives the first one.
        """
        first = self.text.partition("|")[0].strip()
        version = re.fullmatch(r"={0,3}\s*v?(\d+(?:\.\d+)*)(?:\.?\*)?", first)
        return version[1] if version else first

    def same_minor(self) -> PythonRequest | None:
        """With any patch of the minor version, where exactly one patch is asked for; else None."""
        version = re.fullmatch(r"(\d+\.\d+)\.\d+", self.plain)
        return PythonRequest.parse(version[1]) if version and len(self.alternatives) == 1 else None


def _parse_clause(text: str) -> list[_Clause] | None:
    if text == "*":
        return []
    match = re.fullmatch(_CLAUSE, text)
    if match is None:
        return None
    operator = match[1] or "="
    release = tuple(int(number) for number in match[2].split("."))[:3]
    if operator == "~=":
        return [_Clause(">=", release), _Clause("prefix", release[:-1])]
    if operator in ("=", "==", "==="):
        return [_Clause("prefix", release)]
    if operator == "!=":
        return [_Clause("not prefix", release)]
    return [_Clause(operator, release)]
