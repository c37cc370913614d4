"""Links in plain text, as mail programs make them, with the host they lead to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

_LINK = re.compile(r"(?:https?://|ftp://|www\.|mailto:)[^\s<>\"']+", re.IGNORECASE)
_TRAILING = ".,;:!?)]}\u00bb\u201d\u2019\u2026"


@dataclass(frozen=True)
class Link:
    """`host` is empty where none can be made out; the link is then doubtful, too."""

    url: str
    host: str


def links(text: str) -> list[Link]:
    """Return every link of a text once, in order."""
    return list(dict.fromkeys(Link(part, host(part)) for part, is_link in cut(text) if is_link))


def cut(text: str) -> Iterator[tuple[str, bool]]:
    """Cut a text into what is a link and what is not; joined, the parts are the text."""
    end = 0
    for match in _LINK.finditer(text):
        url = match.group().rstrip(_TRAILING)
        yield text[end : match.start()], False
        yield url, True
        end = match.start() + len(url)
    yield text[end:], False


def host(url: str) -> str:
    """Return where a link leads as a browser reads it, which takes a backslash for a slash."""
    scheme, colon, rest = url.partition(":")
    if scheme.lower() == "mailto":
        return rest.partition("?")[0].rpartition("@")[2].lower()
    full = url if colon and rest.startswith(("/", "\\")) else f"http://{url}"
    try:
        return urlsplit(full.replace("\\", "/")).hostname or ""
    except ValueError:
        return ""
