"""A bounded pool of threads for what blocks: synchronous tools and their database work."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import close_old_connections, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from executions.engine.driven import Stopwatch

T = TypeVar("T")


class ToolThreads:
    """At most `size` calls at once. A thread that outlives its time counts as lost until it
    returns; the runner ends its process when too many are."""

    def __init__(self, size: int) -> None:
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="tool")
        self._connections: dict[int, BaseDatabaseWrapper] = {}  # by thread
        self._busy: set[int] = set()
        self._slots = asyncio.Semaphore(size)
        self.lost = 0

    @contextlib.asynccontextmanager
    async def slot(self, stopwatch: Stopwatch) -> AsyncIterator[_Slot]:
        """Hold a place; waiting for one is not the agent's time."""
        with stopwatch.paused():
            await self._slots.acquire()
        slot = _Slot(self)
        try:
            yield slot
        finally:
            slot.leave()

    def release(self) -> None:
        self._slots.release()

    def start(self, function: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._pool, self._tidy, function, *args)

    def close(self) -> None:
        """Let go of the threads and their connections, without waiting for lost ones."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for thread, held in self._connections.items():
            if thread not in self._busy:
                held.inc_thread_sharing()
                held.close()

    def _tidy(self, function: Callable[..., T], *args: Any) -> T:
        """Run with a usable Django connection; leave no transaction and no exit behind."""
        thread = threading.get_ident()
        self._connections[thread] = connections["default"]
        self._busy.add(thread)
        close_old_connections()
        try:
            return function(*args)
        except Exception:
            raise
        except BaseException as escape:  # SystemExit would end the runner, not the tool
            raise RuntimeError(f"the tool tried to end its process: {escape!r}") from escape
        finally:
            if connections["default"].in_atomic_block:
                connections["default"].close()
            close_old_connections()
            self._busy.discard(thread)


class _Slot:
    """One place in the pool, given back when its last thread has really ended."""

    def __init__(self, threads: ToolThreads) -> None:
        self._threads = threads
        self._running: asyncio.Future[Any] | None = None

    async def run(self, function: Callable[..., T], *args: Any, timeout_s: float) -> T:
        """Run `function` in a thread; raises TimeoutError when it takes longer."""
        future = self._threads.start(function, *args)
        self._running = future
        try:
            return await asyncio.wait_for(asyncio.shield(future), timeout_s)
        finally:
            if future.done():
                self._running = None

    def leave(self) -> None:
        if self._running is None:
            self._threads.release()
            return
        self._threads.lost += 1
        self._running.add_done_callback(self._found)

    def _found(self, future: asyncio.Future[Any]) -> None:
        self._threads.lost -= 1
        self._threads.release()
        if not future.cancelled():
            future.exception()  # nobody waits for it any more
