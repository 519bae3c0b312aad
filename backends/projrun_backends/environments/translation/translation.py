"""From the dependencies of a conda file to requirements of PyPI, and to the words that say so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from projrun.environments.lock_text import normalized_name
from projrun_backends.environments.python.documents import Text
from projrun_backends.environments.translation import names
from projrun_backends.environments.translation.match_specs import MatchSpec, parse_match_spec
from projrun_backends.environments.translation.versions import specifiers

TAG = "projrun.environment.translated"
"""The tag of a run whose environment is not what its conda file describes, but what PyPI has of it."""

_NAME = r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?(?<!\.whl)(?<!\.zip)(?<!\.gz)(?<!\.tgz)(?<!\.bz2)"
_SEVERAL = 3
"""Of conda's own libraries: so many make a file one that `conda env export` wrote."""
_SHOWN = 6
"""Packages that a warning lists; the plan lists all."""
_LONGEST_TAG = 5000


class Translated(NamedTuple):
    """One dependency that conda was to install."""

    text: Text
    requirement: str = ""
    """What pip installs instead; empty where it is left out, or missing."""
    missing: str = ""
    """Why PyPI has nothing for it."""


def translate(dependencies: Iterable[Text]) -> tuple[Translated, ...]:
    """What PyPI has for them; Python, pip, setuptools and wheel are not among them."""
    specs = [(text, parse_match_spec(text.value)) for text in dependencies]
    known = {spec.name for _, spec in specs if spec is not None}
    exported = len(known & names.BASE) >= _SEVERAL
    found = []
    for text, spec in specs:
        if spec is None:
            found.append(Translated(text, missing="pip cannot be asked for that"))
        else:
            found.append(_translated(text, spec, exported=exported))
    return tuple(found)


def _translated(text: Text, spec: MatchSpec, *, exported: bool) -> Translated:
    if spec.name not in names.RENAMED:
        if _is_implied(spec.name, exported=exported):
            return Translated(text)
        if _only_conda_has(spec.name):
            return Translated(text, missing="not on PyPI")
        if exported and re.fullmatch(names.EXPORTED_BUILD, spec.build):
            return Translated(text)
    pypi_name = names.RENAMED.get(spec.name, spec.name)
    constraint = specifiers(spec.version, numbered=pypi_name in names.NUMBERED)
    if constraint is None:
        return Translated(text, missing="pip cannot be asked for that version")
    return Translated(text, pypi_name if pypi_name in names.UNPINNED else pypi_name + constraint)


def _is_implied(name: str, *, exported: bool) -> bool:
    if name in names.IMPLIED or re.fullmatch(names.IMPLIED_PATTERN, name):
        return True
    if not exported or name in names.PYTHON_LIBRARIES:
        return False
    return name in names.EXPORTED or re.fullmatch(names.EXPORTED_PATTERN, name) is not None


def _only_conda_has(name: str) -> bool:
    if name in names.CONDA_ONLY or re.fullmatch(names.CONDA_ONLY_PATTERN, name):
        return True
    return re.fullmatch(_NAME, name) is None


def translation_warning(pairs: Sequence[tuple[str, str]], source: str, reason: str) -> str:
    """One line for a run: why, what is called otherwise, what is left out."""
    installed = [pair for pair in pairs if pair[1]]
    renamed = [
        f"{text} as {requirement}"
        for text, requirement in installed
        if normalized_name(_name(text)) != normalized_name(_name(requirement))
    ]
    left_out = [_name(text) for text, requirement in pairs if not requirement]
    why = f" because {reason}" if reason else ""
    parts = [f"{source} is built from PyPI{why}"]
    if installed:
        count = f"{len(installed)} conda package{'' if len(installed) == 1 else 's'} translated"
        parts.append(f"{count} ({_listed(renamed)})" if renamed else count)
    if left_out:
        parts.append(f"left out {_listed(left_out)}")
    return "; ".join(parts)


def translation_facts(pairs: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The whole translation, for the plan."""
    left_out = [text for text, requirement in pairs if not requirement]
    facts = [("translated", f"{text} -> {requirement}") for text, requirement in pairs if requirement]
    return (*facts, ("left out", ", ".join(left_out))) if left_out else tuple(facts)


def translation_tag(pairs: Sequence[tuple[str, str]]) -> str:
    """The whole translation, for the run's record."""
    facts = translation_facts(pairs)
    text = "; ".join(fact if word == "translated" else f"{word}: {fact}" for word, fact in facts)
    return text if len(text) <= _LONGEST_TAG else f"{text[: _LONGEST_TAG - 1]}…"


def _listed(items: Sequence[str]) -> str:
    more = len(items) - _SHOWN
    return ", ".join(items[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _name(text: str) -> str:
    """The name at the beginning, without a channel."""
    match = re.match(r"(?:\S+::)?([\w.-]+)", text)
    return match[1] if match else text
