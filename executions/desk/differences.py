"""What differs between two sets of arguments, value by value, and in long texts word by word."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

WORDS = re.compile(r"\s+|\w+|[^\w\s]")
BETWEEN = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "
MOST_WORDS = 4000
"""Longer texts are shown whole on both sides: comparing them word by word takes too long."""


@dataclass(frozen=True)
class Piece:
    text: str
    has_changed: bool


@dataclass(frozen=True, kw_only=True)
class Difference:
    """`was` or `becomes` is None where the value was not there."""

    label: str
    was: list[Piece] | None
    becomes: list[Piece] | None


def differences(was: Any, becomes: Any) -> list[Difference]:
    """Return what differs, in the order of the newer arguments."""
    old, new = dict(_leaves(was)), dict(_leaves(becomes))
    found = []
    for path in [*new, *(path for path in old if path not in new)]:
        if old.get(path) != new.get(path):
            left, right = _compared(old.get(path), new.get(path))
            found.append(Difference(label=BETWEEN.join(path), was=left, becomes=right))
    return found


def _leaves(value: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], str]]:
    """Return the values that stand for themselves, as text, by where they stand; a null counts
    as left out, as it does for the tools."""
    if value is None:
        return []
    if isinstance(value, dict) and value:
        return [
            leaf
            for key, one in value.items()
            for leaf in _leaves(one, (*path, key.replace("_", " ")))
        ]
    if isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        return [
            leaf
            for number, one in enumerate(value, 1)
            for leaf in _leaves(one, (*path[:-1], f"{path[-1] if path else ''} {number}"))
        ]
    if isinstance(value, list):
        return [(path, "\n".join(map(_text, value)) or "nothing")]
    return [(path, _text(value))]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _compared(old: str | None, new: str | None) -> tuple[list[Piece] | None, list[Piece] | None]:
    if old is None or new is None:
        return (
            None if old is None else [Piece(old, True)],
            None if new is None else [Piece(new, True)],
        )
    before, after = WORDS.findall(old), WORDS.findall(new)
    if len(before) + len(after) > MOST_WORDS:
        return [Piece(old, True)], [Piece(new, True)]
    left, right = [], []
    for kind, a, b, c, d in SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes():
        changed = kind != "equal"
        left.append(Piece("".join(before[a:b]), changed))
        right.append(Piece("".join(after[c:d]), changed))
    return [one for one in left if one.text], [one for one in right if one.text]
