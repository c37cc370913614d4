"""Flags that a cluster's processes share through memory they inherit: no locks, no pipes.

Byte 0: runners shall drain. Bytes 8 to 16: when the guard loop last ran (monotonic seconds).
"""

from __future__ import annotations

import mmap
import struct
import time

_shared = mmap.mmap(-1, 16)


def request() -> None:
    """Tell every runner of this cluster to yield what it drives and end."""
    _shared[0] = 1


def is_requested() -> bool:
    return _shared[0] == 1


def beat() -> None:
    """Say that the guard loop lives."""
    struct.pack_into("d", _shared, 8, time.monotonic())


def beat_age_s() -> float:
    """Return the seconds since the guard loop last said so."""
    last: float = struct.unpack_from("d", _shared, 8)[0]
    return time.monotonic() - last
