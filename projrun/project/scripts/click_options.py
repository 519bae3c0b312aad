"""The options that a script declares with `click`, in the decorators of its commands."""

from __future__ import annotations

import ast

from projrun.project.scripts.description import Command, Option, Script, name_of
from projrun.project.scripts.syntax import UNKNOWN, Module, keywords
from projrun.project.scripts.values import choices_of, help_of, type_of_value, typed

_PACKAGES = ("click", "rich_click", "asyncclick")
_WORDS = {
    "float": "float", "FLOAT": "float", "FloatRange": "float", "int": "int", "INT": "int", "IntRange": "int",
    "bool": "bool", "BOOL": "bool", "Path": "path", "File": "path", "str": "string", "STRING": "string",
}  # fmt: skip
_ENDINGS = ("_command", "_cmd", "_group", "_grp")


def read_click(module: Module) -> Script | None:
    """The commands of a script that uses click; None for any other."""
    groups: dict[str, tuple[tuple[str, ...], tuple[Option, ...]]] = {}
    commands: list[Command] = []
    for function in module.functions.values():
        for decorator in function.decorator_list:
            name = module.dotted(decorator.func if isinstance(decorator, ast.Call) else decorator)
            owner, _, word = name.rpartition(".")
            if word not in ("command", "group") or (owner not in _PACKAGES and owner not in groups):
                continue
            before, shared = groups.get(owner, ((), ()))
            words = before if owner in _PACKAGES else (*before, _word(module, function, decorator))
            options = tuple(_options(module, function))
            if word == "group":
                groups[function.name] = words, (*shared, *options)
            else:
                commands.append(Command(words, options, shared))
    return Script("click", tuple(commands)) if commands else None


def _word(module: Module, function: ast.FunctionDef | ast.AsyncFunctionDef, decorator: ast.expr) -> str:
    """The subcommand: given, else the function's name as click has it."""
    if isinstance(decorator, ast.Call):
        given = decorator.args[0] if decorator.args else keywords(decorator).get("name")
        found = module.value(given)
        if isinstance(found, str):
            return found
    name = function.name.lower()
    for ending in _ENDINGS:  # since click 8.2
        name = name.removesuffix(ending) or name
    return name.replace("_", "-")


def _options(module: Module, function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[Option]:
    found = []
    for decorator in function.decorator_list:
        if not isinstance(decorator, ast.Call):
            continue
        package, _, word = module.dotted(decorator.func).rpartition(".")
        if package in _PACKAGES and word in ("option", "argument"):
            found += _option(module, decorator, is_option=word == "option")
    return found


def _option(module: Module, call: ast.Call, *, is_option: bool) -> list[Option]:
    texts = [text for text in map(module.value, call.args) if isinstance(text, str)]
    flags = [text for text in texts if text.startswith("-")]
    names = [text for text in texts if text.isidentifier()]
    if not texts or (is_option and not flags):
        return []
    longest = max(flags, key=lambda flag: len(flag) - len(flag.lstrip("-")), default="")
    on, _, off = longest.partition("/")
    option = Option(name_of(names[0] if names else on), on, help=help_of(module, keywords(call).get("help")))
    given = keywords(call)
    if off or module.value(given.get("is_flag")) is True:
        value = "true" if module.value(given.get("default")) is True else "false"
        return [option._replace(kind="switch", type="bool", default=value, off_flag=off.strip())]
    if module.value(given.get("multiple")) is True or module.value(given.get("count")) is True:
        return [option._replace(left_out="may be repeated")]
    return [_with_value(module, option, given, is_option=is_option)]


def _with_value(module: Module, option: Option, given: dict[str, ast.expr], *, is_option: bool) -> Option:
    default = module.value(given["default"]) if "default" in given else None
    option = _typed(module, option, given.get("type"), default)
    nargs = module.value(given.get("nargs"))
    if isinstance(nargs, int) and nargs != 1:
        option = option._replace(kind="list", type="string", choices=())
    if is_option and isinstance(default, bool) and "type" not in given:  # click makes a flag of it
        return option._replace(kind="switch", type="bool", default=str(default).lower())
    asked = "prompt" in given and default is None
    required = asked or module.value(given.get("required")) is True or not is_option
    if not is_option and module.value(given.get("required")) is False:
        required = False
    return typed(module, option, given.get("default"), default, required=required)


def _typed(module: Module, option: Option, node: ast.expr | None, default: object) -> Option:
    call = node if isinstance(node, ast.Call) else None
    word = module.dotted(call.func if call else node).rpartition(".")[2]
    if node is None:
        return option._replace(type="string" if default is UNKNOWN else type_of_value(default))
    if call and word == "Choice" and call.args:
        return option._replace(choices=choices_of(module, call.args[0]))
    option = option._replace(type=_WORDS.get(word, "string"))
    if call and word in ("IntRange", "FloatRange"):
        bounds = dict(zip(("min", "max"), call.args, strict=False)) | keywords(call)
        least, most = (module.value(bounds.get(key)) for key in ("min", "max"))
        return option._replace(minimum=_number(least), maximum=_number(most))
    if call and word == "File" and call.args and "r" not in str(module.value(call.args[0])):
        return option._replace(type="string")
    return option


def _number(value: object) -> str:
    return str(value) if isinstance(value, (int, float)) else ""
