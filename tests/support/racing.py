"""Several at once, each on a database connection of its own: from one barrier, from behind one
locked row, or one of them in the very middle of another."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection, transaction

from executions.engine.connections import parameters
from executions.models import AgentExecution
from executions.operations import Refusal
from tests.support.waiting import wait_until

Work = Callable[[], Any]

QUEUED = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = ANY(%s)"
HEAD_START_S = 0.004  # the most by which one of a free race may be ahead of the other
LOOK_S = 0.001
STEP_S, SPREAD_S = 0.002, 0.01  # of `Aim`


def outcome_of(work: Work) -> Any:
    """Run it; a refusal is what it returns."""
    try:
        return work()
    except Refusal as refusal:
        return refusal


class Racers:
    """Threads that stand ready with an open connection each. Use `racers(…)`."""

    def __init__(self, pool: ThreadPoolExecutor, size: int) -> None:
        self._pool = pool
        self._pids = self.at_once(*[_backend_pid] * size)

    def start(self, work: Work) -> Future[Any]:
        return self._pool.submit(outcome_of, work)

    def at_once(self, *works: Work) -> list[Any]:
        """Run all from one barrier; return what each came to."""
        barrier = threading.Barrier(len(works))

        def begin(work: Work) -> Any:
            barrier.wait(10)
            return work()

        return [future.result(30) for future in [self.start(partial(begin, w)) for w in works]]

    def race(self, execution_id: UUID, *works: Work, rng: random.Random) -> list[Any]:
        """Run all at once, one way or the other; return what each came to, in the order given.

        Either they queue up behind the execution's locked row, in a random order, and it is
        unlocked when all of them wait: then all were under way together. Or they run freely
        from a barrier, one of them a random moment ahead, so that they meet anywhere.
        """
        if rng.random() < 0.5:
            places = rng.sample(range(len(works)), len(works))
            return self.in_turn(execution_id, *works, places=places)
        waits = [rng.uniform(0, HEAD_START_S) for _ in works]
        return self.at_once(*map(after, waits, works))

    def in_turn(self, execution_id: UUID, *works: Work, places: Sequence[int]) -> list[Any]:
        """Let them queue up behind the execution's locked row in this order, all under way
        together; return what each came to, in the order given."""
        futures: dict[int, Future[Any]] = {}
        with transaction.atomic():
            AgentExecution.objects.select_for_update(no_key=True).get(pk=execution_id)
            for place in places:
                futures[place] = self.start(works[place])
                self.wait_for_queue(len(futures), of=list(futures.values()))
        return [futures[place].result(30) for place in range(len(works))]

    def wait_for_queue(self, length: int, *, of: list[Future[Any]]) -> None:
        """Wait until so many racers wait for a lock, or have come to their end without one."""

        def waiting() -> bool:
            with connection.cursor() as cursor:
                cursor.execute(QUEUED, [self._pids])
                (queued,) = cursor.fetchone()
            return bool(queued + sum(future.done() for future in of) >= length)

        wait_until(waiting, every_s=LOOK_S, what="the racers' locks")


@contextmanager
def racers(size: int) -> Iterator[Racers]:
    """So many threads with a connection each, closed at the end."""
    with ThreadPoolExecutor(size) as pool:
        ready = Racers(pool, size)
        yield ready
        ready.at_once(*[_hang_up] * size)


class InTheMiddle:
    """Lets the rival begin while the first is at `name`, and stay until the rival is stuck."""

    def __init__(self, patch: pytest.MonkeyPatch, racers: Racers, module: Any, name: str) -> None:
        self.rival: Work | None = None
        self.outcome: Future[Any] | None = None
        original = getattr(module, name)

        def patched(*args: Any, **kwargs: Any) -> Any:
            if self.rival and not self.outcome:
                self.outcome = racers.start(self.rival)
                racers.wait_for_queue(1, of=[])
            return original(*args, **kwargs)

        patch.setattr(module, name, patched)

    def acts(self, rival: Work, *, during: Work) -> tuple[Any, Any]:
        """Return what the first and the rival came to."""
        self.rival = rival
        first = outcome_of(during)
        assert self.outcome, "the rival never got its turn"
        return first, self.outcome.result(30)


def _backend_pid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        row = cursor.fetchone()
    assert row
    return int(row[0])


def _hang_up() -> None:
    connection.close()  # its thread's own, which only its thread may look up


def after(wait_s: float, work: Work) -> Work:
    """Return `work`, begun so much later."""

    def begin() -> Any:
        threading.Event().wait(max(wait_s, 0))
        return work()

    return begin


class Aim:
    """Moments that keep falling just before and just after what they race, on any machine: each
    miss moves the next one, further and further while they miss to the same side."""

    def __init__(self, rng: random.Random, *, at_s: float = 0.0) -> None:
        self._rng = rng
        self._at_s = at_s
        self._step_s = STEP_S
        self._was_early: bool | None = None

    def moment(self) -> float:
        """Return seconds; below zero where the other side is to be late instead."""
        return self._at_s + self._rng.uniform(-SPREAD_S, SPREAD_S)

    def correct(self, *, was_early: bool) -> None:
        self._step_s = 2 * self._step_s if was_early is self._was_early else STEP_S
        self._was_early = was_early
        self._at_s += self._step_s if was_early else -self._step_s


def is_locked(execution_id: UUID) -> bool:
    """Tell if a runner that wants to take the execution over would have to wait."""
    look = "SELECT FROM agent_executions WHERE id = %s FOR NO KEY UPDATE NOWAIT"
    with psycopg.connect(**parameters()) as rival:
        try:
            rival.execute(look, (execution_id,))
        except psycopg.errors.LockNotAvailable:
            return True
    return False
