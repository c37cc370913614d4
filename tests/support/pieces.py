"""A runner in pieces: the engine's own parts on connections that stay open, moved by hand.

What a `Runner` does in one go — register, clear tickets, claim, load, drive — is here one call
each, so that a test can stop between any two of them or let two runners do them at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from executions.engine import leases, loop, tickets
from executions.engine.breakers import Breakers
from executions.engine.connections import Connection, Link, connect
from executions.engine.driven import Driven
from executions.engine.entries import Committed, Entry, LeaseLost
from executions.engine.journal import Journal
from executions.engine.leases import Lease, Undertaker
from executions.engine.loading import load
from executions.engine.services import Services
from executions.engine.threads import ToolThreads
from executions.llm.factory import make_llm
from executions.llm.port import LLM

Run = Callable[[Coroutine[Any, Any, Any]], Any]

CAPACITY = 100
LEASE_S = 3600  # it has no heartbeat: it is dead when a test says so
FREEZE = """
UPDATE agent_runners SET lease_until = clock_timestamp() - interval '1 second' WHERE id = %s
"""
MINE = "SELECT 1 FROM agent_executions WHERE id = %s AND lease_owner = %s"
WAIT_S = 10.0


Answered = Committed | LeaseLost
Before = Callable[[Entry], Awaitable[None]]


async def _at_once(entry: Entry) -> None:
    return None


@dataclass(frozen=True)
class Written:
    """One entry and what the journal said to it, and when (monotonic seconds)."""

    entry: Entry
    answer: Answered
    at: float

    @property
    def is_lost(self) -> bool:
        return isinstance(self.answer, LeaseLost)


class WatchedJournal(Journal):
    """Asks `before` ahead of each write, and keeps what each came to."""

    before: Before = staticmethod(_at_once)
    written: list[Written]

    async def write(self, entry: Entry) -> Committed:
        await self.before(entry)
        try:
            committed = await super().write(entry)
        except LeaseLost as lost:
            self.written.append(Written(entry, lost, time.monotonic()))
            raise
        self.written.append(Written(entry, committed, time.monotonic()))
        return committed

    def first(self, kind: type[Entry]) -> Written:
        return next(one for one in self.written if isinstance(one.entry, kind))


class Held:
    """A runner under way that is held at its first commit of one kind, until `go` is set."""

    def __init__(self, runner: Pieces, one: Driven, kind: type[Entry]) -> None:
        self._kind = kind
        self._came = asyncio.Event()
        self.go = asyncio.Event()
        runner.journal.before = self._before
        self.driving = asyncio.create_task(runner.drive([one]))

    async def _before(self, entry: Entry) -> None:
        if isinstance(entry, self._kind):
            self._came.set()
            await self.go.wait()

    async def came(self) -> None:
        """Return when it is there."""
        await asyncio.wait_for(self._came.wait(), WAIT_S)


@dataclass
class Pieces:
    """Use `in_pieces(…)`."""

    lease: Lease
    journal: WatchedJournal
    services: Services
    watch: Connection
    conn: Link

    async def claim(self, *, room: int = CAPACITY) -> list[Driven]:
        """Clear the tickets and claim, as a standing runner does."""
        await tickets.clear(self.conn)
        switches = self.services.switches
        ids = await leases.claim(self.conn, self.lease, room=room, switches=switches)
        return await self._loaded(ids)

    async def take_over(self, *, room: int = CAPACITY) -> list[Driven]:
        """Bury the dead and claim what they held."""
        await Undertaker(self.lease).bury(self.conn)
        taken = await leases.claim_abandoned(self.conn, self.lease, room=room)
        return await self._loaded(taken, abandoned=True)

    async def drive(self, ones: Sequence[Driven]) -> None:
        """Drive each until it ends, waits or is lost."""
        await asyncio.gather(*[loop.drive(self.services, one) for one in ones])

    async def run_until_idle(self) -> None:
        """Drive whatever there is to take over or to claim until nothing is."""
        while ones := await self.take():
            await self.drive(ones)

    async def take(self, *, room: int = CAPACITY) -> list[Driven]:
        """Take over, or claim if there is nothing to take over, as things stand now."""
        await self.services.switches.read(self.conn)
        await self.services.breakers.refresh()
        return await self.take_over(room=room) or await self.claim(room=room)

    async def freeze(self) -> None:
        """Let its lease run out, as that of a process does that is stopped; it is not told."""
        await self.conn.execute(FREEZE, (self.lease.id,))

    async def is_mine(self, one: Driven) -> bool:
        """Test if its row still names this runner."""
        cursor = await self.conn.execute(MINE, (one.id, self.lease.id))
        return await cursor.fetchone() is not None

    async def begin_anew(self) -> None:
        """Register as another runner, as the worker's next one would."""
        self.lease = await _registered(self.watch)
        self.journal.runner_id = self.lease.id
        self.journal.written = []
        self.journal.before = _at_once

    async def _loaded(self, ids: list[UUID], *, abandoned: bool = False) -> list[Driven]:
        ones = await load(self.conn, ids, runner_id=self.lease.id) if ids else []
        for one in ones:
            one.was_abandoned = abandoned
        return ones


@asynccontextmanager
async def in_pieces(llm: LLM, *, tool_threads: int = 4) -> AsyncIterator[Pieces]:
    """A registered runner; its connections and threads are closed at the end. `llm` is not."""
    watch = await connect(name="test lease")
    lease = await _registered(watch)
    journal = WatchedJournal(runner_id=lease.id, ring=tickets.ring_on)
    journal.written = []
    conn = Link(name="test runner")
    threads = ToolThreads(tool_threads)
    services = Services(
        journal=journal, llm=llm, threads=threads, conn=conn, breakers=Breakers(conn)
    )
    running = asyncio.create_task(journal.run())
    try:
        yield Pieces(lease, journal, services, watch, conn)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await conn.close()
        await watch.close()
        await asyncio.to_thread(threads.close)


@contextmanager
def runners_in_pieces(*, base_url: str, count: int) -> Iterator[tuple[Run, list[Pieces]]]:
    """So many runners on one event loop, and the function that runs a coroutine on it.

    Between two of those the loop stands still, and the test may use Django as ever.
    """
    with asyncio.Runner() as moved:

        async def begin() -> tuple[AsyncExitStack, list[Pieces]]:
            stack = AsyncExitStack()
            llm = llm_at(base_url)
            stack.push_async_callback(llm.close)
            ready = [await stack.enter_async_context(in_pieces(llm)) for _ in range(count)]
            return stack, ready

        stack, ready = moved.run(begin())
        try:
            yield moved.run, ready
        finally:
            moved.run(stack.aclose())


def llm_at(base_url: str) -> LLM:
    return make_llm(api="responses", base_url=base_url, api_key="rehearsal", capacity=CAPACITY)


async def _registered(watch: Connection) -> Lease:
    return await leases.register(watch, capacity=CAPACITY, version="test", lease_s=LEASE_S)
