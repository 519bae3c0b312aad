"""The table of a run on the page of a GitHub workflow (GITHUB_STEP_SUMMARY)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from projrun.cli.ci.conclusion import Conclusion

_MOST_PARAMETERS = 100
_LONGEST_VALUE = 200
"""Characters: GitHub drops a summary of more than 1 MiB, all of it."""


def append_summary(file: Path, conclusion: Conclusion) -> None:
    """Add the table to what earlier commands of the step wrote. Raises OSError."""
    rows = "".join(f"| {label} | {cell} |\n" for label, cell in _rows(conclusion))
    with file.open("a", encoding="utf-8", errors="backslashreplace") as summary:
        summary.write(f"\n| projrun | {plain(conclusion.project)} |\n| --- | --- |\n{rows}\n")


def _rows(conclusion: Conclusion) -> Iterator[tuple[str, str]]:
    if conclusion.run_id:
        yield "run", plain(f"{conclusion.run_name} ({conclusion.run_id})".strip())
    yield "entry point", plain(conclusion.entry_point)
    if conclusion.parameters:
        shown = [f"{plain(name)} = {plain(value)}" for name, value in conclusion.parameters]
        left = len(shown) - _MOST_PARAMETERS
        yield "parameters", "<br>".join([*shown[:_MOST_PARAMETERS], *([f"{left} more"] if left > 0 else [])])
    reason = f": {conclusion.reason}" if conclusion.reason else ""
    yield "status", plain(f"{conclusion.status}{reason}", 10 * _LONGEST_VALUE)
    if conclusion.duration:
        yield "duration", plain(conclusion.duration)
    if conclusion.results.startswith(("http://", "https://")):
        address = plain(conclusion.results, 10 * _LONGEST_VALUE)
        yield "results", f'<a href="{address}">{address}</a>'
    elif conclusion.results:
        yield "results", f"<code>{plain(conclusion.results)}</code>"


def plain(text: str, longest: int = _LONGEST_VALUE) -> str:
    """Text that Markdown and HTML show as it is, on one line of a table."""
    cut = text if len(text) <= longest else f"{text[:longest]}…"
    return "".join(
        character if character.isalnum() or character == " " else f"&#{ord(character)};"
        for character in cut.encode("utf-8", "backslashreplace").decode().replace("\n", " ")
    )
