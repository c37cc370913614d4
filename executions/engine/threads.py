"""A bounded pool of threads for what blocks: synchronous tools and their database work."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import close_old_connections, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from executions.engine.driven import Stopwatch

T = TypeVar("T")
CANCEL_S = 1.0  # for an asynchronous tool to end once its time is over


class ToolThreads:
    """At most `size` calls at once. A thread that outlives its time counts as lost until it
    returns; the runner ends its process when too many are."""

    def __init__(self, size: int) -> None:
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="tool")
        self._connections: dict[int, BaseDatabaseWrapper] = {}  # by thread
        self._busy: set[int] = set()
        self._is_closed = False
        self._slots = asyncio.Semaphore(size)
        self.lost = 0
        self._tasks: list[asyncio.Task[Any]] = []  # that did not end when they were cancelled

    @property
    def lost_tasks(self) -> int:
        """How many coroutines will not be cancelled: an event loop does not close beside one."""
        return sum(not task.done() for task in self._tasks)

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

    async def in_loop(self, work: Awaitable[T], *, timeout_s: float) -> T:
        """Await `work` here; raises TimeoutError when it takes longer, and cancels it.

        One that will not be cancelled counts as lost, like a thread.
        """
        task = asyncio.ensure_future(_contained(work))
        try:
            await asyncio.wait({task}, timeout=timeout_s)
        finally:
            is_late = not task.done()
            task.cancel()
        if is_late:
            await asyncio.wait({task}, timeout=CANCEL_S)
            self.lose(task)
            self._tasks.append(task)
            raise TimeoutError
        if task.cancelled():
            raise _escaped(asyncio.CancelledError())
        return task.result()

    def lose(self, work: asyncio.Future[Any]) -> None:
        """Count as lost, until it ends, what outlived its time; nobody waits for it any more."""
        self.lost += 1
        work.add_done_callback(self._found)

    def _found(self, work: asyncio.Future[Any]) -> None:
        self.lost -= 1
        if not work.cancelled():
            work.exception()

    def close(self) -> None:
        """Let go of the threads and their connections, without waiting for lost ones."""
        self._is_closed = True
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
        except StopIteration as escape:  # a future does not take it, and would never be done
            raise _escaped(escape) from escape
        except Exception:
            raise
        except BaseException as escape:  # SystemExit would end the runner, not the tool
            raise _escaped(escape) from escape
        finally:
            if connections["default"].in_atomic_block or self._is_closed:
                connections["default"].close()
            close_old_connections()
            self._busy.discard(thread)


async def _contained(work: Awaitable[T]) -> T:
    """Await `work` in a task of its own, out of which nothing escapes into the loop."""
    try:
        return await work
    except (Exception, asyncio.CancelledError):
        raise
    except BaseException as escape:
        raise _escaped(escape) from escape


def _escaped(error: BaseException) -> RuntimeError:
    return RuntimeError(f"it raised {type(error).__name__}, which would have ended its runner")


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
        self._threads.lose(self._running)
        self._running.add_done_callback(lambda _: self._threads.release())
