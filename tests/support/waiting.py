"""Waiting for another process: poll with a deadline, never sleep and hope."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def wait_until(
    condition: Callable[[], Found],
    *,
    within_s: float = 10,
    every_s: float = 0.02,
    what: str = "",
) -> Found:
    """The first true value of `condition`; `AssertionError` naming `what` after `within_s`."""
    deadline = time.monotonic() + within_s
    while True:
        if found := condition():
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {within_s} s in vain for {what or condition}")
        time.sleep(every_s)
