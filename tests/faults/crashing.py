"""Faults at the named points of `executions/faults.py`, and processes that end there.

An `Injector` is the hook. It counts every hit, lays each planned fault at the hit it names, and
after a death lets nothing of the dead process happen any more: each later hit of it ends too.

    injector = Injector([Fault("claim.after", 1, Mode.DIE)])
    with injector.installed():
        worker.live(injector)               # False: it died (tests/faults/worker.py)
    assert injector.fired == [Fault("claim.after", 1, Mode.DIE)]
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, NamedTuple

import django.db
import psycopg

from executions import faults
from executions.engine.connections import parameters
from executions.llm.port import LLMError

GONE_WITHIN_MS = 5_000


class Died(SystemExit):
    """The process ends here by an exception, as django-q2's time-out ends a worker.

    What stands on the stack is unwound; nothing of it may commit any more.
    """


class Mode(StrEnum):
    """What happens at a point."""

    DIE = "die"  # the process ends by an exception
    UNSURE = "unsure"  # it was done, but the caller is told that it failed
    DROP = "drop"  # the server closes this very connection
    CONFLICT = "conflict"  # PostgreSQL chose this transaction to fail: 40001, 40P01
    KILL = "kill"  # SIGKILL; only in a process that may die


class Fault(NamedTuple):
    """`mode` at the `nth` hit of `point`."""

    point: str
    nth: int
    mode: Mode


class Chance(NamedTuple):
    """Something at the `number`th hit of all: `roll`, in [0, 1), picks from what can happen there.

    With `kills` only SIGKILL can.
    """

    number: int
    roll: float
    kills: bool = False


class Place(NamedTuple):
    """The `nth` hit of `point`, and whether it had a database connection."""

    point: str
    nth: int
    has_connection: bool


def modes_at(place: Place) -> list[Mode]:
    """Return what can happen at this place, within this process."""
    is_before = place.point.endswith(".before")
    modes = [Mode.DIE]
    if not is_before:
        modes.append(Mode.UNSURE)
    if place.has_connection:
        modes.append(Mode.DROP)
        if is_before and not place.point.startswith("read."):
            modes.append(Mode.CONFLICT)
    return modes


class Injector:
    """A hook with a plan. `fired` and `places` tell what happened; `on_death` is told of one."""

    def __init__(self, plan: Iterable[Fault] = (), chances: Iterable[Chance] = ()) -> None:
        self.planned = {(fault.point, fault.nth): fault.mode for fault in plan}
        self.chances = {chance.number: chance for chance in chances}
        # by hit of a point, or by number of all hits
        self.visits: dict[tuple[str, int] | int, Callable[[], None]] = {}
        self.places: list[Place] = []
        self.fired: list[Fault] = []
        self.is_dead = False
        self.on_death: Callable[[], None] = lambda: None
        self._tell: Callable[..., None] = lambda *_: None
        self._counts: Counter[str] = Counter()
        self._apart: set[int] = set()  # threads that play other processes
        self._lock = threading.Lock()

    @contextmanager
    def installed(self) -> Iterator[Injector]:
        faults.install(self)
        try:
            yield self
        finally:
            faults.install(None)

    def set_apart(self) -> None:
        """Let this thread be a process of its own, which the worker's death does not concern."""
        self._apart.add(threading.get_ident())

    def resume(self, places: Iterable[Place], tell: Callable[..., None]) -> None:
        """Count on from the hits of other processes; tell of each hit and fault as it comes."""
        self.places = list(places)
        self._counts = Counter(place.point for place in self.places)
        self._tell = tell

    def __call__(self, point: str, connection: Any) -> None:
        """Be at `point`: do what is planned for this hit of it."""
        is_apart = threading.get_ident() in self._apart
        with self._lock:
            if self.is_dead and not is_apart:
                raise Died(f"dead before {point}")
            self._counts[point] += 1
            place = Place(point, self._counts[point], connection is not None)
            self.places.append(place)
            self._tell("hit", *place)
            number = len(self.places)
            mode = self._mode(place, number)
            if mode is not None:
                self.fired.append(Fault(point, place.nth, mode))
                self._tell("fault", point, place.nth, mode)
            if mode is Mode.DIE and not is_apart:
                self.is_dead = True
        if mode is not None:
            self._happen(mode, point, connection, is_apart=is_apart)
        if not is_apart and not in_transaction(connection):
            self._receive(place, number)

    def _mode(self, place: Place, number: int) -> Mode | None:
        chance = self.chances.pop(number, None)
        if chance is None:
            return self.planned.pop(place[:2], None)
        modes = [Mode.KILL] if chance.kills else modes_at(place)
        return modes[int(chance.roll * len(modes))]

    def _receive(self, place: Place, number: int) -> None:
        """Let the visitors in whose time has come; they may have waited for a transaction's end."""
        due = [key for key in self.visits if key == place[:2] or self._is_past(key, number)]
        for key in due:
            if visit := self.visits.pop(key, None):
                visit()

    @staticmethod
    def _is_past(key: tuple[str, int] | int, number: int) -> bool:
        return isinstance(key, int) and key <= number

    def _happen(self, mode: Mode, point: str, connection: Any, *, is_apart: bool) -> None:
        match mode:
            case Mode.KILL:
                os.kill(os.getpid(), signal.SIGKILL)
            case Mode.DIE:
                if not is_apart:
                    self.on_death()
                raise Died(f"died at {point}")
            case Mode.DROP:
                terminate(connection)
            case Mode.CONFLICT:
                raise conflict(connection, is_deadlock=len(self.fired) % 2 == 0)
            case Mode.UNSURE:
                raise unsure(point, connection)


def terminate(connection: Any) -> None:
    """Let the server end this connection, and wait until it has."""
    own = connection.connection if _is_django(connection) else connection
    with psycopg.connect(**parameters(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, %s)", (own.info.backend_pid, GONE_WITHIN_MS))


def conflict(connection: Any, *, is_deadlock: bool) -> Exception:
    """Return the error of a transaction that PostgreSQL has chosen to fail."""
    kind = psycopg.errors.DeadlockDetected if is_deadlock else psycopg.errors.SerializationFailure
    error = kind("chosen by a test")
    if not _is_django(connection):
        return error
    told = django.db.OperationalError(str(error))
    told.__cause__ = error
    return told


def unsure(point: str, connection: Any) -> Exception:
    """Return what a caller gets whose call was heard and whose answer was lost."""
    if connection is None and point.startswith("llm."):
        return LLMError("The answer was lost.", code="LLM_UNAVAILABLE", retryable=True)
    if connection is None:
        return ConnectionResetError("the answer was lost")
    if _is_django(connection):
        connection.close()
        return django.db.OperationalError("server closed the connection unexpectedly")
    connection.pgconn.finish()
    return psycopg.OperationalError("server closed the connection unexpectedly")


def in_transaction(connection: Any) -> bool:
    """Test if a transaction is open, whose locks somebody else would wait for."""
    if connection is None:
        return False
    if _is_django(connection):
        return bool(connection.in_atomic_block)
    return not connection.closed and bool(connection.info.transaction_status)


def _is_django(connection: Any) -> bool:
    return hasattr(connection, "in_atomic_block")
