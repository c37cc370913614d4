"""Text for a terminal. What an LLM, a tool or a user wrote must not move its cursor (ANSI)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def printable(text: object) -> str:
    """Return `text` as one line: characters that do not show stand as escapes like \\u202e."""
    shown = str(text)
    return shown if shown.isprintable() else "".join(map(_shown, shown))


def block(text: str, *, indent: str = "") -> str:
    """Return `text` with its own lines kept, everything else as `printable` shows it."""
    return "\n".join(indent + printable(line) for line in text.split("\n"))


def clipped(text: str, *, limit: int) -> str:
    """Return `text` up to `limit` characters, and how many it has when that is not all."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"


def as_json(value: Any, *, indent: int | None = None) -> str:
    """Return JSON for programs: pure ASCII, so that a terminal survives it too."""
    return json.dumps(value, cls=DjangoJSONEncoder, indent=indent)


def readable_json(value: Any, *, indent: int | None = None) -> str:
    """Return JSON for people: letters of every script, nothing that does not show."""
    text = json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, indent=indent)
    return block(text)


def dollars(amount: Decimal | None) -> str:
    return "price unknown" if amount is None else f"${amount:.4f}"


def seconds(milliseconds: int | None) -> str:
    """Return a duration for people: 12 ms, 3.4 s, 2 min 5 s."""
    if milliseconds is None:
        return "?"
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if milliseconds < 120_000:
        return f"{milliseconds / 1000:.1f} s"
    return f"{milliseconds // 60_000} min {milliseconds % 60_000 // 1000} s"


def counted(number: int, noun: str) -> str:
    """`counted(1, "step")` is "1 step", `counted(1200, "step")` is "1,200 steps"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _shown(char: str) -> str:
    if char.isprintable():
        return char
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
