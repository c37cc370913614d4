"""The runner: claims executions up to its capacity and drives each as a coroutine."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

from executions import __version__
from executions.engine import drain, gates, leases, loop, watchdog
from executions.engine.breakers import Breakers
from executions.engine.config import Config
from executions.engine.connections import LOST, Connection, Link, connect
from executions.engine.driven import Driven
from executions.engine.entries import LeaseLost, Yielded
from executions.engine.journal import Journal, JournalRefused
from executions.engine.leases import Lease, Undertaker
from executions.engine.loading import load
from executions.engine.services import Services
from executions.engine.switches import CHANNEL as SWITCHES_CHANNEL
from executions.engine.threads import ToolThreads

log = logging.getLogger(__name__)

TICK_S = 1.0  # looks for the dead, for due executions and for the drain flag this often
CLAIM_AT_MOST = 100
DRAIN_S = 35.0
STUCK_THREADS = 4
ORPHANS_EVERY_S = 15.0

ORPHANS = """
SELECT id, lease_token FROM agent_executions
WHERE lease_owner = %s AND status = 'running' AND NOT id = ANY(%s)
"""
CANCELS = """
SELECT id FROM agent_executions
WHERE lease_owner = %s AND status = 'running' AND cancel_requested_at IS NOT NULL
"""


class Runner:
    """One slice of one worker's life."""

    def __init__(
        self,
        config: Config,
        *,
        ring: Callable[[Connection], Awaitable[None]],
        clear: Callable[[Link], Awaitable[None]],
    ) -> None:
        self.config = config
        self._ring = ring
        self._clear = clear
        self._wake = asyncio.Event()
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._driven: dict[UUID, Driven] = {}
        self._ending = False
        self._is_dead = False
        self._switches_changed = True
        self._driven_count = 0
        self._conn = Link(name="agentops runner")
        # workers that were born together should not drain together
        self._end_at = time.monotonic() + config.slice_s * random.uniform(0.8, 1.2)
        self._swept = time.monotonic()

    async def run(self) -> dict[str, int]:
        """Run until the slice is over or a drain is asked for; return what was done."""
        watch = await connect(name="agentops lease")
        try:
            self.lease: Lease = await leases.register(
                watch,
                capacity=leases.GROUP_SIZE if self.config.is_solo else self.config.capacity,
                version=__version__,
                lease_s=self.config.lease_s,
                is_solo=self.config.is_solo,
            )
            return await self._stand(watch)
        finally:
            await watch.close()
            await self._conn.close()
            await self.config.llm.close()

    async def _stand(self, watch: Connection) -> dict[str, int]:
        """Hold the lease and drive until it is over.

        A helper that fails ends the whole runner: without its journal, its ears or its heartbeat
        it would only look alive. Whatever it held is then another runner's.
        """
        journal = Journal(runner_id=self.lease.id, ring=self._ring)
        threads = ToolThreads(self.config.tool_threads)
        self.services = Services(
            journal=journal,
            llm=self.config.llm,
            threads=threads,
            conn=self._conn,
            breakers=Breakers(self._conn),
            is_draining=lambda: self._ending,
            is_solo=self.config.is_solo,
        )
        try:
            async with asyncio.TaskGroup() as group:
                pulse = watchdog.watch(self.config.frozen_s)
                work = (journal.run(), self._listen(watch), self._heartbeat(), pulse)
                helpers = [group.create_task(one) for one in work]
                await self._claim_until_over()
                await self._drain()
                await leases.retire(self._conn, self.lease)
                for helper in helpers:
                    helper.cancel()
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.to_thread(threads.close)  # Django refuses to in an event loop
        return {
            "driven": self._driven_count,
            "durable_writes": journal.writes,
            "batches": journal.batches,
            "lost_threads": threads.lost,
            "lost_tasks": threads.lost_tasks,
        }

    def stop(self) -> None:
        """Ask it to drain and end; to be called in its event loop."""
        self._ending = True
        self._wake.set()

    # ------------------------------------------------------------------ claiming

    async def _claim_until_over(self) -> None:
        undertaker = Undertaker(self.lease)
        next_look = 0.0
        while not self._is_over():
            self._wake.clear()
            look = time.monotonic() >= next_look
            if look:
                next_look = time.monotonic() + TICK_S
                await undertaker.bury(self._conn)
                await self.services.breakers.refresh()
                await self._sweep_orphans()
                await gates.look(self._conn)
            if look or self._switches_changed:
                await self._read_switches()
            if await self._claim(look=look):
                continue
            if self.config.until_idle and not self._tasks:
                return
            await self._nap()

    async def _claim(self, *, look: bool) -> bool:
        """Take what there is room for; True when there may be more."""
        if any(one.is_suspect for one in self._driven.values()):
            return False  # what may kill this process is driven apart from everything else
        if look and not self._tasks and await self._takes_abandoned():
            ids = await leases.claim_abandoned(self._conn, self.lease, room=self.config.capacity)
            if ids:
                await self._drive_all(ids, abandoned=True)
                return False
        room = min(self.config.capacity - len(self._tasks), CLAIM_AT_MOST)
        if self.config.is_solo or room <= 0:
            return False
        await self._clear(self._conn)
        switches = self.services.switches
        ids = await leases.claim(self._conn, self.lease, room=room, switches=switches)
        await self._drive_all(ids)
        return len(ids) == room

    async def _read_switches(self) -> None:
        """Hold the switches as they are now; what was killed also stops waiting for the LLM."""
        self._switches_changed = False
        switches = self.services.switches
        await switches.read(self._conn)
        for one in self._driven.values():
            switch = switches.over(one.agent_type)
            if switch and switch.state == "killed":
                one.interrupt()

    async def _takes_abandoned(self) -> bool:
        return self.config.is_solo or not await leases.solo_lives(self._conn)

    async def _drive_all(self, ids: list[UUID], *, abandoned: bool = False) -> None:
        for one in await load(self._conn, ids, runner_id=self.lease.id) if ids else ():
            one.was_abandoned = abandoned
            self._drive(one)

    def _drive(self, one: Driven) -> None:
        task = asyncio.create_task(loop.drive(self.services, one))
        self._tasks[one.id], self._driven[one.id] = task, one
        self._driven_count += 1
        task.add_done_callback(lambda _: self._done(one.id))

    def _done(self, id: UUID) -> None:
        self._tasks.pop(id, None)
        self._driven.pop(id, None)
        if self.config.until_idle or len(self._tasks) + 1 >= self.config.capacity:
            self._wake.set()

    async def _nap(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), TICK_S)

    async def _sweep_orphans(self) -> None:
        """Put back what this runner's row holds but no coroutine drives."""
        if time.monotonic() - self._swept < ORPHANS_EVERY_S:
            return
        self._swept = time.monotonic()
        cursor = await self._conn.execute(ORPHANS, (self.lease.id, list(self._tasks)))
        for id, token in await cursor.fetchall():
            log.error("execution %s was leased but not driven; putting it back", id)
            try:
                entry = Yielded(execution_id=id, token=token, was_undriven=True)
                await self.services.journal.write(entry)
            except (LeaseLost, JournalRefused) as refused:
                log.warning("execution %s could not be put back: %s", id, refused)

    # ------------------------------------------------------------------ ending

    def _is_over(self) -> bool:
        over_age = time.monotonic() > self._end_at
        stuck = self.services.threads.lost >= STUCK_THREADS
        if over_age or stuck or drain.is_requested() or self._is_dead:
            self._ending = True
        return self._ending

    async def _drain(self) -> None:
        """Let every execution come to a commit and go back to pending; cut off what does not."""
        self._ending = True
        if self._is_dead:
            for task in self._tasks.values():
                task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()), timeout=DRAIN_S)
        left = list(self._driven.values())
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        for one in left:
            if not self._is_dead:
                await self._give_back(one)

    async def _give_back(self, one: Driven) -> None:
        """Put an interrupted execution back, unless a change of its is under way."""
        if any(c.status == "running" and c.effect != "read" for c in one.latest_calls()):
            return
        try:
            await self.services.journal.write(
                Yielded(execution_id=one.id, token=one.token, active_ms=one.lap())
            )
        except (LeaseLost, JournalRefused) as refused:
            log.info("execution %s was not put back: %s", one.id, refused)

    # ------------------------------------------------------------------ watching

    async def _heartbeat(self) -> None:
        while True:
            alive = await leases.renew(
                self._conn, self.lease, in_flight=len(self._tasks), draining=self._ending
            )
            if not alive:
                log.error("this runner was taken for dead; it lets go of everything")
                self._is_dead = True
                self._wake.set()
                return
            await asyncio.sleep(self.config.heartbeat_s)

    async def _listen(self, conn: Connection) -> None:
        """Hear launches and cancels; keep the advisory lock on the same connection."""
        while True:
            try:
                await conn.execute("LISTEN agentops_wake")
                await conn.execute("LISTEN agentops_cancel")
                await conn.execute(f"LISTEN {SWITCHES_CHANNEL}")
                await self._catch_up()
                async for notice in conn.notifies():
                    if notice.channel == "agentops_cancel":
                        self._cancel(notice.payload)
                    self._switches_changed |= notice.channel == SWITCHES_CHANNEL
                    self._wake.set()
            except LOST:
                await conn.close()
                conn = await leases.hold_anew(self.lease)
            except asyncio.CancelledError:
                await conn.close()
                raise

    async def _catch_up(self) -> None:
        """See what was said while nobody listened."""
        cursor = await self._conn.execute(CANCELS, (self.lease.id,))
        for (id,) in await cursor.fetchall():
            self._cancel(str(id))
        self._switches_changed = True
        self._wake.set()

    def _cancel(self, id: str) -> None:
        one = self._driven.get(UUID(id))
        if one:
            one.request_cancel()
