"""The outcome of a run as JUnit XML: a test suite with one test case."""

from __future__ import annotations

import re
import time
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from projrun.cli.ci.conclusion import KILLED, Conclusion

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write."""
_COLORS = re.compile(r"\x1b\[[0-9;:]*m")


def write_junit(file: Path, conclusion: Conclusion, output: str) -> None:
    """Write the file; `output` is the end of the log. Raises OSError."""
    seconds = f"{(conclusion.milliseconds or 0) / 1000:.3f}"
    failed, broken = conclusion.status == "FAILED", conclusion.status in ("ERROR", KILLED)
    counts = {"tests": "1", "failures": str(int(failed)), "errors": str(int(broken)), "skipped": "0"}
    suite = _element("testsuite", name=conclusion.project, time=seconds, timestamp=_now(), **counts)
    facts = (
        ("run_id", conclusion.run_id),
        ("run_name", conclusion.run_name),
        ("results", conclusion.results),
    )
    parameters = [(f"param.{name}", value) for name, value in conclusion.parameters]
    properties = SubElement(suite, "properties")
    for name, value in (*filter(lambda fact: fact[1], facts), *parameters):
        properties.append(_element("property", name=name, value=value))
    case = _element(
        "testcase", classname=conclusion.project, name=conclusion.entry_point or "main", time=seconds
    )
    suite.append(case)
    if failed or broken:
        kind = _element("failure" if failed else "error", message=conclusion.reason, type=conclusion.status)
        kind.text = _legal(conclusion.reason)
        case.append(kind)
    if output:
        SubElement(case, "system-out").text = _legal(output)
    suites = Element("testsuites")
    suites.append(suite)
    indent(suites)
    suites.tail = "\n"
    ElementTree(suites).write(file, encoding="utf-8", xml_declaration=True)


def _element(tag: str, **attributes: str) -> Element:
    return Element(tag, {name: _legal(value) for name, value in attributes.items()})


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", _COLORS.sub("", text))


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
