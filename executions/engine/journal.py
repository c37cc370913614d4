"""The journal: the only writer of the loop's progress.

Coroutines hand it an entry and wait. It commits everything that waits at that moment in one
transaction, then takes what has come meanwhile: the database's own speed is the clock, there is
no timer. A batch the database refuses is halved until only the guilty entry gets the error.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import psycopg

from executions import faults
from executions.engine import connections
from executions.engine import statements as sql
from executions.engine.batch import Answer, Batch, apply
from executions.engine.connections import Connection, connect
from executions.engine.entries import CallStarted, Committed, Entry, LeaseLost, Yielded
from executions.engine.leases import SESSION

log = logging.getLogger(__name__)

LARGEST = 256
RETRIES = 5  # of a batch that lost to a deadlock or a serialization failure

Waiting = tuple[Entry, "asyncio.Future[Committed]"]
Ring = Callable[[Connection], Awaitable[None]]


class JournalRefused(Exception):
    """The database refused this entry; the message is the database's. Nothing of it is stored."""


class Journal:
    """One per runner, on a connection of its own."""

    def __init__(self, *, runner_id: UUID, ring: Ring) -> None:
        self.runner_id = runner_id
        self.batches = 0
        self.writes = 0
        self._ring = ring
        self._waiting: list[Waiting] = []
        self._wake = asyncio.Event()
        self._conn: Connection | None = None

    async def write(self, entry: Entry) -> Committed:
        """Return once `entry` is durable, or not applicable any more (`applied` False).

        Raises LeaseLost when the execution is another's now, JournalRefused when the database
        does not accept the entry. An answer is never given before the commit is certain.
        """
        future: asyncio.Future[Committed] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, future))
        self._wake.set()
        return await future

    async def run(self) -> None:
        """Commit until cancelled."""
        try:
            while True:
                await self._wake.wait()
                taken = self._waiting[:LARGEST]
                del self._waiting[:LARGEST]
                if not self._waiting:
                    self._wake.clear()
                await self._settle(taken)
        finally:
            if self._conn is not None:
                await self._conn.close()

    async def _settle(self, taken: Sequence[Waiting]) -> None:
        """Commit `taken` and answer each; halve it when the database refuses it."""
        try:
            answers = await self._commit([entry for entry, _ in taken])
        except psycopg.Error as error:
            if len(taken) > 1:
                middle = len(taken) // 2
                await self._settle(taken[:middle])
                await self._settle(taken[middle:])
            else:
                _refuse(*taken[0], error)
            return
        self.writes += len(taken)
        for (_, future), answer in zip(taken, answers, strict=True):
            if future.done():
                continue
            if isinstance(answer, LeaseLost):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    async def _commit(self, entries: Sequence[Entry]) -> list[Answer]:
        """Commit one batch for certain, through lost connections and deadlocks."""
        self.batches += 1
        number, tries = self.batches, 0
        answers: list[Answer] = []
        while True:
            batch = Batch(entries)
            try:
                conn = await self._connection()
                if await self._landed(conn, number):
                    return answers
                answers = await self._transaction(conn, batch, number)
                faults.hit(f"{batch.name}.before", conn)
                await conn.execute("COMMIT")
                faults.hit(f"{batch.name}.after", conn)
                return answers
            except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
                await self._rollback()
                tries += 1
                if tries > RETRIES:
                    raise
                await asyncio.sleep(random.uniform(0, 0.02 * tries))
            except connections.LOST as error:
                if connections.is_refusal(error):
                    await self._rollback()
                    raise
                log.warning("journal: the database went away (%s); trying again", error)
                await self._drop()
                await asyncio.sleep(connections.AGAIN_S)
            except BaseException:
                await self._rollback()
                raise

    async def _transaction(self, conn: Connection, batch: Batch, number: int) -> list[Answer]:
        """Do all but the commit; return the answers that hold once it has happened."""
        async with conn.pipeline():
            await conn.execute("BEGIN")
            mark = await conn.execute(sql.MARK, {"batch": number, "runner": self.runner_id})
        if not mark.rowcount:
            return [LeaseLost() for _ in batch.entries]
        await apply(conn, batch)
        if any(isinstance(entry, Yielded) for entry in batch.entries):
            await self._ring(conn)
        return [batch.answers[place] for place in range(len(batch.entries))]

    async def _landed(self, conn: Connection, number: int) -> bool:
        """After a broken COMMIT: did it happen? The row lock waits for a commit still under way."""
        if not self._unsure:
            return False
        cursor = await conn.execute(
            "SELECT last_batch FROM agent_runners WHERE id = %s FOR UPDATE", (self.runner_id,)
        )
        row = await cursor.fetchone()
        self._unsure = False
        return row is not None and row[0] == number

    _unsure = False

    async def _connection(self) -> Connection:
        if self._conn is None or self._conn.closed:
            self._conn = await connect(name=f"{SESSION}{self.runner_id}")
            # its plans are made while the tables may be small, and kept when they are not
            await self._conn.execute("SET enable_seqscan = off")
        return self._conn

    async def _drop(self) -> None:
        """Forget a broken connection; from now on ask before repeating."""
        self._unsure = True
        if self._conn is not None:
            await self._conn.close()
        self._conn = None

    async def _rollback(self) -> None:
        if self._conn is not None and not self._conn.closed:
            await self._conn.execute("ROLLBACK")


def _refuse(entry: Entry, future: asyncio.Future[Committed], error: psycopg.Error) -> None:
    """Answer the one entry that the database does not accept."""
    if future.done():
        return
    said = error.diag.message_primary or str(error)
    if isinstance(entry, CallStarted) and isinstance(error, psycopg.IntegrityError):
        future.set_result(Committed(applied=False, refusal=said))
    else:
        future.set_exception(JournalRefused(said))
