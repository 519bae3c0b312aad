"""A plan as a document, and the document as text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from projrun.project.model import BoundParameter, Outputs
from projrun.project.shown import public
from projrun.running.backend_config import shown_config
from projrun.running.plan import EnvironmentPlan, Plan
from projrun.settings import Setting
from projrun.sources.checkout import Checkout


def plan_document(plan: Plan) -> dict[str, Any]:
    """The keys of `projrun plan --json`; a contract test pins them."""
    return {
        "source": _source(plan.checkout),
        "trust": [_rule(name, rule) for name, rule in plan.policy.rules()],
        "project": plan.project.name,
        "entry_point": plan.invocation.entry_point,
        "parameters": [_parameter(public(parameter)) for parameter in plan.invocation.parameters],
        "command": plan.invocation.shown_command,
        "environment": _environment(plan.environment),
        "backend": {
            "name": plan.backend.name,
            "origin": plan.backend.origin,
            "config": shown_config(plan.backend.config),
        },
        "tracking": {
            "uri": plan.tracking.uri.shown,
            "origin": plan.tracking.origin,
            "journal": plan.tracking.journal,
        },
        "experiment": {
            "name": plan.experiment.name,
            "id": plan.experiment.experiment_id,
            "origin": plan.experiment.origin,
        },
        "run": {"id": plan.run_id, "name": plan.run_name},
        "grace_period": plan.grace_period,
        "limits": dict(plan.limits.shown()) if plan.limits else {},
        "end_timeout": plan.end_timeout,
        "outputs": _outputs(plan.invocation.outputs),
        "warnings": list(plan.warnings),
        "notes": list(plan.checkout.notes),
    }


def _environment(environment: EnvironmentPlan) -> dict[str, Any]:
    resolved = environment.resolved
    return {
        "manager": resolved.manager,
        "reason": environment.reason,
        "summary": resolved.summary,
        "key": resolved.key,
        "path": None if resolved.path is None else str(resolved.path),
        "exists": resolved.exists,
        "rebuild": environment.rebuild,
        "facts": [list(fact) for fact in resolved.facts],
    }


def _source(checkout: Checkout) -> dict[str, Any]:
    return {
        "uri": checkout.uri,
        "directory": str(checkout.directory),
        "subdirectory": checkout.subdirectory,
        "version": checkout.version,
        "commit": checkout.commit,
        "branch": checkout.branch,
        "repository": checkout.repository,
        "dirty": checkout.dirty,
        "digest": checkout.digest,
        "cached": None if checkout.cached is None else str(checkout.cached),
    }


def _rule(name: str, rule: Setting) -> dict[str, str]:
    return {"rule": name, "value": rule.value, "origin": rule.origin}


def _outputs(outputs: Outputs | None) -> dict[str, Any] | None:
    if outputs is None:
        return None
    return {
        "metrics": [*outputs.patterns, *outputs.files],
        "artifacts": [{"name": one.name, "glob": one.glob} for one in outputs.artifacts],
    }


_JOURNALS = {
    "offline": "on this machine; `projrun sync` delivers it",
    "buffer": "on this machine first, then there",
}


def _parameter(parameter: BoundParameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "type": parameter.type,
        "value": parameter.value,
        "given": parameter.raw,
        "origin": parameter.origin,
        "declared": parameter.declared,
        "download": parameter.download,
    }


def plan_text(document: Mapping[str, Any]) -> str:
    """The plan for people: one line for each fact, without empty ones."""
    lines = [
        *_source_lines(document["source"]),
        *(("trust", _rule_text(rule)) for rule in document["trust"]),
        ("entry point", document["entry_point"]),
        *(("parameter", _parameter_text(parameter)) for parameter in document["parameters"]),
        ("command", document["command"]),
        *_environment_lines(document["environment"]),
        *_backend_lines(document["backend"]),
        ("tracking", _with_origin(document["tracking"]["uri"], document["tracking"]["origin"])),
        ("recorded", _JOURNALS.get(document["tracking"]["journal"], "")),
        ("experiment", _experiment_text(document["experiment"])),
        ("run", document["run"]["name"] or document["run"]["id"] or ""),
        *document["limits"].items(),
        *_output_lines(document["outputs"] or {}),
    ]
    return "\n".join(f"{label:<12} {_continued(text)}" for label, text in lines if text)


def _output_lines(outputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from (("metrics", text) for text in outputs.get("metrics", ()))
    for one in outputs.get("artifacts", ()):
        yield "artifact", one["glob"] if one["name"] == one["glob"] else f"{one['name']}: {one['glob']}"


def _source_lines(source: Mapping[str, Any]) -> list[tuple[str, str]]:
    commit = source["commit"] or ""
    if commit and source["branch"]:
        commit += f" ({source['branch']})"
    if source["dirty"]:
        commit += ", with uncommitted changes"
    return [
        ("source", source["uri"]),
        ("version", source["version"] or ""),
        ("commit", commit),
        ("archive", f"sha256:{source['digest']}" if source["digest"] else ""),
        ("repository", source["repository"] or ""),
        ("checkout", f"{source['cached']} (cached)" if source["cached"] else ""),
    ]


def _rule_text(rule: Mapping[str, str]) -> str:
    return f"{rule['rule']} = {rule['value']} ({rule['origin']})"


def _environment_lines(environment: Mapping[str, Any]) -> list[tuple[str, str]]:
    lines = [("environment", f"{environment['summary']} ({environment['reason']})")]
    if environment["path"]:
        state = "exists" if environment["exists"] else "will be built"
        if environment["rebuild"]:
            state = "will be built again"
        lines.append(("", f"{environment['path']} ({state})"))
    return [*lines, *((word, text) for word, text in environment["facts"])]


def _backend_lines(backend: Mapping[str, Any]) -> list[tuple[str, str]]:
    config = json.dumps(backend["config"], ensure_ascii=False) if backend["config"] else ""
    return [("backend", _with_origin(backend["name"], backend["origin"])), ("", config)]


def _parameter_text(parameter: Mapping[str, Any]) -> str:
    text = f"{parameter['name']} = {parameter['value']}  ({parameter['type']}, {parameter['origin']})"
    if parameter["download"]:
        text += f", downloaded from {parameter['download']}"
    return text if parameter["declared"] else f"{text}, not declared"


def _experiment_text(experiment: Mapping[str, Any]) -> str:
    shown = experiment["name"] or f"id {experiment['id']}"
    return _with_origin(shown, experiment["origin"])


def _with_origin(value: str, origin: str) -> str:
    return f"{value} ({origin})"


def _continued(text: str) -> str:
    return text.replace("\n", "\n" + " " * 13)
