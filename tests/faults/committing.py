"""Watches every commit that changes rows, on every psycopg connection, and what announced it.

A commit is announced when the last point hit on its connection was a `.before` that no other
commit has used up. Explicit COMMITs count, and statements that change rows outside a transaction.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from executions import faults
from tools.base import Tool

CHANGES = re.compile(r"\b(INSERT\s+INTO|UPDATE\s+\w+\s+\w*\s*SET|DELETE\s+FROM)\b", re.I)
CHANGES_QUOTED = re.compile(r'^\s*(INSERT INTO|UPDATE|DELETE FROM)\s+"', re.I)


class Watch:
    """`unannounced`: statements whose commit had no point. `hits`, `tools`: by name."""

    def __init__(self) -> None:
        self.unannounced: list[str] = []
        self.commits: Counter[str] = Counter()
        self.hits: Counter[str] = Counter()
        self.tools: Counter[str] = Counter()
        self._announced: dict[int, str] = {}  # by connection
        self._dirty: dict[int, str] = {}  # by connection, while its transaction is open
        self._aside: set[int] = {threading.get_ident()}  # sync work of the test's own

    def hook(self, point: str, connection: Any) -> None:
        self.hits[point] += 1
        if connection is not None and point.endswith(".before"):
            own = getattr(connection, "connection", connection)
            self._announced[id(own)] = point.removesuffix(".before")

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Leave out what this thread does: it is not our code, or the test's."""
        self._aside.add(threading.get_ident())
        try:
            yield
        finally:
            self._aside.discard(threading.get_ident())

    def sent(self, connection: Any, statement: str, *, was_idle: bool, rows: int) -> None:
        """Note a statement after it was sent; `rows` is -1 where that is not known yet."""
        if self._is_aside(connection):
            return
        key = id(connection)
        if statement.strip().upper() in ("COMMIT", "ROLLBACK"):
            self._ended(key, is_commit=statement.strip().upper() == "COMMIT")
        elif rows != 0 and (CHANGES.search(statement) or CHANGES_QUOTED.search(statement)):
            self._dirty.setdefault(key, statement)
            if was_idle and connection.autocommit:
                self._ended(key, is_commit=True)

    def committed(self, connection: Any) -> None:
        if not self._is_aside(connection):
            self._ended(id(connection), is_commit=True)

    def _ended(self, key: int, *, is_commit: bool) -> None:
        statement = self._dirty.pop(key, None)
        point = self._announced.pop(key, None)
        if not is_commit or statement is None:
            return
        if point is None:
            self.unannounced.append(" ".join(statement.split())[:300])
        else:
            self.commits[point] += 1

    def _is_aside(self, connection: Any) -> bool:
        is_sync = isinstance(connection, psycopg.Connection)
        return is_sync and threading.get_ident() in self._aside


@contextmanager
def watched() -> Iterator[Watch]:
    """Watch all connections and all tools of this process until the end of the block."""
    watch = Watch()
    with pytest.MonkeyPatch.context() as patch:
        _watch_sync(watch, patch)
        _watch_async(watch, patch)
        _watch_tools(watch, patch)
        faults.install(watch.hook)
        try:
            yield watch
        finally:
            faults.install(None)


def _watch_sync(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    execute, commit = psycopg.Cursor.execute, psycopg.Connection.commit

    def watched_execute(cursor: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        was_idle = _is_idle(cursor.connection)
        result = execute(cursor, query, *args, **kwargs)
        watch.sent(cursor.connection, _text(query), was_idle=was_idle, rows=cursor.rowcount)
        return result

    def watched_commit(connection: Any) -> None:
        commit(connection)
        watch.committed(connection)

    patch.setattr(psycopg.Cursor, "execute", watched_execute)
    patch.setattr(psycopg.Connection, "commit", watched_commit)


def _watch_async(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    execute = psycopg.AsyncCursor.execute

    async def watched_execute(cursor: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        was_idle = _is_idle(cursor.connection)
        result = await execute(cursor, query, *args, **kwargs)
        rows = cursor.rowcount if cursor.pgresult else -1
        watch.sent(cursor.connection, _text(query), was_idle=was_idle, rows=rows)
        return result

    patch.setattr(psycopg.AsyncCursor, "execute", watched_execute)


def _watch_tools(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    call = Tool.call

    def watched_call(tool: Tool, *args: Any) -> Any:
        watch.tools[tool.name] += 1
        return call(tool, *args)

    patch.setattr(Tool, "call", watched_call)


def _is_idle(connection: Any) -> bool:
    return bool(connection.info.transaction_status == TransactionStatus.IDLE)


def _text(query: Any) -> str:
    return query.decode() if isinstance(query, bytes) else str(query)
