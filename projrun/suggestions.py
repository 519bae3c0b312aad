"""The "did you mean" of error messages."""

from __future__ import annotations

from collections.abc import Iterable


def near_miss(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `word` most likely misspells, or None."""
    from difflib import get_close_matches

    folded = {candidate.lower().replace("-", "_"): candidate for candidate in candidates}
    # In a short word one slip weighs more: `rnu` is two thirds of `run`.
    cutoff = 0.75 if len(word) > 4 else 0.65
    matches = get_close_matches(word.lower().replace("-", "_"), folded, n=1, cutoff=cutoff)
    return folded[matches[0]] if matches else None


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """`; did you mean 'train'?` or nothing, ready to end a message."""
    match = near_miss(word, candidates)
    return f"; did you mean {match!r}?" if match else ""
