"""Where our answers differ from MLflow's on purpose, and why. Lines of `calls/` name them."""

from __future__ import annotations

ALLOWED = {
    "kind": (
        "A value of the wrong type, a word that is none or JSON that cannot be read is refused; MLflow goes on with"
        " the field's default: a metric of `abc` becomes 0, a run's unknown status none."
    ),
    "spelling": (
        "A required field may be spelled in camelCase, as protobuf's JSON allows; what is in the path need not be"
        " repeated in the body; a page's size may be missing."
    ),
    "database": (
        "MLflow answers with an error of its database, or of its program (500, BAD_REQUEST); we say what is wrong."
    ),
    "checked": (
        "Keys of all tags are checked where MLflow checks those of some routes only. A dataset has a name, a digest"
        " and a source; what a request is about exists; a name is not blank; no text holds a NUL; a path is decoded"
        " once, and has no backslash."
    ),
    "grammar": (
        "Our search language takes what MLflow's takes and a little more, and never less than a whole clause; a"
        " dataset without a digest stands for each of that name."
    ),
    "infinite": (
        "An infinite value stays one, where MLflow answers with the largest finite number; a run's metric names the"
        " dataset that it is of."
    ),
    "now": "A run without a start time starts now, not in 1970.",
    "no-route": "What no route serves is answered in the JSON of all errors, not as a page.",
    "left-out": "Not served: gateway, workspaces and their settings.",
}

SILENT = {
    "workspace": "We serve no workspaces.",
}
"""Keys of MLflow's answers that ours do not have."""

MORE = {
    "model_id": "A version of a model names the logged model that it was made of, here as in MLflow's message.",
    "aliases": "Each version tells its aliases, in lists too.",
}
"""Keys of our answers that MLflow's do not always have."""
