"""Runs the examples of MLflow's fluent API, word for word, with the client that the first word names.

Prints what each of them prints as JSON: by function, with words for ids, times and places.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import re
import sys
import textwrap
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import projrun.log

CLIENT = sys.argv[1]
_UNKNOWN = (
    (r"\b[0-9a-f]{32}\b", "ID"),
    (r"(Experiment_id: )\d+", r"\1ID"),
    (r"(timestamp: )\d{13}", r"\1TIME"),
    (r"((?:Location|uri): ).*?(/features\S*)?$", r"\1PLACE\2"),
    (r"tmp\w{8}", "TMP"),
    (r" +", " "),
)
_TAGS = re.compile(r"(?<=^Tags: )\{.*\}$", re.MULTILINE)


def examples() -> Iterator[tuple[str, str]]:
    """Those of the functions that `projrun.log` has, which use no others: the function, and the code."""
    package = find_spec("mlflow")
    assert package is not None and package.origin is not None
    source = Path(package.origin).with_name("tracking") / "fluent.py"
    for node in ast.parse(source.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name in projrun.log.__all__:
            text = f"{ast.get_docstring(node)}\n"
            for found in re.finditer(
                r"^( *)\.\. code-block:: python\n((?:\1 +.*\n|\s*\n)+)", text, re.MULTILINE
            ):
                code = re.sub(r"^:\w+:.*\n", "", textwrap.dedent(found[2]), flags=re.MULTILINE)
                used = set(re.findall(r"\bmlflow\.(\w+)[.(]", code))
                if used <= set(projrun.log.__all__) and "MlflowClient" not in code and "plotly" not in code:
                    yield node.name, code


def run(code: str) -> str:
    """What it prints; at last the name of its exception."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            exec(compile(code, "example", "exec"), {"__name__": "example"})
        except Exception as error:
            print(type(error).__name__, error)
    text = out.getvalue()
    for pattern, word in _UNKNOWN:
        text = re.sub(pattern, word, text, flags=re.MULTILINE)
    # Servers give them in an order of their own.
    return _TAGS.sub(lambda found: str(sorted(ast.literal_eval(found[0]).items())), text)


said = []
for number, (function, code) in enumerate(examples()):
    mine = re.sub(r"^import mlflow$", f"import {CLIENT} as mlflow", code, flags=re.MULTILINE)
    # A name is taken by an example, or by the other client at the same server.
    mine = re.sub(r"Social NLP Experiments|experiment1", rf"\g<0> of {CLIENT} {number}", mine)
    said.append([function, run(mine).replace(f" of {CLIENT} {number}", "")])
print(json.dumps(said))
