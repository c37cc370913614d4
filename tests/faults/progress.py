"""Saying how far a long proof has come, so that one that is stopped has still shown something."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

from agentops.environment import LOCAL_DIR

T = TypeVar("T")

EVERY_S = 30.0
FILE = LOCAL_DIR / "proofs.log"  # beside what `pytest -s` shows


def with_progress(what: str, items: Sequence[T]) -> Iterator[T]:
    """Give the items one by one; say every half minute, and at the end, how many have passed."""
    began = said = time.monotonic()
    for passed, item in enumerate(items):
        if passed and time.monotonic() - said >= EVERY_S:
            said = time.monotonic()
            _say(what, items, passed, said - began)
        yield item
    if items:
        _say(what, items, len(items), time.monotonic() - began)


def _say(what: str, items: Sequence[object], passed: int, seconds: float) -> None:
    which = f", from {items[0]} to {items[passed - 1]}" if isinstance(items, range) else ""
    line = (
        f"{time.strftime('%F %T')} {what}: {passed} of {len(items)} passed in {seconds:.0f} s,"
        f" {passed / seconds:.1f} a second{which}"
    )
    print(line, flush=True)  # noqa: T201 - for `pytest -s`
    FILE.parent.mkdir(exist_ok=True)
    with FILE.open("a") as file:
        file.write(line + "\n")
