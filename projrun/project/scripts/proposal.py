"""The MLproject and the python_env.yaml of scripts, as texts."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from projrun.project.command import quoted
from projrun.project.environment_files import default_environment
from projrun.project.files import FILE_NAME
from projrun.project.scripts.description import Command, Option
from projrun.project.scripts.needs import imported_needs, inline_needs
from projrun.project.scripts.reading import read_script
from projrun.project.scripts.syntax import Module

PYTHON_ENV = "python_env.yaml"

_NAMED = {"python_env": "python_env", "conda_env": "conda_env", "uv_env": "uv_env"}
"""Kinds of environment files that a project's file names; others are found where nothing is named."""
_PLAIN = r"[A-Za-z][A-Za-z0-9_./-]*|-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?"
_NOT_TEXT = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan", "inf"})


class Proposal(NamedTuple):
    """What `projrun init` writes."""

    files: Mapping[str, str]
    """Texts by name."""
    entry_points: Mapping[str, tuple[str, ...]]
    """The required parameters of each."""
    read: Mapping[str, str]
    """The parser of each script; empty where none is known."""
    environment: str
    """Where the environment comes from, for people."""


def propose(folder: Path, scripts: Sequence[Path], name: str, *, environment: bool = True) -> Proposal:
    """The files for scripts of a folder, of which the first is `main`. Raises RequestError for what is not Python."""
    modules = {script: Module(script) for script in scripts}
    lines = [f"name: {_scalar(name)}", ""]
    files: dict[str, str] = {}
    key, origin, needed = _environment(folder, modules) if environment else ("", "none", "")
    if needed:
        files[PYTHON_ENV] = needed
    if key:
        lines += [key, ""]
    lines.append("entry_points:")
    required: dict[str, tuple[str, ...]] = {}
    read = {}
    for script, module in modules.items():
        found = read_script(module, folder)
        relative = script.relative_to(folder).as_posix()
        read[relative] = found.parser
        for command in found.commands:
            entry_point = _entry_point_name(command, script, is_first=not required)
            while entry_point in required:
                entry_point += "_2"
            lines += _entry_point(entry_point, relative, command)
            required[entry_point] = tuple(one.name for one in _parameters(command) if one.default is None)
    files[FILE_NAME] = "\n".join(lines) + "\n"
    return Proposal(files, required, read, origin)


def _environment(folder: Path, modules: Mapping[Path, Module]) -> tuple[str, str, str]:
    """The line of the MLproject, where the environment comes from, and the text of a new python_env.yaml."""
    reference = default_environment(folder)
    if reference.file is not None and reference.kind in _NAMED:
        return f"{_NAMED[reference.kind]}: {reference.file.name}", reference.file.name, ""
    inline = [found for script, module in modules.items() if (found := inline_needs(module, script.name))]
    if not inline and reference.kind == "requirements":
        text = _python_env("", ["-r requirements.txt"])
        return f"python_env: {PYTHON_ENV}", "requirements.txt", text
    if not inline and reference.file is not None:
        return "", reference.file.name, ""
    needs = inline or [imported_needs([*modules.values()], folder)]
    dependencies = dict.fromkeys(one for found in needs for one in found.dependencies)
    origin = ", ".join(found.origin for found in needs)
    return f"python_env: {PYTHON_ENV}", origin, _python_env(needs[0].python, [*dependencies])


def _python_env(python: str, dependencies: Sequence[str]) -> str:
    version = python or f"{sys.version_info[0]}.{sys.version_info[1]}"
    lines = [f'python: "{version}"', "dependencies:" if dependencies else "dependencies: []"]
    return "\n".join([*lines, *(f"  - {_scalar(one)}" for one in dependencies)]) + "\n"


def _entry_point_name(command: Command, script: Path, *, is_first: bool) -> str:
    if command.words:
        return "_".join(command.words)
    return "main" if is_first else script.stem


def _entry_point(name: str, script: str, command: Command) -> Iterator[str]:
    parameters = _parameters(command)
    yield f"  {_scalar(name)}:"
    if parameters:
        yield "    parameters:"
        yield from (f"      {one.name}: {_declaration(one)}" for one in parameters)
    left_out = [one for one in (*command.shared, *command.options) if one.left_out]
    if left_out:
        yield "    # Not passed unless a run gives them, as in -P name=value:"
        yield from (f"    #   {one.flag.lstrip('-') or one.name}  ({one.left_out})" for one in left_out)
    words = ["python", _in_command(quoted(f"./{script}" if script.startswith("-") else script))]
    words += map(_words, _passed(command.shared))
    words += (_in_command(quoted(word)) for word in command.words)
    words += map(_words, _passed(command.options))
    yield "    command: >-"
    yield from (f"      {line}" for line in _folded(words))


def _parameters(command: Command) -> list[Option]:
    """Required ones first, as people read them."""
    found = [one for one in (*command.shared, *command.options) if not one.left_out]
    return sorted(found, key=lambda one: one.default is not None)


def _passed(options: Sequence[Option]) -> list[Option]:
    """Arguments without a flag first: after an option with several words they would be one of these."""
    found = [one for one in options if not one.left_out]
    return sorted(found, key=lambda one: bool(one.flag))


def _words(option: Option) -> str:
    value = f"{{{option.name}}}"
    if option.kind == "switch":
        off = f" || echo {option.off_flag}" if option.off_flag else ""
        return f"$(test {value} = true && echo {option.flag}{off})"
    if option.kind == "list":
        value = f"$(echo {value})"
    return f"{option.flag} {value}" if option.flag else value


def _folded(words: Sequence[str]) -> Iterator[str]:
    """Lines of at most a hundred characters; YAML joins them."""
    line = ""
    for word in words:
        if line and len(line) + len(word) > 100:
            yield line
            line = ""
        line += f" {word}" if line else word
    yield line


def _declaration(option: Option) -> str:
    fields = [f"type: {option.type}"]
    if option.default is not None:
        fields.append(f"default: {_scalar(option.default)}")
    choices = ("true", "false") if option.kind == "switch" else option.choices
    if choices:
        fields.append(f"choices: [{', '.join(map(_scalar, choices))}]")
    fields += [f"min: {option.minimum}"] if option.minimum else []
    fields += [f"max: {option.maximum}"] if option.maximum else []
    if option.help:
        fields.append(f"description: {_scalar(option.help)}")
    return f"{{{', '.join(fields)}}}" if len(fields) > 1 else option.type


def _scalar(text: str) -> str:
    """A YAML scalar that is this text; JSON's strings are YAML's."""
    plain = re.fullmatch(_PLAIN, text) and text.lower() not in _NOT_TEXT
    return text if plain else json.dumps(text, ensure_ascii=not text.isprintable())


def _in_command(text: str) -> str:
    """Braces of a file's name stay braces."""
    return text.replace("{", "{{").replace("}", "}}")
