"""conda's version constraints as those of PyPI (PEP 440)."""

from __future__ import annotations

import re

_NUMBER = r"\d{1,18}"
_RELEASE = rf"(?:{_NUMBER}!)?{_NUMBER}(?:\.{_NUMBER})*"
_SUFFIX = (
    rf"(?:[._-]?(?:alpha|beta|a|b|rc|c|preview|pre)[._-]?{_NUMBER})?"
    rf"(?:[._-]?post[._-]?{_NUMBER})?(?:[._-]?dev[._-]?{_NUMBER})?"
)
_LOCAL = r"(?:\+[a-z0-9]+(?:[._][a-z0-9]+)*)?"
_CLAUSE = rf"(==|>=|<=|!=|~=|=|>|<|)({_RELEASE})({_SUFFIX})({_LOCAL})(\.?\*|)"


def specifiers(version: str, *, numbered: bool = False) -> str | None:
    """The specifiers of PEP 440 that admit the same released versions; empty for any, None where there are none.

    Alternatives (`1.2|1.4`) have none, unless they say the same. Of a `numbered` package an exact version admits
    that version with a further number.
    """
    said = {_clauses(alternative, numbered) for alternative in version.split("|")}
    if "" in said and None not in said:
        return ""
    return said.pop() if len(said) == 1 else None


def _clauses(text: str, numbered: bool) -> str | None:
    found = [_clause(part.strip().lower(), numbered) for part in text.split(",")]
    if None in found:
        return None
    return ",".join(clause for clause in found if clause)


def _clause(text: str, numbered: bool) -> str | None:
    if re.fullmatch(r"={0,2}\*|", text):
        return ""
    match = re.fullmatch(_CLAUSE, text)
    if match is None:
        return None
    operator, release, suffix, local, star = match.groups()
    version = f"{release}{suffix}{local}"
    if operator in ("", "=", "==", "!="):
        # Only whole numbers can be a prefix in PEP 440.
        is_prefix = bool(star) or operator == "=" or (numbered and operator != "!=")
        ending = ".*" if is_prefix and version == release else ""
        return f"{'!=' if operator == '!=' else '=='}{version}{ending}"
    if local or (star and operator in ("~=", ">")) or (operator == "~=" and "." not in release):
        return None  # conda and py-rattler do not agree about `>1.2.*`
    # They ignore a star after the others: `>=1.2.*` is `>=1.2`.
    return f"{operator}{version}"
