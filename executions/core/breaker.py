"""A tool's circuit breaker: whether it may be started now, and what an outcome changes.

A breaker is closed (everything starts), open (nothing does), or half-open: its time is over and
one call, the probe, tries for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

FAILURES = 20  # in a row, over all runners
OPEN_S = 300.0
PROBE_S = 120.0  # longer than any call may take: a probe silent for so long died with its runner
LOOK_S = 5.0  # how soon those who wait for a probe look again
LEAST_TRY_S = 1.0  # a call that had less time says nothing about its tool


class Verdict(StrEnum):
    """What one call says about its tool."""

    WORKS = "works"
    FAILS = "fails"  # it broke, took too long, or the other side is out of reach
    NEITHER = "neither"  # it refused these arguments, or never came to the point


@dataclass(frozen=True, kw_only=True)
class Breaker:
    """`shut_s`: seconds until a probe may start, below 0 when one may; None while closed."""

    failures: int = 0
    shut_s: float | None = None
    is_probed: bool = False


@dataclass(frozen=True)
class Go:
    """Start. `is_probe`: this is the call that the others wait for."""

    is_probe: bool = False


@dataclass(frozen=True)
class TryProbe:
    """Start if no other call becomes the probe first."""


@dataclass(frozen=True)
class Wait:
    """Nothing starts for so many seconds."""

    seconds: float


class Change(StrEnum):
    """What an outcome changes."""

    NOTHING = "nothing"
    COUNT = "count"  # one failure more; at FAILURES it opens
    OPEN = "open"  # for OPEN_S, again
    CLOSE = "close"
    NEXT_PROBE = "next probe"  # the probe told nothing: another may try at once


CLOSED = Breaker()


def admission(breaker: Breaker, *, is_probe: bool) -> Go | TryProbe | Wait:
    """Say whether a call may start. `is_probe`: it became the probe before, and is run again."""
    if breaker.shut_s is None:
        return Go()
    if is_probe:
        return Go(is_probe=True)
    if breaker.shut_s <= 0:
        return TryProbe()
    return Wait(min(breaker.shut_s, LOOK_S) if breaker.is_probed else breaker.shut_s)


def after(breaker: Breaker, verdict: Verdict, *, is_probe: bool) -> Change:
    """Say what the outcome of a call that was let through changes."""
    if verdict is Verdict.WORKS:
        return Change.CLOSE if breaker != CLOSED or is_probe else Change.NOTHING
    if is_probe:
        return Change.OPEN if verdict is Verdict.FAILS else Change.NEXT_PROBE
    if verdict is Verdict.FAILS and breaker.shut_s is None:
        return Change.COUNT
    return Change.NOTHING  # also a failure of what had started before it opened


def opens(failures: int) -> bool:
    """Test if so many failures in a row open a closed breaker."""
    return failures >= FAILURES
