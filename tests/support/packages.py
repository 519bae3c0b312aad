"""Packages with plug-ins, as installing them would leave them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def install_package(
    folder: Path, name: str, module: str | None, entry_points: Mapping[str, Mapping[str, str]]
) -> Path:
    """Put a package into a folder that a test adds to sys.path: one module, of which `module` is the text."""
    folder.mkdir(exist_ok=True)
    imported = name.replace("-", "_")
    if module is not None:
        (folder / f"{imported}.py").write_text(module, encoding="utf-8")
    metadata = folder / f"{imported}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "utf-8")
    groups = (
        f"[{group}]\n" + "".join(f"{key} = {target}\n" for key, target in entries.items())
        for group, entries in entry_points.items()
    )
    (metadata / "entry_points.txt").write_text("\n".join(groups), encoding="utf-8")
    return folder
