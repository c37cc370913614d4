"""Hands within this process: a worker that can die, and people in a thread of their own."""

from __future__ import annotations

import contextlib
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from django.db import connections

from tests.faults.acts import Act, insist
from tests.faults.crashing import Fault, Injector, Place
from tests.faults.worker import Worker

ANSWER_S = 30.0
# A visitor may have to wait for a lock whose holder waits for the visit to be over.
VISIT_S = 0.25


class People:
    """A thread with a database connection of its own; what happens there is another process's."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="people")

    def join(self, injector: Injector) -> None:
        self._thread.submit(injector.set_apart).result(ANSWER_S)

    def start(self, act: Act) -> Future[Any]:
        return self._thread.submit(insist, act)

    def do(self, act: Act) -> Any:
        return self.start(act).result(ANSWER_S)

    def close(self) -> None:
        self._thread.submit(connections.close_all).result(ANSWER_S)
        self._thread.shutdown()


class Here:
    """One play's hands, with the faults that are planned against it."""

    def __init__(self, worker: Worker, people: People, injector: Injector) -> None:
        self.injector = injector
        self._worker, self._people = worker, people
        self._under_way: list[Future[Any]] = []
        self._waiting: list[Act] = []
        people.join(self.injector)

    @property
    def places(self) -> list[Place]:
        return self.injector.places

    @property
    def fired(self) -> list[Fault]:
        return self.injector.fired

    def do(self, act: Act) -> Any:
        return self._people.do(act)

    def drive(self, **changes: Any) -> bool:
        return self._worker.live(self.injector, **changes)

    def visit(self, place: tuple[str, int] | int, act: Act) -> None:
        def come() -> None:
            self._waiting.remove(act)
            visit = self._people.start(act)
            self._under_way.append(visit)
            with contextlib.suppress(TimeoutError):
                visit.result(VISIT_S)

        self._waiting.append(act)
        self.injector.visits[place] = come

    def catch_up(self) -> None:
        self.injector.visits.clear()
        for act in self._waiting:
            self._under_way.append(self._people.start(act))
        for visit in self._under_way:
            visit.result(ANSWER_S)
        self._waiting, self._under_way = [], []
