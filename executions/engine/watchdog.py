"""The last resort of a runner whose loop stands still: its process ends.

A tool may hold the loop up, or hold Python's own lock in C, where no exception, no signal handler
and no other thread gets in its way. faulthandler's timer needs neither.
"""

from __future__ import annotations

import asyncio
import faulthandler

BEATS = 10  # in the time a loop may stand still


async def watch(frozen_s: float | None) -> None:
    """End this process once the loop has not turned for `frozen_s`; until this is cancelled.

    What every thread was doing then is written to stderr. None: never.
    """
    if frozen_s is None:
        return
    try:
        while True:
            faulthandler.dump_traceback_later(frozen_s, exit=True)
            await asyncio.sleep(frozen_s / BEATS)
    finally:
        faulthandler.cancel_dump_traceback_later()
