"""How much CPU the whole family and its PostgreSQL take, whoever of them dies meanwhile."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator

import psutil


class Meter:
    """`cores()` is the average since it was made; call it often, the dead take theirs along."""

    def __init__(self, postmaster: int | None = None) -> None:
        self._began = time.monotonic()
        self._used = 0.0
        self._seen: dict[tuple[int, float], float] = dict(self._tree(postmaster))

    def cores(self, postmaster: int | None) -> float:
        """Return CPU seconds per second so far."""
        for key, seconds in self._tree(postmaster):
            self._used += max(0.0, seconds - self._seen.get(key, 0.0))
            self._seen[key] = seconds
        return self._used / max(1e-9, time.monotonic() - self._began)

    def _tree(self, postmaster: int | None) -> Iterator[tuple[tuple[int, float], float]]:
        for root in filter(None, (os.getpid(), postmaster)):
            with contextlib.suppress(psutil.Error):
                top = psutil.Process(root)
                for one in (top, *top.children(recursive=True)):
                    with contextlib.suppress(psutil.Error):
                        spent = one.cpu_times()
                        yield (one.pid, one.create_time()), spent.user + spent.system
