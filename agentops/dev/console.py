"""What `make run` prints."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator


def say(text: str = "") -> None:
    print(text, flush=True)


@contextlib.contextmanager
def progress(what: str) -> Iterator[None]:
    """Say what is being done, and when it is done how long it took."""
    print(f"  {what} …", end="", flush=True)
    started = time.monotonic()
    try:
        yield
    except BaseException:
        say(" failed")
        raise
    say(f" {time.monotonic() - started:.1f} s")
