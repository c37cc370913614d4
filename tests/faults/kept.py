"""Database connections that outlive who opened them, because a new one costs more than its use.

A connection that is closed in good order loses what the server would have taken from it (locks,
ears, settings) and is lent to the next who asks for such a one. What stood in a transaction, in
the middle of a statement or has lost its server is really closed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg
import pytest
from psycopg import pq
from psycopg.rows import TupleRow

# As DISCARD ALL does, but plans are kept. It also tells a connection whose server has gone.
FORGET = b"SELECT pg_advisory_unlock_all(); UNLISTEN *; RESET ALL"


class _Shelf:
    """Idle connections by what they were opened with. A pool of psycopg's own would lend the same
    object again, which whoever closed it before could still use."""

    def __init__(self) -> None:
        self._idle: dict[str, list[tuple[pq.abc.PGconn, Any]]] = defaultdict(list)
        self._is_open = True

    def take(self, kind: str) -> tuple[pq.abc.PGconn, Any] | None:
        return self._idle[kind].pop() if self._idle[kind] else None

    def keep(self, one: Any) -> bool:
        """Take it off its owner, for whom it is closed from now on. False: not in good order."""
        if not self._is_open or one.closed or not _forgets(one.pgconn):
            return False
        self._idle[one.kind].append((one.pgconn, one._prepared))
        one.pgconn, one._closed = _closed(), True
        return True

    def close(self) -> None:
        self._is_open = False
        for idle in self._idle.values():
            for pgconn, _ in idle:
                pgconn.finish()
        self._idle.clear()


class _Lent(psycopg.Connection[TupleRow]):
    shelf: _Shelf
    kind: str

    def close(self) -> None:
        if not self.shelf.keep(self):
            super().close()


class _LentAsync(psycopg.AsyncConnection[TupleRow]):
    shelf: _Shelf
    kind: str

    async def close(self) -> None:
        if not self.shelf.keep(self):
            await super().close()


@contextmanager
def connections_are_kept() -> Iterator[None]:
    """Lend connections for the block, to the engine as to Django; all idle ones end with it."""
    shelf, opened = _Shelf(), _Lent.connect
    opened_async = _LentAsync.connect

    def connect(**asked: Any) -> _Lent:
        kind = _kind(_Lent, asked)
        one = _again(_Lent, shelf.take(kind), asked) or opened(**asked)
        one.shelf, one.kind = shelf, kind
        return one

    async def connect_async(**asked: Any) -> _LentAsync:
        kind = _kind(_LentAsync, asked)
        one = _again(_LentAsync, shelf.take(kind), asked) or await opened_async(**asked)
        one.shelf, one.kind = shelf, kind
        return one

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg, "connect", connect)
        patch.setattr(psycopg.AsyncConnection, "connect", connect_async)
        try:
            yield
        finally:
            shelf.close()


def _again(kind: Any, idle: tuple[pq.abc.PGconn, Any] | None, asked: dict[str, Any]) -> Any:
    """Return a new object on an idle connection, as `connect` would make it; None: none is idle."""
    if idle is None:
        return None
    one = kind(idle[0])
    one._prepared = idle[1]
    one._autocommit = bool(asked.get("autocommit"))
    if asked.get("cursor_factory"):
        one.cursor_factory = asked["cursor_factory"]
    if asked.get("context"):
        one._adapters = psycopg.adapt.AdaptersMap(asked["context"].adapters)
    return one


def _kind(owner: type, asked: dict[str, Any]) -> str:
    named = sorted((name, value) for name, value in asked.items() if name != "context")
    return f"{owner.__name__} {named!r}"


def _forgets(pgconn: pq.abc.PGconn) -> bool:
    idle = pq.TransactionStatus.IDLE, pq.PipelineStatus.OFF
    if (pgconn.transaction_status, pgconn.pipeline_status) != idle:
        return False
    try:
        forgot = pgconn.exec_(FORGET).status == pq.ExecStatus.COMMAND_OK
    except psycopg.Error:
        return False
    while pgconn.notifies():
        pass
    return forgot


@cache
def _closed() -> pq.abc.PGconn:
    one = pq.PGconn.connect_start(b"host=/nowhere")
    one.finish()
    return one
