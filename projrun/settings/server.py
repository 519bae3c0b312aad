"""The options of `projrun server`, each declared once, with its variables: MLflow's, where `mlflow server` has one."""

from __future__ import annotations

from projrun.settings.options import Option
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.settings.options import Kind


def _option(
    name: str, help_text: str, metavar: str, *variables: str, kind: Kind = "text", default: str = ""
) -> Option:
    own = f"PROJRUN_SERVER_{name.upper().replace('-', '_')}"
    metavar_or_none = metavar or None
    return Option(
        name,
        help_text,
        metavar_or_none,
        kind=kind,
        variables=(own, *variables),
        default=default,
        setting=True,
    )


def _flag(name: str, help_text: str, *variables: str) -> Option:
    return _option(name, help_text, "", *variables, kind="flag")


BACKEND_STORE = _option(
    "backend-store-uri", "The store: sqlite:///FILE or postgresql://HOST/NAME.", "URI",
    "MLFLOW_BACKEND_STORE_URI", default="the embedded store",
)  # fmt: skip
ARTIFACTS_DESTINATION = _option(
    "artifacts-destination", "Where the server keeps artifacts: a folder, or a URI of s3, gs or abfss.", "URI",
    "MLFLOW_ARTIFACTS_DESTINATION", default="the folder `artifacts` beside the store",
)  # fmt: skip
HOST = _option(
    "host", "Address to listen on; other machines reach 0.0.0.0.", "HOST", "MLFLOW_HOST", default="127.0.0.1"
)
PORT = _option("port", "Port to listen on; 0 takes a free one.", "PORT", "MLFLOW_PORT", default="5000")

NO_AUTH = _flag(
    "no-auth", "Serve other machines without users: whoever reaches the address may read and write all."
)

_TABLE = (
    BACKEND_STORE,
    _option(
        "registry-store-uri", "Another store for registered models.", "URI", "MLFLOW_REGISTRY_STORE_URI",
        default="the backend store",
    ),
    _option(
        "default-artifact-root",
        "Where clients keep the artifacts of new experiments themselves, without the server.", "URI",
        "MLFLOW_DEFAULT_ARTIFACT_ROOT", default="the server keeps them",
    ),
    ARTIFACTS_DESTINATION,
    _option(
        "serve-artifacts", "Whether the server takes and gives artifacts.", "", "MLFLOW_SERVE_ARTIFACTS",
        kind="switch", default="it does",
    ),
    _option("upload-limit", "Largest artifact that the server takes: 500MB, 2GiB.", "SIZE", default="no limit"),
    _flag("artifacts-only", "Serve artifacts and nothing else.", "MLFLOW_ARTIFACTS_ONLY"),
    HOST,
    PORT,
    _option(
        "workers", "Processes that answer requests, where the store is in PostgreSQL.", "N", "MLFLOW_WORKERS",
        default="1",
    ),
    _option(
        "static-prefix", "Path below which the server is reached, such as /mlflow.", "PATH", "MLFLOW_STATIC_PREFIX"
    ),
    _option(
        "allowed-hosts", "Host names that requests may name, `*` for any characters.", "HOST,...",
        "MLFLOW_SERVER_ALLOWED_HOSTS", default="localhost and addresses",
    ),
    _option(
        "cors-allowed-origins", "Other sites whose pages may use the API; * allows all.", "ORIGIN,...",
        "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS", default="pages of this machine",
    ),
    _option(
        "x-frame-options", "Pages that may show this server in a frame: SAMEORIGIN, DENY (none) or NONE (all).",
        "VALUE", "MLFLOW_SERVER_X_FRAME_OPTIONS", default="SAMEORIGIN",
    ),
    _flag("read-only", "Refuse every change."),
    _flag("auth", "Callers sign in; users are those of `projrun server users`."),
    _option(
        "default-permission", "What a user may do without a grant: READ, EDIT, MANAGE or NO_PERMISSIONS.", "LEVEL",
        default="READ",
    ),
    _option("auth-header", "With --auth: header in which a proxy names the user who signed in there.", "NAME"),
    _option(
        "auth-header-from", "Addresses or networks of that proxy; others may not name users.", "ADDRESS,...",
    ),
    _flag("public-metrics", "With --auth: answer /metrics without a user."),
    NO_AUTH,
    _option("ssl-certfile", "Certificate chain (PEM): serve https.", "FILE"),
    _option("ssl-keyfile", "Private key of the certificate, where it is in a file of its own.", "FILE"),
    _option("log-format", "Write a line for each request: text or json.", "FORMAT", default="none"),
)  # fmt: skip

SERVER_OPTIONS = {option.name: option for option in _TABLE}
