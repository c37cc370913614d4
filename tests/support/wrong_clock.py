"""Makes this process's wall clock wrong, as a worker's host may have it. Its import does it.

WRONG_CLOCK_S names a file that holds how many seconds the clock is ahead (negative: behind); it is
read at every look at the clock, so that the clock can jump. PostgreSQL keeps its own time, and so
does `time.monotonic`, which no one can set.
"""

from __future__ import annotations

import datetime as real
import os
import time
from pathlib import Path

from django.utils import timezone

from executions.engine import tickets

FILE = "WRONG_CLOCK_S"
_true_time = time.time


def ahead_s() -> float:
    text = Path(os.environ[FILE]).read_text() if FILE in os.environ else ""
    return float(text or 0)


def wrong_time() -> float:
    return _true_time() + ahead_s()


class WrongDatetime(real.datetime):
    @classmethod
    def now(cls, tz: real.tzinfo | None = None) -> real.datetime:  # type: ignore[override]
        return real.datetime.fromtimestamp(wrong_time(), tz)


def wrong_now() -> real.datetime:
    return WrongDatetime.now(real.UTC)


if FILE in os.environ:
    time.time = wrong_time
    timezone.now = wrong_now
    tickets.datetime = WrongDatetime  # type: ignore[misc]
