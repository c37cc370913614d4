"""A whole conversation's time limit, where socket timeouts only limit each silence."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

MARGIN_S = 1.0  # so that the tool can still say what happened before the engine gives it up
LEAST_S = 1.0


class Deadline:
    """Counts down from `seconds`, less the margin; a caller always gets at least one second."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + max(seconds - MARGIN_S, LEAST_S)

    def left(self) -> float:
        """Return the seconds left, never below 0.01."""
        return max(self._end - time.monotonic(), 0.01)

    def has(self, seconds: float) -> bool:
        """Say whether at least `seconds` are left."""
        return self._end - time.monotonic() >= seconds


@contextmanager
def cut_after(seconds: float, connection: socket.socket) -> Iterator[threading.Event]:
    """Break `connection` after `seconds`, so that a peer who drips bytes cannot hold a thread.

    The event yielded is set once that happened: readers may take the break for a proper end.
    """
    happened = threading.Event()
    timer = threading.Timer(seconds, _cut, [connection, happened])
    timer.daemon = True
    timer.start()
    try:
        yield happened
    finally:
        timer.cancel()


def _cut(connection: socket.socket, happened: threading.Event) -> None:
    happened.set()
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
