"""A progress line on a terminal; nothing where nobody looks."""

from __future__ import annotations

import time
from typing import TextIO

REDRAW_S = 0.1
BAR = 24


class Progress:
    """Counts lines as they are dealt with. `size` is how many bytes there are, None if unknown."""

    def __init__(self, stream: TextIO, *, size: int | None) -> None:
        self._stream = stream
        self._size = size
        self._shows = stream.isatty()
        self._began = time.monotonic()
        self._drawn = 0.0

    def show(self, *, done: int, refused: int, position: int | None) -> None:
        """Redraw, at most ten times a second. `position` is how many bytes were read."""
        now = time.monotonic()
        if not self._shows or now - self._drawn < REDRAW_S:
            return
        self._drawn = now
        rate = done / max(now - self._began, 0.001)
        told = f"{done:,} lines, {refused:,} refused, {rate:,.0f} a second"
        self._stream.write(f"\r{self._bar(position)}{told} ")
        self._stream.flush()

    def clear(self) -> None:
        if self._shows:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def _bar(self, position: int | None) -> str:
        if not self._size or position is None:
            return ""
        full = min(position / self._size, 1.0)
        return f"[{'#' * round(full * BAR):{BAR}}] {full:4.0%}  "
