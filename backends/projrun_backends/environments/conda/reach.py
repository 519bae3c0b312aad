"""Whether channels answer, before a plan relies on them: each is asked once an hour, and nothing is downloaded."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from projrun.environments.protocol import EnvironmentRequest
from projrun.http.proxies import proxies_for
from projrun_backends.environments.conda.channels import Channel
from projrun_backends.environments.conda.settings import CondaSettings

LIMIT = 3.0
"""Seconds for all channels together, names and redirects included."""
KEPT = 3600.0
"""Seconds for which an answer counts, a missing one too."""
MEMORY = "conda-channels.json"
"""Beside the environments."""

_INDEX = "noarch/repodata.json"
_FORBIDDEN = frozenset({403, 407, 451})
"""What a company's proxy says of places that it does not let through."""
_BROKEN = 500


def silent_channels(
    channels: Sequence[Channel], settings: CondaSettings, request: EnvironmentRequest
) -> tuple[Channel, ...]:
    """Those that do not answer: now, or when they were asked within the last hour; offline all that are not known."""
    memory = request.cache_directory / MEMORY
    kept = _read(memory)
    answers = {url: answered for url, (_, answered) in kept.items()}
    answers |= {one.url: _is_folder(one.url) for one in channels if one.url.startswith("file:")}
    unknown = [one for one in channels if one.url not in answers]
    if unknown and not request.offline:
        asked = _ask_all(unknown, settings, request.environ)
        now = time.time()
        _write(memory, {**kept, **{url: (now, answered) for url, answered in asked.items()}})
        answers |= asked
    return tuple(one for one in channels if not answers.get(one.url, False))


def _is_folder(url: str) -> bool:
    return Path(url2pathname(urlsplit(url).path)).is_dir()


def _ask_all(
    channels: Iterable[Channel], settings: CondaSettings, environ: Mapping[str, str]
) -> dict[str, bool]:
    """All at once, in threads that do not outlive the process: the search for a host's address knows no time limit."""
    answers: dict[str, bool] = {}

    def ask(channel: Channel) -> None:
        answers[channel.url] = _answers(channel, settings, environ)

    threads = [threading.Thread(target=ask, args=(channel,), daemon=True) for channel in channels]
    end = time.monotonic() + LIMIT
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return {channel.url: answers.get(channel.url, False) for channel in channels}


def _answers(channel: Channel, settings: CondaSettings, environ: Mapping[str, str]) -> bool:
    """Any answer will do, also one that asks for a login: what conda needs of the channel is for conda to say.

    No credentials are sent, and a redirect is an answer.
    """
    import requests
    import urllib3

    if settings.ssl_verify == "false":
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    try:
        with requests.Session() as session:
            session.trust_env = False  # it would read os.environ
            session.proxies = dict(settings.proxies or proxies_for(urlsplit(channel.url), environ))
            session.verify = {"true": True, "false": False}.get(settings.ssl_verify, settings.ssl_verify)
            answer = session.head(f"{channel.url}/{_INDEX}", timeout=LIMIT, allow_redirects=False)
    except (requests.RequestException, OSError, ValueError):  # ValueError: no address
        return False
    private = bool(channel.user or channel.token)
    return answer.status_code < _BROKEN and (private or answer.status_code not in _FORBIDDEN)


def _read(memory: Path) -> dict[str, tuple[float, bool]]:
    """By address: when it was asked, and whether it answered."""
    now = time.time()
    try:
        content = json.loads(memory.read_text(encoding="utf-8"))
        kept = {str(url): (float(when), bool(answered)) for url, (when, answered) in content.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
    return {url: known for url, known in kept.items() if 0 <= now - known[0] < KEPT}


def _write(memory: Path, kept: Mapping[str, tuple[float, bool]]) -> None:
    """A folder that cannot be written is not an error."""
    from projrun.cache.private_files import replace_private

    with suppress(OSError):
        replace_private(memory, json.dumps(kept).encode("ascii"))
