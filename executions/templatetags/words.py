"""Numbers and times as people read them. Pure: the moment it is comes in as an argument."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

SECOND_MS = 1000
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
NOTHING = "\N{EN DASH}"
DID = {
    "approve": "approved it",
    "reject": "rejected it",
    "ask": "asked the agent",
    "happened": "said that it happened",
    "drop": "dropped it",
}
DID_THIS = {  # beside the thing itself
    "approve": "approved this",
    "reject": "rejected this",
    "ask": "asked the agent about this",
    "happened": "said that this happened",
    "drop": "dropped this",
}
ENDED_BY = {
    ("rejected", "ask"): "asked about",
    ("rejected", "happened"): "settled as happened",
    ("rejected", "drop"): "settled as dropped",
}


def became(status: str, kind: str, last: str) -> str:
    """Return what a review came to, by its `last` vote: neither a doubt that was settled is
    "rejected", nor what was asked about."""
    if (status, kind) == ("approved", "doubt"):
        return "settled to run again"
    return ENDED_BY.get((status, last), status)


def duration(ms: Any) -> str:
    """Return milliseconds like "0.4 s", "3.3 s", "42 s", "1 min 4 s", "3 h 20 min", "2 d 4 h"."""
    if ms is None:
        return NOTHING
    seconds = max(float(ms), 0) / SECOND_MS
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    return _long(round(seconds))


def age(span: timedelta) -> str:
    """Return a span like "now", "40 s", "12 min", "3 h 20 min", "2 d 4 h"; its sign is dropped."""
    seconds = round(abs(span.total_seconds()))
    if seconds < 5:
        return "now"
    if MINUTE_S <= seconds < HOUR_S:
        return f"{seconds // MINUTE_S} min"
    return _long(seconds)


def ago(span: timedelta) -> str:
    """Return how long ago something was: "just now", "12 min ago"."""
    told = age(span)
    return "just now" if told == "now" else f"{told} ago"


def did(vote: str) -> str:
    """Return what a person did by a vote, to follow their name."""
    return DID.get(vote, f"said {vote}")


def _long(seconds: int) -> str:
    if seconds < MINUTE_S:
        return f"{seconds} s"
    if seconds < HOUR_S:
        return _two(seconds // MINUTE_S, "min", seconds % MINUTE_S, "s")
    if seconds < DAY_S:
        return _two(seconds // HOUR_S, "h", seconds % HOUR_S // MINUTE_S, "min")
    return _two(seconds // DAY_S, "d", seconds % DAY_S // HOUR_S, "h")


def _two(large: int, unit: str, small: int, smaller: str) -> str:
    return f"{large} {unit} {small} {smaller}" if small else f"{large} {unit}"


def usd(amount: Any) -> str:
    """Return dollars with two digits that say something; an unknown amount says so."""
    if amount is None:
        return "unknown"
    value = Decimal(str(amount))
    if value == 0 or abs(value) >= Decimal("0.10"):
        return f"${value:,.2f}"
    return f"${value:.4f}" if abs(value) >= Decimal("0.0001") else "under $0.0001"


def percent(share: Any) -> str:
    """Return a share of 1 like "93.9 %"; NOTHING when there is none."""
    if share is None:
        return NOTHING
    value = Decimal(str(share)) * 100
    return f"{value:.0f} %" if value in (0, 100) else f"{value:.1f} %"


def number(value: Any, digits: int = 0) -> str:
    """Return a number with thousands marked; NOTHING when there is none."""
    return NOTHING if value is None else f"{Decimal(str(value)):,.{digits}f}"


def moment(at: datetime, now: datetime) -> str:
    """Return a time of today as "14:02", of this year "22 Nov, 14:02", else with the year."""
    if at.date() == now.date():
        return f"{at:%H:%M}"
    return f"{at:%-d %b, %H:%M}" if at.year == now.year else f"{at:%-d %b %Y, %H:%M}"


def exact(at: datetime) -> str:
    """Return a moment with all there is to say, like "Sun 25 Oct 2026, 02:30:00 CEST"."""
    return f"{at:%a %-d %b %Y, %H:%M:%S %Z}"


def digest(value: str) -> str:
    """Return the first eight digits of a digest, in fours."""
    return f"{value[:4]} {value[4:8]}"


def size(count: int) -> str:
    """Return bytes like "912 B", "84 kB", "2.1 MB"."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def count(things: int, noun: str, plural: str = "") -> str:
    """Return "1 step", "2 steps", "1,204 characters"."""
    return f"{things:,} {noun if things == 1 else plural or noun + 's'}"
