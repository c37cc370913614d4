"""One soak from start to judgement."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import Count

from executions.models import AgentExecution
from tests.soak import judge
from tests.soak.cast import OPERATOR, REVIEWERS
from tests.soak.launching import Accepted, Canceller, Launcher
from tests.soak.meter import Meter
from tests.soak.monkey import Monkey
from tests.soak.outside import Weather
from tests.soak.people import Operator, Reviewer
from tests.soak.robots import Robot
from tests.soak.world import World

TELL_EVERY_S = 15.0
TICK_S = 0.5
JOIN_S = 90.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How hard it is. Rates are per second, times in seconds."""

    minutes: float
    seed: int
    launches_per_s: float
    monkey_every_s: tuple[float, float]
    monkey_only: list[str]
    quiet_s: float


class Soak:
    """`run` returns the report; what must not be stands in its `violations`."""

    def __init__(self, world: World, plan: Plan, *, kept: Path) -> None:
        self.world, self.plan = world, plan
        self.accepted = Accepted()
        seed, site = plan.seed, world.site
        self.monkey = Monkey(
            world.family,
            world.postgres,
            seed=seed,
            every_s=plan.monkey_every_s,
            only=plan.monkey_only,
            log=kept / "monkey.jsonl",
        )
        self.weather = Weather(world.outside.llm_url, seed=seed)
        saw = world.outside.saw
        self.people: list[Robot] = [
            Reviewer(name, base=site, seed=seed, pace_s=0.6, saw=saw) for name in REVIEWERS
        ]
        self.askers: list[Robot] = [
            Launcher(per_s=plan.launches_per_s, seed=seed, accepted=self.accepted),
            Operator(OPERATOR, base=site, seed=seed, pace_s=12.0, accepted=self.accepted.add),
            Canceller(every_s=6.0, seed=seed),
        ]
        self.meter = Meter()
        self._began = time.monotonic()
        self._told = 0.0

    @property
    def robots(self) -> list[Robot]:
        return [*self.askers, *self.people, self.weather, self.monkey]

    def run(self) -> dict[str, Any]:
        """Soak, let it come to rest, judge."""
        for robot in self.robots:
            robot.start()
        try:
            return self._soaked()
        finally:  # also after Ctrl-C: nobody may restart what is being taken down
            _end(self.robots)
            self.monkey.undo()

    def _soaked(self) -> dict[str, Any]:
        self._watch(until=self._began + 60 * self.plan.minutes)
        _end(self.askers)
        _end([self.monkey, self.weather])
        self.monkey.undo()
        self.weather.clear()
        print("faults have stopped; waiting until every execution has ended", flush=True)  # noqa: T201
        rested = time.monotonic()
        self._watch(until=rested + self.plan.quiet_s, quiet=True)
        rest_s = time.monotonic() - rested
        _end(self.people)
        return self._report(rest_s)

    def _watch(self, *, until: float, quiet: bool = False) -> None:
        """Tell how it goes until that moment; with `quiet`, at most until nothing is open."""
        while (now := time.monotonic()) < until:
            self.people[0].join(TICK_S)  # waits; no robot ends by itself
            if now - self._told >= TELL_EVERY_S or quiet:
                left = self._tell(now, aloud=now - self._told >= TELL_EVERY_S)
                if quiet and left == 0 and self.world.family.all_run():
                    return

    def _tell(self, now: float, *, aloud: bool) -> int | None:
        """Print one line; return how many executions have not ended, None without a database."""
        cores = self.meter.cores(self.world.postmaster())
        statuses = _statuses()
        if aloud:
            self._told = now
            told = (
                " ".join(f"{name}={n}" for name, n in sorted(statuses.items())) or "database away"
            )
            done = sum((robot.counts["decided"] for robot in self.people), 0)
            kills = sum(n for act, n in self.monkey.counts.items() if act.startswith("kill "))
            print(  # noqa: T201
                f"{now - self._began:6.0f} s  accepted={len(self.accepted.ids())} {told}"
                f"  decided={done} kills={kills} restarts={self.monkey.counts['postgres']}"
                f" cores={cores:.2f} errors={sum(len(one.errors) for one in self.robots)}",
                flush=True,
            )
        if not statuses:
            return None
        return sum(n for name, n in statuses.items() if name not in judge.FINAL)

    def _report(self, rest_s: float) -> dict[str, Any]:
        ledgers = self.world.outside.ledgers()
        errors = [f"{one.name}: {text}" for one in self.robots for text in one.errors]
        found = list(judge.violations(self.accepted.ids(), ledgers))
        found += [f"robot: {error}" for error in errors]
        reasons = AgentExecution.objects.exclude(stop_reason=None).values_list("stop_reason")
        return {
            "violations": found,
            "seed": self.plan.seed,
            "minutes": self.plan.minutes,
            "accepted": len(self.accepted.ids()),
            "statuses": dict(_statuses()),
            "stop_reasons": dict(reasons.annotate(n=Count("pk"))),
            "steps": _count("agent_steps"),
            "calls": _count("agent_tool_calls"),
            "effects_outside": {str(one.tool): len(one.keys) for one in ledgers},
            "monkey": dict(self.monkey.counts),
            "restarted": dict(self.world.family.restarts),
            "llm_faults": dict(self.weather.fired()),
            "takeover_after_a_death": judge.takeovers(self.monkey.deaths),
            "first_step_after_postgres_was_back": judge.restarts(self.monkey.backs),
            "rest_s": round(rest_s, 1),
            "cores": round(self.meter.cores(self.world.postmaster()), 2),
            "robots": {one.name: dict(one.counts) for one in self.robots},
        }


def _statuses() -> Counter[str]:
    """Return how many executions have which status; empty while the database is away."""
    rows = AgentExecution.objects.values_list("status").annotate(n=Count("pk"))
    for _ in range(2):  # the first time the connection may be one of before a restart
        try:
            return Counter(dict(rows.all()))
        except DatabaseError:
            connection.close()
    return Counter()


def _count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def _end(robots: Sequence[Robot]) -> None:
    for robot in robots:
        robot.stop()
    for robot in robots:
        robot.join(JOIN_S)


def write(report: dict[str, Any], file: Path) -> None:
    """Write the report as JSON."""
    file.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
