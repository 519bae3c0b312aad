"""The options of functions whose parameters are the command line: `typer` and `fire`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from projrun.project.scripts.description import Command, Option, Script, name_of
from projrun.project.scripts.syntax import UNKNOWN, Module, keywords
from projrun.project.scripts.values import choices_of, help_of, type_of_value, typed

_WORDS = {"float": "float", "int": "int", "bool": "bool", "str": "string", "Path": "path"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


class _Argument(NamedTuple):
    name: str
    annotation: ast.expr | None
    default: ast.expr | None


def read_typer(module: Module) -> Script | None:
    """The commands of a script that uses typer; None for any other."""
    apps = {
        name
        for name, value in module.constants.items()
        if isinstance(value, ast.Call) and module.dotted(value.func) == "typer.Typer"
    }
    found: list[tuple[str, Function]] = []
    shared: tuple[Option, ...] = ()
    has_callback = False
    for function in module.functions.values():
        for decorator in function.decorator_list:
            call = decorator if isinstance(decorator, ast.Call) else None
            owner, _, word = module.dotted(call.func if call else decorator).rpartition(".")
            if owner in apps and word == "command":
                given = module.value(call.args[0] if call and call.args else None)
                found.append((given if isinstance(given, str) else _dashed(function.name), function))
            elif owner in apps and word == "callback":
                shared, has_callback = tuple(_typer_options(module, function)), True
    for call in module.calls():
        if module.dotted(call.func) == "typer.run" and call.args:
            ran = module.functions.get(module.dotted(call.args[0]))
            found += [("", ran)] if ran else []
    if not found:
        return None
    alone = len(found) == 1 and not has_callback
    return Script(
        "typer",
        tuple(
            Command(() if alone or not word else (word,), tuple(_typer_options(module, function)), shared)
            for word, function in found
        ),
    )


def read_fire(module: Module) -> Script | None:
    """The commands of a script that uses fire; None for any other."""
    call = next((call for call in module.calls() if module.dotted(call.func) == "fire.Fire"), None)
    if call is None:
        return None
    component = call.args[0] if call.args else keywords(call).get("component")
    name = module.dotted(component)
    if name in module.functions:
        return Script("fire", (Command((), tuple(_fire_options(module, module.functions[name]))),))
    if name in module.classes:
        return Script("fire", tuple(_methods(module, module.classes[name])) or (Command(),))
    named: dict[str, str] = {}
    if isinstance(component, ast.Dict):
        keys = [module.value(key) for key in component.keys]
        named = {
            key: module.dotted(value)
            for key, value in zip(keys, component.values, strict=True)
            if isinstance(key, str)
        }
    elif component is None:
        named = {name: name for name in module.functions if not name.startswith("_")}
    functions = {word: module.functions[name] for word, name in named.items() if name in module.functions}
    commands = (Command((word,), tuple(_fire_options(module, one))) for word, one in functions.items())
    return Script("fire", tuple(commands) or (Command(),))


def _methods(module: Module, defined: ast.ClassDef) -> Iterator[Command]:
    methods = [node for node in defined.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    made = next((node for node in methods if node.name == "__init__"), None)
    shared = tuple(_fire_options(module, made, skipped=1)) if made else ()
    for method in methods:
        if not method.name.startswith("_"):
            yield Command((method.name,), tuple(_fire_options(module, method, skipped=1)), shared)


def _arguments(function: Function) -> Iterator[_Argument]:
    placed = [*function.args.posonlyargs, *function.args.args]
    defaults: list[ast.expr | None] = [
        *([None] * (len(placed) - len(function.args.defaults))),
        *function.args.defaults,
    ]
    for one, default in zip(placed, defaults, strict=True):
        yield _Argument(one.arg, one.annotation, default)
    for one, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
        yield _Argument(one.arg, one.annotation, default)


def _fire_options(module: Module, function: Function, skipped: int = 0) -> Iterator[Option]:
    for argument in [*_arguments(function)][skipped:]:
        default = None if argument.default is None else module.value(argument.default)
        word = _WORDS.get(module.dotted(argument.annotation).rpartition(".")[2]) or type_of_value(default)
        option = Option(
            name_of(argument.name), f"--{argument.name}", type="string" if word == "path" else word
        )
        if word == "bool":  # fire reads Python's words
            option = option._replace(choices=("True", "False"))
        yield typed(module, option, argument.default, default, required=argument.default is None)


def _typer_options(module: Module, function: Function) -> Iterator[Option]:
    for argument in _arguments(function):
        annotation, declared = _annotated(module, argument.annotation)
        node = argument.default
        if isinstance(node, ast.Call) and module.dotted(node.func) in ("typer.Option", "typer.Argument"):
            declared = node
            node = node.args[0] if node.args else keywords(node).get("default")
            required = node is None or module.value(node) is ...
        else:
            required = node is None
        if module.dotted(annotation) != "typer.Context":
            yield _typer_option(module, argument, annotation, declared, None if required else node)


def _typer_option(
    module: Module,
    argument: _Argument,
    annotation: ast.expr | None,
    declared: ast.Call | None,
    node: ast.expr | None,
) -> Option:
    """`node`: the default; None where a value is required."""
    given = keywords(declared) if declared else {}
    kind = module.dotted(declared.func).rpartition(".")[2] if declared else ""
    is_argument = kind == "Argument" or (not kind and node is None)
    flags = [
        flag
        for flag in map(module.value, declared.args if declared else ())
        if isinstance(flag, str) and flag.startswith("-")
    ]
    flag = next((one for one in flags if one.startswith("--")), *flags[:1] or [f"--{_dashed(argument.name)}"])
    on, _, off = flag.partition("/")
    option = Option(
        name_of(argument.name), "" if is_argument else on, help=help_of(module, given.get("help"))
    )
    default = None if node is None else module.value(node)
    option, problem = _typer_type(module, option, annotation, given, default)
    if problem:
        return option._replace(left_out=problem)
    if option.type == "bool" and not is_argument:
        value = "true" if default is True else "false"
        off = off or ("" if flags else f"--no-{_dashed(argument.name)}")
        return option._replace(kind="switch", default=value, off_flag=off)
    member = _member(module, node)
    if member is not None:
        return option._replace(default=member)
    return typed(module, option, node, default, required=node is None)


def _typer_type(
    module: Module, option: Option, annotation: ast.expr | None, given: dict[str, ast.expr], default: object
) -> tuple[Option, str]:
    """The option with its type, and why it becomes no parameter."""
    name = module.dotted(annotation)
    if (
        isinstance(annotation, ast.Subscript)
        and module.dotted(annotation.value).rpartition(".")[2] == "Literal"
    ):
        return option._replace(choices=choices_of(module, annotation.slice)), ""
    if isinstance(annotation, ast.Subscript):
        return option, "may be repeated"
    if name in module.classes:
        members = tuple(_members(module, module.classes[name]).values())
        return option._replace(choices=members), "" if members else "has a type of its own"
    word = _WORDS.get(name.rpartition(".")[2]) if annotation is not None else type_of_value(default)
    if word == "path" and module.value(given.get("exists")) is not True:
        word = "path" if default is UNKNOWN or isinstance(default, str) else "string"
    least, most = (module.value(given.get(key)) for key in ("min", "max"))
    return option._replace(
        type=word or "string",
        minimum=str(least) if isinstance(least, (int, float)) else "",
        maximum=str(most) if isinstance(most, (int, float)) else "",
    ), ""


def _annotated(module: Module, annotation: ast.expr | None) -> tuple[ast.expr | None, ast.Call | None]:
    """The type of `Annotated[type, typer.Option(…)]` and of what may be None, and the declaration."""
    declared = None
    if isinstance(annotation, ast.Subscript):
        outer = module.dotted(annotation.value).rpartition(".")[2]
        inner = annotation.slice
        if outer == "Annotated" and isinstance(inner, ast.Tuple):
            declared = next((one for one in inner.elts[1:] if isinstance(one, ast.Call)), None)
            annotation = inner.elts[0]
        if isinstance(annotation, ast.Subscript) and module.dotted(annotation.value).endswith("Optional"):
            annotation = annotation.slice
    if isinstance(annotation, ast.BinOp) and module.value(annotation.right) is None:
        annotation = annotation.left
    return annotation, declared


def _members(module: Module, defined: ast.ClassDef) -> dict[str, str]:
    """The values of an enumeration of texts, by name."""
    if not any(module.dotted(base).rpartition(".")[2] in ("Enum", "StrEnum") for base in defined.bases):
        return {}
    found = {}
    for node in defined.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value = module.value(node.value)
            if isinstance(value, str):
                found[node.targets[0].id] = value
    return found


def _member(module: Module, node: ast.expr | None) -> str | None:
    """The text of a default such as `Kind.fast`."""
    if isinstance(node, ast.Attribute) and node.attr == "value":
        node = node.value
    if not isinstance(node, ast.Attribute):
        return None
    defined = module.classes.get(module.dotted(node.value))
    return _members(module, defined).get(node.attr) if defined else None


def _dashed(name: str) -> str:
    return name.lower().replace("_", "-")
