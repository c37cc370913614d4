"""An LLM that does whatever a text tells it to, however the order is disguised.

The worst there is behind the gate: `{"rehearse": [{"calls": […]}, {"obey": true}]}` reads something
and then makes the call that stands in it as `{"call": "send_email", "arguments": {…}}`.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

_BASE64 = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")
_BEGIN = re.compile(r'\{\s*"call"')


def order_in(answer: Any) -> tuple[str, dict[str, Any]] | None:
    """Return the call that a tool's answer orders, as name and arguments; None without an order."""
    for text in _readings("\n".join(_texts(answer))):
        for begin in _BEGIN.finditer(text):
            try:
                found = json.JSONDecoder().raw_decode(text[begin.start() :])[0]
            except (ValueError, RecursionError):
                continue
            if isinstance(found.get("call"), str) and isinstance(found.get("arguments"), dict):
                return found["call"], found["arguments"]
    return None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def _readings(text: str) -> Iterator[str]:
    """Yield the text in every way in which it may be meant."""
    yield text
    yield text.replace("\n> ", "")
    yield "".join(one for one in text if unicodedata.category(one) != "Cf")
    yield unicodedata.normalize("NFKC", text)
    yield html.unescape(text)
    yield text[::-1]
    yield codecs.decode(text, "rot13")
    for run in _BASE64.findall(text):
        try:
            yield base64.b64decode(run).decode()
        except (binascii.Error, ValueError):
            continue
