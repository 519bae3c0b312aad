"""Taking credentials out of the URLs of a text, whoever wrote it: the rule for what is shown, kept or recorded."""

from __future__ import annotations

import re

# Texts, compiled when first used: most projects name no URL, and compiling costs the hot path a millisecond.
_WEB_USER = r"(?i)\b((?:[a-z+]+\+)?https?://)[^/\s@]+@"
_USER_AND_WORD = r"(?i)\b([a-z][a-z0-9+.-]*://[^/\s:@]*):[^/\s@]+@"
_QUERY = r"(?i)([?&](?:[\w.-]*(?:token|key|passw(?:or)?d|secret|signature|credential)|sig)=)[^&\s]+"


def without_credentials(text: str) -> str:
    """The text with no user, password or token in any URL of it (`ssh://git@host` keeps its user).

    Of a query only the values go whose names say that they let somebody in, as in addresses that object
    stores sign (`X-Amz-Signature`, `sig`): what else a query says names the place.
    """
    if "://" not in text:
        return text
    text = re.sub(_WEB_USER, r"\1", text)
    return re.sub(_QUERY, r"\1***", re.sub(_USER_AND_WORD, r"\1@", text))
