"""The single keys of our pages, and which of them a person has put elsewhere (WCAG 2.1.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

RESERVED = {"g": "begins “g q” and “g m”"}
LARGEST = 0xFFFF  # beyond it one character is two to a browser


@dataclass(frozen=True, kw_only=True)
class Key:
    """One action: its `usual` key, and what it does in words."""

    action: str
    usual: str
    words: str


KEYS = tuple(
    Key(action=action, usual=usual, words=words)
    for action, usual, words in (
        ("next_row", "j", "next row"),
        ("previous_row", "k", "row before"),
        ("open", "o", "open the row; Enter does it too"),
        ("up", "u", "up, to the list"),
        ("next", "n", "next review"),
        ("approve", "a", "approve; it asks first"),
        ("reject", "r", "reject; it asks why"),
        ("edit", "e", "edit"),
        ("ask", "q", "ask the agent"),
        ("settle", "s", "say what became of it, when that is in doubt"),
        ("undo", "z", "to “Take it back”, or “Withdraw my vote”"),
        ("together", "b", "decide alike ones together"),
        ("claim", "c", "claim it, or let it go"),
        ("search", "/", "search"),
        ("help", "?", "show the keys"),
    )
)


def strokes_of(own: Mapping[str, str]) -> dict[str, str]:
    """Return the key of each action; `own` are those that a person has put elsewhere."""
    return {key.action: own.get(key.action) or key.usual for key in KEYS}


def own_of(strokes: Mapping[str, str]) -> dict[str, str]:
    """Return of these keys those that are not the usual ones."""
    given = ((key.action, key.usual, strokes.get(key.action)) for key in KEYS)
    return {action: stroke for action, usual, stroke in given if stroke and stroke != usual}


def faults(strokes: Mapping[str, str]) -> dict[str, str]:
    """Return by action what is wrong with the key that it is given, of all of them together."""
    found = {}
    for key in KEYS:
        stroke = strokes[key.action]
        others = [one for one in KEYS if one != key and strokes[one.action] == stroke]
        if len(stroke) != 1 or not stroke.isprintable() or stroke == " " or ord(stroke) > LARGEST:
            found[key.action] = "This is not one character that a key makes."
        elif stroke in RESERVED:
            found[key.action] = f"“{stroke}” {RESERVED[stroke]}; take another one."
        elif others:
            found[key.action] = f"“{stroke}” is the key to “{others[0].words}”, too."
    return found
