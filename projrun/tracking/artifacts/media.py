"""How a browser is to take an artifact: its media type, as MLflow's server guesses it, and that it is to be saved."""

from __future__ import annotations

import posixpath
import unicodedata
from mimetypes import guess_type
from urllib.parse import quote

_TEXT = frozenset(
    {
        "txt", "log", "err", "cfg", "conf", "cnf", "cf", "ini", "properties", "prop", "hocon", "toml", "yaml", "yml",
        "xml", "json", "js", "py", "py3", "csv", "tsv", "md", "rst", "ipynb", "MLmodel", "mlproject",
    }
)  # fmt: skip
"""Extensions, and names without one, that MLflow answers as plain text."""
_SCRIPTS = ("javascript", "ecmascript")
_OTHER = "application/octet-stream"


def media_type_of(name: str) -> str:
    """The media type of a file by its name; never that of a script, which a page of the same origin could load."""
    name = posixpath.basename(name)
    extension = posixpath.splitext(name)[1].removeprefix(".") or name
    if extension in _TEXT:
        return "text/plain"
    guessed = guess_type(name, strict=True)[0] or _OTHER
    return "text/plain" if guessed.endswith(_SCRIPTS) else guessed


def disposition_of(name: str) -> str:
    """The header Content-Disposition (RFC 6266) of a file that is to be saved under a name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode() or "download"
    quoted = "".join(character for character in plain if character.isprintable() and character not in '"\\')
    header = f'attachment; filename="{quoted}"'
    return header if quoted == name else f"{header}; filename*=UTF-8''{quote(name, safe='')}"
