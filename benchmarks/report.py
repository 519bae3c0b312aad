"""What a benchmark prints: milliseconds a side, then the targets; or one JSON object."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence

from benchmarks.targets import Target, target_line


def print_report(
    title: str, milliseconds: Mapping[str, float], targets: Sequence[Target], *, as_json: bool
) -> None:
    """Print medians by side, with the ratios of the targets; the title is for people."""
    if as_json:
        ratios = [target.document(milliseconds) for target in targets]
        print(json.dumps({"milliseconds": milliseconds, "ratios": ratios}, indent=2))
        return
    lines = [
        title,
        f"Python {platform.python_version()}, {platform.platform()}",
        "",
        *(f"{name:42}{took:10.0f} ms" for name, took in milliseconds.items()),
        "",
        "targets",
        *(target_line(target, milliseconds) for target in targets),
    ]
    print("\n".join(lines))
