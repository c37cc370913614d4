"""The monkey: every few seconds it kills, freezes, restarts or loses something."""

from __future__ import annotations

import contextlib
import json
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
from django.db import connection

from executions.models import AgentExecution, AgentRunner
from tests.soak.family import Family, Member
from tests.soak.postgres import Postgres
from tests.soak.robots import Robot

WEIGHTS = {"kill": 57, "postgres": 23, "freeze": 5, "lose": 5, "double": 4, "cut": 6}
FREEZE_S = (20.0, 40.0)
DOWN_S = (0.0, 5.0)
LOSE = """
DELETE FROM django_q_ormq WHERE id IN (
    SELECT id FROM django_q_ormq ORDER BY random() LIMIT 3)
"""
DOUBLE = """
INSERT INTO django_q_ormq (key, payload, lock)
SELECT key, payload, clock_timestamp() FROM django_q_ormq, generate_series(1, 3)
ORDER BY random() LIMIT 10
"""


@dataclass(frozen=True)
class Death:
    """A worker that was killed: when (seconds since 1970), and what its runner held."""

    at: float
    role: str
    held: tuple[UUID, ...]


class Monkey(Robot):
    """`deaths` and `backs` (when PostgreSQL was back) are judged later; `log` has every act."""

    def __init__(
        self,
        family: Family,
        postgres: Postgres,
        *,
        seed: int,
        every_s: tuple[float, float],
        only: list[str],
        log: Path,
    ) -> None:
        super().__init__("monkey", pause_s=self._until_next)
        self.deaths: list[Death] = []
        self.backs: list[float] = []
        self._family, self._server = family, postgres
        self._rng = random.Random(f"{seed}:monkey")
        self._every_s = every_s
        self._weights = {name: WEIGHTS[name] for name in only or WEIGHTS}
        self._log = log
        self._next = time.monotonic()
        self._frozen: dict[int, tuple[float, psutil.Process]] = {}
        self._was_frozen: set[int] = set()

    def _until_next(self) -> float:
        """Keep the rate, however long the acts themselves take."""
        self._next = max(self._next + self._rng.uniform(*self._every_s), time.monotonic())
        return self._next - time.monotonic()

    def act(self) -> None:
        self._thaw(time.monotonic())
        name = self._rng.choices(list(self._weights), list(self._weights.values()))[0]
        told = getattr(self, f"_{name}")()
        self.counts[name] += told is not None
        self._note(name, told)

    def undo(self) -> None:
        """Wake whatever is frozen, once this thread has ended."""
        self._thaw(float("inf"))

    def _kill(self) -> dict[str, Any] | None:
        members = self._family.members()
        if not members:
            return None
        # by role first, so that the few mains die as often as the many workers
        role = self._rng.choice(sorted({one.role for one in members}))
        member = self._rng.choice([one for one in members if one.role == role])
        held = self._held(member, members)
        at = time.time()
        try:
            member.process.kill()
        except psutil.NoSuchProcess:
            return None
        self.counts[f"kill {role}"] += 1
        if held is not None:
            self.deaths.append(Death(at, role, held))
        return {"service": member.service, "role": role, "held": len(held or ())}

    def _held(self, member: Member, members: list[Member]) -> tuple[UUID, ...] | None:
        """Return what the runners hold that die with it, None where none does."""
        if member.role not in ("main", "sentinel", "worker"):
            return None
        dying = [member] if member.role == "worker" else members
        pids = [one.process.pid for one in dying if one.service == member.service]
        runners = AgentRunner.objects.filter(pid__in=pids, dead_at=None)
        held = AgentExecution.objects.filter(status="running", lease_owner__in=runners.values("pk"))
        return self.patiently(lambda: tuple(held.values_list("pk", flat=True)))

    def _freeze(self) -> dict[str, Any] | None:
        members = [m for m in self._family.members() if m.process.pid not in self._was_frozen]
        if not members:
            return None
        member, seconds = self._rng.choice(members), self._rng.uniform(*FREEZE_S)
        with contextlib.suppress(psutil.NoSuchProcess):
            member.process.suspend()
        self._was_frozen.add(member.process.pid)
        self._frozen[member.process.pid] = (time.monotonic() + seconds, member.process)
        return {"service": member.service, "role": member.role, "seconds": round(seconds, 1)}

    def _thaw(self, now: float) -> None:
        for pid, (due, process) in list(self._frozen.items()):
            if due <= now:
                del self._frozen[pid]
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()

    def _postgres(self) -> dict[str, Any]:
        mode, down_s = self._rng.choice(["immediate", "fast"]), self._rng.uniform(*DOWN_S)
        self._server.stop(mode)
        self._stopping.wait(down_s)
        self._server.start()
        self.backs.append(time.time())
        return {"mode": mode, "down_s": round(down_s, 1)}

    def _lose(self) -> dict[str, Any] | None:
        return {"tickets": self.patiently(lambda: _changed(LOSE))}

    def _double(self) -> dict[str, Any] | None:
        return {"tickets": self.patiently(lambda: _changed(DOUBLE))}

    def _cut(self) -> dict[str, Any] | None:
        return {"backends": self._server.cut(self._rng.randint(1, 4))}

    def _note(self, name: str, told: dict[str, Any] | None) -> None:
        with self._log.open("a") as file:
            file.write(json.dumps({"at": time.time(), "act": name, **(told or {})}) + "\n")


def _changed(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)
