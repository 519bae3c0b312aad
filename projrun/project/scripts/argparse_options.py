"""The options that a script declares with `argparse`."""

from __future__ import annotations

import ast
import re

from projrun.project.scripts.description import Command, Option, Script, name_of
from projrun.project.scripts.syntax import UNKNOWN, Module, keywords
from projrun.project.scripts.values import choices_of, help_of, type_of_value, typed

_SWITCHES = {"store_true": True, "store_false": False, "store_const": True}
_IGNORED = ("help", "version")


class _Parsers:
    """Which parser a name in the script stands for: () is the main one, ("train",) that of a subcommand."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self.names: dict[str, tuple[str, ...]] = {}
        self._subparsers: dict[str, tuple[str, ...]] = {}
        self.exclusive: set[str] = set()
        """Names of groups of which only one option may be given."""
        self.found: dict[tuple[str, ...], list[Option]] = {}
        self._parents: dict[str, list[Option]] = {}

    def read(self) -> None:
        for node in sorted(
            (node for node in ast.walk(self._module.tree) if isinstance(node, (ast.Assign, ast.Expr))),
            key=lambda node: (node.lineno, node.col_offset),
        ):
            if isinstance(node.value, ast.Call):
                target = node.targets[0] if isinstance(node, ast.Assign) else None
                self._call(node.value, target.id if isinstance(target, ast.Name) else "")

    def _call(self, call: ast.Call, target: str) -> None:
        receiver, _, method = self._module.dotted(call.func).rpartition(".")
        if method == "ArgumentParser":
            is_parent = self._module.value(keywords(call).get("add_help")) is False
            self._declare(target, call, ("",) if is_parent else ())
        elif method == "add_subparsers":
            self._subparsers[target] = self.names.get(receiver, ())
        elif method == "add_parser" and call.args:
            word = self._module.value(call.args[0])
            if isinstance(word, str):
                self._declare(target, call, (*self._subparsers.get(receiver, ()), word))
        elif method in ("add_argument_group", "add_mutually_exclusive_group"):
            self.names[target] = self.names.get(receiver, ())
            if method != "add_argument_group":
                self.exclusive.add(target)
        elif isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument":
            self._argument(call, receiver)

    def _declare(self, target: str, call: ast.Call, words: tuple[str, ...]) -> None:
        self.names[target] = words
        options = self.found.setdefault(words, [])
        parents = keywords(call).get("parents")
        for parent in parents.elts if isinstance(parents, (ast.List, ast.Tuple)) else ():
            options += self._parents.get(self._module.dotted(parent), ())

    def _argument(self, call: ast.Call, receiver: str) -> None:
        option = _option(self._module, call)
        if option is None:
            return
        if receiver in self.exclusive and option.kind != "switch":
            option = option._replace(left_out="excludes other options")
        words = self.names.get(receiver, ())
        if words == ("",):
            self._parents.setdefault(receiver, []).append(option)
        else:
            self.found.setdefault(words, []).append(option)


def read_argparse(module: Module) -> Script | None:
    """The commands of a script that uses argparse; None for any other."""
    if not any(module.dotted(call.func).endswith("ArgumentParser") for call in module.calls()):
        return None
    parsers = _Parsers(module)
    parsers.read()
    found = {words: tuple(options) for words, options in parsers.found.items() if words != ("",)}
    subcommands = [words for words in found if words]
    if not subcommands:
        return Script("argparse", (Command((), found.get((), ())),))
    leaves = [
        words
        for words in subcommands
        if not any(other[:-1] == words for other in subcommands if other != words)
    ]
    return Script("argparse", tuple(Command(words, found[words], found.get((), ())) for words in leaves))


def _option(module: Module, call: ast.Call) -> Option | None:
    """The option of an `add_argument`; None for `--help` and what is not understood at all."""
    flags = [flag for flag in map(module.value, call.args) if isinstance(flag, str)]
    given = keywords(call)
    action = module.value(given["action"]) if "action" in given else "store"
    if not flags or action in _IGNORED:
        return None
    flag = next((flag for flag in flags if flag.startswith("--")), flags[0])
    dest = module.value(given.get("dest"))
    option = Option(
        name_of(dest if isinstance(dest, str) and action != "store_false" else flag),
        flag if flag.startswith("-") else "",
        help=_help(module, given.get("help")),
    )
    if module.dotted(given.get("help")).endswith("SUPPRESS"):
        return option._replace(left_out="is hidden")
    if action in _SWITCHES:
        return option._replace(kind="switch", type="bool", default="false")
    if module.dotted(given.get("action")).endswith("BooleanOptionalAction"):
        default = module.value(given.get("default"))
        on = "true" if default is True else "false"
        return option._replace(kind="switch", type="bool", default=on, off_flag=f"--no-{flag[2:]}")
    if action != "store":
        return option._replace(left_out="may be repeated, or has an action of its own")
    return _with_value(module, option, given)


def _with_value(module: Module, option: Option, given: dict[str, ast.expr]) -> Option:
    default = module.value(given["default"]) if "default" in given else None
    nargs = module.value(given.get("nargs"))
    is_list = nargs in ("+", "*") or isinstance(nargs, int)
    required = module.value(given.get("required")) is True or (not option.flag and nargs not in ("?", "*"))
    word, problem = _type(module, given.get("type"), default)
    option = option._replace(type=word, choices=choices_of(module, given.get("choices")))
    if is_list:
        option = option._replace(kind="list", type="string", choices=())
    if problem:
        return option._replace(left_out=problem)
    return typed(module, option, given.get("default"), default, required=required)


def _type(module: Module, node: ast.expr | None, default: object) -> tuple[str, str]:
    """The type word, and why a value on the command line would not be what its default is."""
    name = module.dotted(node.func if isinstance(node, ast.Call) else node)
    if node is None:
        is_text = isinstance(default, str) or default in (None, UNKNOWN)
        return "string", "" if is_text or isinstance(
            default, list
        ) else "has no type: the script would get text"
    if name == "bool":
        return "bool", "has type=bool, which takes any text as true"
    if name in ("float", "int", "str"):
        return {"str": "string"}.get(name, name), ""
    if re.search(r"(?:^|\.)(?:Path|FileType)$", name):
        return "path", ""
    return type_of_value(default), ""


def _help(module: Module, node: ast.expr | None) -> str:
    # argparse fills these in itself.
    return re.sub(r"\s*[([]?(?:default[:=]?\s*)?%\(\w+\)\w[)\]]?", "", help_of(module, node)).replace(
        "%%", "%"
    )
