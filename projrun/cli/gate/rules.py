"""The rules of `--fail-if`: `metrics.rmse > baseline * 1.02 or metrics.r2 < 0.5`. Python evaluates none.

rule        = comparison, joined by `and`, `or`, `not` and parentheses
comparison  = sum (`<` `<=` `>` `>=` `==` `!=`) sum
sum         = numbers and values, joined by `+ - * /` and parentheses
value       = metrics.NAME, params.NAME, baseline.metrics.NAME, baseline.params.NAME, or
              baseline: the baseline's value of what the comparison names first
NAME        = letters, digits, `_` and `.`; any other in backticks or double quotes
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple, NoReturn

from projrun.errors import RequestError

_LONGEST = 500
"""Characters; also what keeps the depth of the tree within bounds."""
_DEEPEST = 50

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<value>(?:baseline\.)?(?:metrics|params)\.(?:`[^`]+`|"[^"]+"|\w+(?:\.\w+)*))
      | (?P<word>(?:baseline|and|or|not)\b(?!\.))
      | (?P<sign><=|>=|==|!=|[-<>+*/()])
    )""",
    re.VERBOSE | re.ASCII,
)
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_SUMS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip


class UndefinedError(Exception):
    """A comparison with NaN, which is neither true nor false."""


class Value(NamedTuple):
    """What a run recorded."""

    section: Literal["metrics", "params"]
    name: str
    of_baseline: bool = False


class _Baseline(NamedTuple):
    """`baseline`, until its comparison is known."""


class _Number(NamedTuple):
    value: float


class _Joined(NamedTuple):
    """Two sides with a sign or a word between them; `not` has the left one only, and a minus the right one."""

    sign: str
    sides: tuple[_Node, ...]

    @property
    def is_true_or_false(self) -> bool:
        """Whether it can be a rule: sums cannot."""
        return self.sign in _COMPARISONS or self.sign in ("and", "or", "not")


_Node = Value | _Baseline | _Number | _Joined
Look = Callable[[Value], float]


class Rule(NamedTuple):
    """A rule that was read."""

    text: str
    root: _Joined

    def holds(self, look: Look) -> bool:
        """Whether the rule is true, so that the gate fails. Raises UndefinedError where a value is NaN."""
        return _truth(self.root, look)

    @property
    def values(self) -> list[Value]:
        """The values that it names, each once."""
        return list(dict.fromkeys(_values(self.root)))

    @property
    def leader(self) -> tuple[str, bool] | None:
        """The first metric of the run that is compared by size, and whether small values of it are good."""
        return next(_leaders(self.root), None)


def parse_rule(text: str) -> Rule:
    """The rule; RequestError says where it cannot be read."""
    if len(text) > _LONGEST:
        raise RequestError(f"--fail-if: the rule has more than {_LONGEST} characters")
    return Rule(text, _Parser(text).rule())


