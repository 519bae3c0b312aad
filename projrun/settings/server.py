"""The options of `projrun server`, each declared once, with its variables: MLflow's, where `mlflow server` has one."""

from __future__ import annotations

from projrun.settings.options import Option


def _option(name: str, help_text: str, metavar: str | None, *variables: str, default: str = "") -> Option:
    word = name.upper().replace("-", "_")
    own = f"PROJRUN_SERVER_{word}"
    return Option(name, help_text, metavar, variables=(own, *variables), default=default, setting=True)


_TABLE = (
    _option(
        "backend-store-uri", "The store to serve: sqlite:///FILE.", "URI", "MLFLOW_BACKEND_STORE_URI",
        default="the embedded store",
    ),
    _option(
        "host", "Address to listen on; other machines reach 0.0.0.0.", "HOST", "MLFLOW_HOST", default="127.0.0.1"
    ),
    _option("port", "Port to listen on; 0 takes a free one.", "PORT", "MLFLOW_PORT", default="5000"),
    _option(
        "no-auth", "Serve other machines without users: whoever reaches the address may read and write all.", None
    )._replace(kind="flag"),
)  # fmt: skip

SERVER_OPTIONS = {option.name: option for option in _TABLE}
