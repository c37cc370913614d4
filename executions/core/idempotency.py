"""The key under which the outside world sees one tool call, however often it is tried."""

from __future__ import annotations

import hashlib


def key(*, execution_id: str, step_number: int, call_index: int) -> str:
    """Return the call's idempotency key: 64 hex characters, the same after every crash.

    It is made from the call's place, never from the provider's call id, which may repeat.
    """
    place = f"{execution_id}:{step_number}:{call_index}"
    return hashlib.sha256(place.encode()).hexdigest()
