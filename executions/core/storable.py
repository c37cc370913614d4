"""Make any text and any Python value storable in PostgreSQL, without losing that it was changed.

jsonb refuses NUL, lone surrogates, NaN, infinities, very deep nesting and huge numbers; text
refuses NUL. What a tool or an LLM returns may hold all of these and must never end an execution.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

TEXT_CHARS = 256_000  # one string is kept up to here, with a notice behind it
TOTAL_CHARS = 4_000_000  # of all strings in one value; jsonb ends at 256 MB
KEY_CHARS = 1000
DEPTH = 60
ITEMS = 20_000
_ILLEGAL = re.compile("[\x00\ud800-\udfff]")
_BIG = 10**400  # beyond every float
_EXACT = 10**16  # floats from here on are written with an exponent


def text(value: str, *, limit: int = TEXT_CHARS) -> str:
    """Return `value` with NULs and lone surrogates shown as U+FFFD, cut at `limit` characters.

    A cut text says how long the whole was and its sha256.
    """
    clean = _ILLEGAL.sub("\ufffd", value)
    if len(clean) <= limit:
        return clean
    digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{clean[:limit]}… [cut: {len(value)} characters in all, sha256 {digest}]"


def value(anything: Any, *, limit: int = TEXT_CHARS) -> Any:
    """Return a JSON value that jsonb accepts, whatever `anything` is."""
    return _Cleaner(limit).clean(anything, DEPTH)


def parse(raw: str) -> Any:
    """Parse JSON strictly: nothing that is no number, no doubled keys, no absurd nesting.

    Raises ValueError.
    """
    try:
        return json.loads(
            raw,
            parse_constant=_no_constant,
            parse_float=_finite,
            object_pairs_hook=_no_doubles,
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


class _Cleaner:
    """One walk over one value; counts items and characters: what is huge is cut, not stored."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.left = ITEMS
        self.room = max(TOTAL_CHARS, limit)

    def clean(self, thing: Any, depth: int) -> Any:
        self.left -= 1
        if depth <= 0 or self.left < 0:
            return "[cut: too deep or too large]"
        if thing is None or isinstance(thing, bool):
            return thing
        if isinstance(thing, (int, float, Decimal)):
            return _number(thing)
        if isinstance(thing, Mapping):
            return self._mapping(thing, depth)
        if isinstance(thing, (list, tuple, set, frozenset)):
            return self._list(thing, depth)
        return self._text(_words(thing), self.limit)

    def _text(self, words: str, limit: int) -> str:
        kept = text(words, limit=min(limit, max(self.room, 0)))
        self.room -= len(kept)
        return kept

    def _mapping(self, things: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for key, thing in things.items():
            if self.left <= 0:
                kept["[cut]"] = f"{len(things) - len(kept)} more keys"
                break
            name = self._text(_key(key), KEY_CHARS)
            while name in kept:  # two keys that differed only in what was cleaned away
                name += "'"
            kept[name] = self.clean(thing, depth - 1)
        return kept

    def _list(self, things: Any, depth: int) -> list[Any]:
        kept: list[Any] = []
        for thing in things:
            if self.left <= 0:
                kept.append(f"[cut: {len(things) - len(kept)} more items]")
                break
            kept.append(self.clean(thing, depth - 1))
        return kept


def _number(number: int | float | Decimal) -> Any:
    if isinstance(number, int):
        return int(number) if abs(number) < _BIG else text(hex(number), limit=1000)
    if isinstance(number, Decimal):
        return text(str(number), limit=1000)
    if not math.isfinite(number):
        return str(number)
    if abs(number) >= _EXACT:  # jsonb reads it back as a whole number; so it is one from now on
        return int(Decimal(repr(float(number))))
    return float(number) + 0.0  # no minus zero, which jsonb forgets


def _key(key: Any) -> str:
    try:
        return str(key)
    except Exception:  # a number of thousands of digits, or an object with no words for itself
        return f"<{type(key).__name__}>"


def _words(thing: Any) -> str:
    """Return the text that stands for a value JSON has no form for."""
    if isinstance(thing, str):
        return thing
    if isinstance(thing, (datetime, date, time)):
        return thing.isoformat()
    if isinstance(thing, (bytes, bytearray, memoryview)):
        return "base64:" + base64.b64encode(bytes(thing)).decode()
    if isinstance(thing, Enum):
        return str(thing.value)
    if isinstance(thing, (UUID, timedelta)):
        return str(thing)
    return f"<{type(thing).__name__}>"


def _finite(text: str) -> float:
    """Return the number; JSON allows 1e400, and Python would make it infinite."""
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {text[:20]} is too large")
    return number


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        double = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {double[:100]!r} stands twice")
    return dict(pairs)
