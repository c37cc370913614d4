"""Reading a record once while one page is made, however many parts of it ask for it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

Found = TypeVar("Found")

_read: ContextVar[dict[Hashable, Any] | None] = ContextVar("records_read", default=None)


@contextmanager
def read_once() -> Iterator[None]:
    """Inside, what is read of a record is of one moment: its preview, what would refuse the call
    and what an approval repeats cannot tell different things."""
    token = _read.set({})
    try:
        yield
    finally:
        _read.reset(token)


def remembered(key: Hashable, read: Callable[[], Found]) -> Found:
    """Return what was read as `key` before, inside read_once; outside of it read."""
    found = _read.get()
    if found is None:
        return read()
    if key not in found:
        found[key] = read()
    return found[key]  # type: ignore[no-any-return]


def remember(key: Hashable, value: object) -> None:
    """Take a value as read, inside read_once."""
    found = _read.get()
    if found is not None:
        found[key] = value
