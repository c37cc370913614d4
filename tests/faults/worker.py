"""A worker that can die again and again in this process: real runners on one event loop.

What is kept over its lives knows nothing: the loop, the LLM's client and, on a stage, idle
connections that have forgotten their owner (kept.py). All else (the runner, its journal, threads,
what was under way in a connection) is made anew for each life, and gone after it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import threading
import traceback
from typing import Any

import psycopg

from executions.core.transcript import Reply
from executions.engine import tickets
from executions.engine.config import Config
from executions.engine.connections import parameters
from executions.engine.runner import Runner
from executions.llm.factory import make_llm
from executions.llm.port import LLM, Request
from tests.faults.crashing import Died, Injector

HANGS_S = 15.0
JOIN_S = 30.0
ALIVE = "SELECT id FROM agent_runners WHERE dead_at IS NULL"
# What another runner's undertaker does when it sees that the process is gone.
BURY = """
UPDATE agent_runners SET dead_at = clock_timestamp() WHERE dead_at IS NULL AND NOT id = ANY(%s)
"""


class Kept:
    """An LLM whose client outlives the runner: making one costs a tenth of a second."""

    def __init__(self, llm: LLM) -> None:
        self.inner = llm

    async def ask(self, request: Request, *, timeout_s: float) -> Reply:
        return await self.inner.ask(request, timeout_s=timeout_s)

    async def close(self) -> None:
        return None


class Worker:
    """One worker process, played in this one. `close` it."""

    def __init__(self, *, base_url: str, api: str = "responses") -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(_quiet_about_death)
        self.llm = Kept(make_llm(api=api, base_url=base_url, api_key="rehearsal", capacity=200))
        self._watch = psycopg.connect(**parameters(), autocommit=True)

    def live(self, injector: Injector, **changes: Any) -> bool:
        """Run a runner until it has nothing to do. False: it died on the way.

        A runner whose very registration fails ends its process too.
        """
        others = [row[0] for row in self._watch.execute(ALIVE)]
        standing = set(threading.enumerate())
        runner = Runner(self._config(**changes), ring=tickets.ring_on, clear=tickets.clear)
        injector.on_death = self._die
        main = self.loop.create_task(_in_time(runner))
        try:
            self.loop.run_until_complete(main)
        except Died:
            self._unwind()
        except psycopg.OperationalError:
            if hasattr(runner, "lease"):
                raise
            self._unwind()
        else:
            return True
        finally:
            injector.is_dead = True  # a thread that outlived its runner may do nothing either
            _join_tool_threads(runner, standing)
            self._forget()
            injector.is_dead = False
        self._watch.execute(BURY, (others,))
        return False

    def close(self) -> None:
        gc.collect()  # futures of the dead, now and not at some moment of another test's
        self._watch.close()
        self.loop.run_until_complete(self.llm.inner.close())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    def _config(self, **changes: Any) -> Config:
        usual: dict[str, Any] = {
            "llm": self.llm, "capacity": 200, "tool_threads": 4, "lease_s": 15,
            "heartbeat_s": 5.0, "slice_s": 3600.0, "until_idle": True,
        }  # fmt: skip
        return Config(**{**usual, **changes})

    def _die(self) -> None:
        """Make the loop end, wherever the death was met."""
        if threading.get_ident() != self.loop._thread_id:  # type: ignore[attr-defined]
            self.loop.call_soon_threadsafe(_end_the_loop)

    def _unwind(self) -> None:
        """Cancel what is left and let it end, as `asyncio.run` does."""
        while left := asyncio.all_tasks(self.loop):
            for task in left:
                task.cancel()
            try:
                self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            except Died:
                continue

    def _forget(self) -> None:
        """Run what was still to be called in the loop: a second message of the same death."""
        with contextlib.suppress(Died):
            self.loop.run_until_complete(asyncio.sleep(0))


async def _in_time(runner: Runner) -> None:
    """Run the runner; one that hangs is an error that tells where its tasks stand."""
    main = asyncio.create_task(runner.run())
    if not (await asyncio.wait({main}, timeout=HANGS_S))[0]:
        stands = [str(_innermost(task)) for task in asyncio.all_tasks()]
        raise AssertionError("the runner hangs: " + "\n".join(stands))
    await main


def _end_the_loop() -> None:
    raise Died("died in a thread")


def _quiet_about_death(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    if not isinstance(error, Died) and not isinstance(getattr(error, "__cause__", None), Died):
        loop.default_exception_handler(context)


def _join_tool_threads(runner: Runner, standing: set[threading.Thread]) -> None:
    if hasattr(runner, "services"):
        runner.services.threads.close()  # a death in the midst of its own end leaves them waiting
    for thread in set(threading.enumerate()) - standing:
        if thread.name.startswith("tool"):
            thread.join(JOIN_S)
            assert not thread.is_alive(), f"{thread.name} goes on after its end: {_stands(thread)}"
    if hasattr(runner, "services"):
        runner.services.threads.close()  # once more: the connections of those that were busy


def _stands(thread: threading.Thread) -> str:
    frame = sys._current_frames().get(thread.ident or 0)
    return "".join(traceback.format_stack(frame, limit=12)) if frame else "nowhere"


def _innermost(task: asyncio.Task[Any]) -> Any:
    """Return where the task's innermost coroutine waits."""
    place: Any = task.get_coro()
    while inner := getattr(place, "cr_await", None) or getattr(place, "gi_yieldfrom", None):
        if not hasattr(inner, "cr_frame") and not hasattr(inner, "gi_frame"):
            break
        place = inner
    return getattr(place, "cr_frame", None) or getattr(place, "gi_frame", None)
