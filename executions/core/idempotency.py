"""The key under which the outside world sees one tool call, however often it is tried."""

from __future__ import annotations

import hashlib

SAFE_PART = 0.8  # of the time the other side remembers a key: clocks differ, requests take time


def key(*, execution_id: str, step_number: int, call_index: int) -> str:
    """Return the call's idempotency key: 64 hex characters, the same after every crash.

    It is made from the call's place, never from the provider's call id, which may repeat.
    """
    place = f"{execution_id}:{step_number}:{call_index}"
    return hashlib.sha256(place.encode()).hexdigest()


def is_lapsed(*, window_s: float | None, age_s: float) -> bool:
    """Test if a repetition under a key used `age_s` seconds ago might be taken for a new call."""
    return window_s is not None and age_s >= SAFE_PART * window_s