class _Parser:
    """Recursive descent, a method for each level of precedence."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._depth = 0
        self._kind = self._word = ""
        self._begin = 0
        self._advance()

    def rule(self) -> _Joined:
        """All of the text."""
        root = self._either()
        if self._kind:
            self._refuse("nothing more is expected here")
        if not isinstance(root, _Joined) or not root.is_true_or_false:
            raise self._mistake("a rule compares something", len(self._text))
        return root

    def _either(self) -> _Node:
        return self._joined(("or",), self._both)

    def _both(self) -> _Node:
        return self._joined(("and",), self._negated)

    def _joined(self, words: tuple[str, ...], level: Callable[[], _Node]) -> _Node:
        node = level()
        while self._word in words:
            word, begin = self._word, self._begin
            self._advance()
            other = level()
            for side in (node, other):
                self._check(side, begin, wanted=word in ("and", "or"))
            node = _Joined(word, (node, other))
        return node

    def _negated(self) -> _Node:
        if self._word != "not":
            return self._comparison()
        begin = self._begin
        self._advance()
        with_depth = self._deeper(self._negated)
        self._check(with_depth, begin, wanted=True)
        return _Joined("not", (with_depth,))

    def _comparison(self) -> _Node:
        left = self._sum()
        if self._word not in _COMPARISONS:
            return left
        sign, begin = self._word, self._begin
        self._advance()
        right = self._sum()
        for side in (left, right):
            self._check(side, begin, wanted=False)
        if self._word in _COMPARISONS:
            self._refuse("comparisons are joined by `and`")
        return self._with_baseline(_Joined(sign, (left, right)), begin)

    def _sum(self) -> _Node:
        return self._joined(("+", "-"), self._product)

    def _product(self) -> _Node:
        return self._joined(("*", "/"), self._factor)

    def _factor(self) -> _Node:
        kind, word, begin = self._kind, self._word, self._begin
        self._advance()
        if kind == "number":
            return _Number(float(word))
        if kind == "value":
            return _value(word)
        if word == "baseline":
            return _Baseline()
        if word == "-":
            side = self._deeper(self._factor)
            self._check(side, begin, wanted=False)
            return _Joined("-", (_Number(0.0), side))
        if word == "(":
            node = self._deeper(self._either)
            if self._word != ")":
                self._refuse("a parenthesis is not closed")
            self._advance()
            return node
        raise self._mistake("a number, metrics.NAME, params.NAME or baseline is expected", begin)

    def _deeper(self, level: Callable[[], _Node]) -> _Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            self._refuse("too many parentheses")
        node = level()
        self._depth -= 1
        return node

    def _with_baseline(self, comparison: _Joined, begin: int) -> _Joined:
        if not any(isinstance(node, _Baseline) for node in _leaves(comparison)):
            return comparison
        named = next((value for value in _values(comparison) if not value.of_baseline), None)
        if named is None:
            raise self._mistake("`baseline` needs a metric of the run beside it", begin)
        return _replaced(comparison, named._replace(of_baseline=True))

    def _check(self, node: _Node, begin: int, *, wanted: bool) -> None:
        """A side of `and` must be true or false, a side of `+` or `<` a number."""
        if (isinstance(node, _Joined) and node.is_true_or_false) != wanted:
            what = "comparisons" if wanted else "numbers"
            raise self._mistake(f"{self._text[begin:].split()[0]} joins {what}", begin)

    def _advance(self) -> None:
        rest = self._text[self._place :]
        if not rest.strip():
            self._kind, self._word, self._begin = "", "", len(self._text)
            return
        found = _TOKEN.match(self._text, self._place)
        if found is None or found.lastgroup is None:
            raise self._mistake("this cannot be read", self._place + len(rest) - len(rest.lstrip()))
        self._kind, self._word = found.lastgroup, found[found.lastgroup]
        self._begin, self._place = found.start(found.lastgroup), found.end()

    def _refuse(self, reason: str) -> NoReturn:
        raise self._mistake(reason, self._begin)

    def _mistake(self, reason: str, place: int) -> RequestError:
        return RequestError(
            f"--fail-if {self._text!r}: {reason}, at character {place + 1}",
            hint="for example 'metrics.rmse > baseline * 1.02'",
        )


def _value(word: str) -> Value:
    of_baseline = word.startswith("baseline.")
    section, _, name = word.removeprefix("baseline.").partition(".")
    name = name[1:-1] if name[0] in '`"' else name
    return Value("metrics" if section == "metrics" else "params", name, of_baseline)


def _leaves(node: _Node) -> Iterator[_Node]:
    if isinstance(node, _Joined):
        for side in node.sides:
            yield from _leaves(side)
    else:
        yield node


def _values(node: _Node) -> Iterator[Value]:
    return (leaf for leaf in _leaves(node) if isinstance(leaf, Value))


def _replaced(node: _Joined, value: Value) -> _Joined:
    sides = [
        _replaced(side, value)
        if isinstance(side, _Joined)
        else value
        if isinstance(side, _Baseline)
        else side
        for side in node.sides
    ]
    return node._replace(sides=tuple(sides))


def _leaders(node: _Node) -> Iterator[tuple[str, bool]]:
    if not isinstance(node, _Joined):
        return
    if node.sign not in _COMPARISONS:
        for side in node.sides:
            yield from _leaders(side)
    elif node.sign not in ("==", "!="):
        for place, side in enumerate(node.sides):
            for value in _values(side):
                if value.section == "metrics" and not value.of_baseline:
                    yield value.name, node.sign.startswith(">") == (place == 0)


def _truth(node: _Node, look: Look) -> bool:
    if not isinstance(node, _Joined):
        raise TypeError("a number is neither true nor false")  # the parser sees to that
    if node.sign == "not":
        return not _truth(node.sides[0], look)
    if node.sign in ("and", "or"):
        truths = [_truth(side, look) for side in node.sides]  # both, since NaN in either is undefined
        return all(truths) if node.sign == "and" else any(truths)
    left, right = (_number(side, look) for side in node.sides)
    if math.isnan(left) or math.isnan(right):
        raise UndefinedError
    return _COMPARISONS[node.sign](left, right)


def _number(node: _Node, look: Look) -> float:
    if isinstance(node, _Number):
        return node.value
    if isinstance(node, Value):
        return look(node)
    if not isinstance(node, _Joined):
        raise TypeError("`baseline` without a comparison")  # the parser sees to that
    left, right = (_number(side, look) for side in node.sides)
    try:
        return _SUMS[node.sign](left, right)
    except (ZeroDivisionError, OverflowError):
        return math.nan
