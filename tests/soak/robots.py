"""Threads that repeat one act until they are told to stop, whatever happens around them."""

from __future__ import annotations

import threading
import traceback
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

Found = TypeVar("Found")
AGAIN_S = 0.3


class GivenUp(Exception):
    """The robot was told to stop while the database was away."""


class Robot(threading.Thread):
    """Calls `act` and pauses for `pause_s()` seconds, again and again.

    `counts` is what it did; `errors` are the tracebacks of what it did not expect, each of which
    makes the soak fail.
    """

    def __init__(self, name: str, *, pause_s: Callable[[], float]) -> None:
        super().__init__(name=name, daemon=True)
        self.counts: Counter[str] = Counter()
        self.errors: list[str] = []
        self._pause_s = pause_s
        self._stopping = threading.Event()

    def act(self) -> None:
        """Do the one thing this robot does."""
        raise NotImplementedError

    def run(self) -> None:
        while not self._stopping.wait(self._pause_s()):
            try:
                self.act()
            except GivenUp:
                break
            except Exception:
                self.errors.append(traceback.format_exc())
        connection.close()

    def stop(self) -> None:
        self._stopping.set()

    def patiently(self, query: Callable[[], Found]) -> Found:
        """Return what `query` returns, asking again for as long as the database is away."""
        while True:
            try:
                return query()
            except (OperationalError, InterfaceError):
                connection.close()
                self.counts["database away"] += 1
                if self._stopping.wait(AGAIN_S):
                    raise GivenUp from None
