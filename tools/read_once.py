"""Reading a record once while one page is made, however many parts of it ask for it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

Found = TypeVar("Found")
Key = TypeVar("Key", bound=Hashable)

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


def remembered_all(
    kind: Hashable, keys: Collection[Key], read: Callable[[list[Key]], Mapping[Key, Found]]
) -> dict[Key, Found | None]:
    """Return what was read as (kind, key) before of each of these keys, inside read_once, and read
    the others together; None for what is not there."""
    found = _read.get()
    known = {} if found is None else found
    missing = [key for key in dict.fromkeys(keys) if (kind, key) not in known]
    new = read(missing) if missing else {}
    known.update({(kind, key): new.get(key) for key in missing})
    return {key: known[kind, key] for key in keys}
