"""What a crash proof stands on: it plays scenarios with planned faults, and judges each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.faults import world
from tests.faults.crashing import Fault, Injector, Place
from tests.faults.here import Here, People
from tests.faults.judging import broken_promises, wrong_with
from tests.faults.playing import Played, Player
from tests.faults.scenarios import Scenario
from tests.faults.schedules import Schedule, versions
from tests.faults.schedules import wrong_with as wrong_with_schedule
from tests.faults.there import There, Zygote
from tests.faults.worker import Worker
from tests.support import database

PLAYS_BETWEEN_CHECKS = 50
TRIES = 8
RECORDINGS = 3


@dataclass
class Stage:
    """Every `PLAYS_BETWEEN_CHECKS` plays all invariants are verified and the database is wiped."""

    around: world.Outside
    plays: list[Played] = field(default_factory=list)
    total: int = 0

    def __post_init__(self) -> None:
        self.worker = Worker(base_url=self.around.llm.base_url)
        self.people = People()
        self.player = Player(self.around, world.lay_down())

    def play(
        self, scenario: Scenario, plan: Iterable[Fault] = (), *, zygote: Zygote | None = None
    ) -> Played:
        """Play with these faults planned; raises AssertionError when a promise was broken.

        With a zygote everything happens in processes of its own, which may be killed.
        """
        planned = {(fault.point, fault.nth): fault for fault in (*scenario.faults, *plan)}
        told = f"{scenario.name!r} with {[tuple(fault) for fault in planned.values()]}"
        if zygote:
            played = self.player.play(scenario, There(zygote, planned.values()))
            self.keep(played, wrong_with(played, scenario))
            return played
        with self.hands(told, Injector(planned.values())) as hands:
            played = self.player.play(scenario, hands)
        self.keep(played, wrong_with(played, scenario))
        return played

    def places(self, scenario: Scenario, *, zygote: Zygote | None = None) -> list[Place]:
        """Return the hits that a scenario meets every time; a few depend on timing."""
        recorded = [self.play(scenario, zygote=zygote).places for _ in range(RECORDINGS)]
        always = set.intersection(*(set(places) for places in recorded))
        return [place for place in recorded[0] if place in always]

    def strike(self, scenario: Scenario, *plan: Fault, zygote: Zygote | None = None) -> Played:
        """Play with these faults until each has really fired, whatever the timing."""
        for _ in range(TRIES):
            played = self.play(scenario, plan, zygote=zygote)
            if set(plan) <= set(played.fired):
                return played
        raise AssertionError(f"{scenario.name!r}: {plan} did not fire in {TRIES} plays")

    def play_at_random(self, seed: int, *, zygote: Zygote | None = None) -> Played:
        """Play the schedule that this seed makes; with a zygote its faults are SIGKILLs."""
        schedule = Schedule(seed, kills=zygote is not None)
        again = f"again: pytest tests/faults/test_schedules.py --faults-seed={seed}"
        before = versions()
        if zygote:
            played = schedule.play(self.player, There(zygote, chances=schedule.chances))
            self.keep(played, wrong_with_schedule(played, changes=versions() - before))
            return played
        with self.hands(f"seed {seed} ({again})", Injector(chances=schedule.chances)) as hands:
            played = schedule.play(self.player, hands)
        self.keep(played, wrong_with_schedule(played, changes=versions() - before))
        return played

    @contextmanager
    def hands(self, told: str, injector: Injector) -> Iterator[Here]:
        """Hands that meet the injector's faults; what is raised meanwhile says `told`."""
        try:
            with injector.installed():
                yield Here(self.worker, self.people, injector)
        except Exception as error:
            where = [place[:2] for place in injector.places[-5:]]
            raise AssertionError(
                f"{told}: {error!r}; fired {injector.fired}; it was at {where}"
            ) from error

    def check(self) -> None:
        """Verify everything since the last time, then begin with an empty database."""
        plays, self.plays = self.plays, []
        wrong = broken_promises(plays)
        assert not wrong, "\n".join([*wrong, *(played.told for played in plays)])
        database.wipe()
        self.player.report = world.lay_down()

    def close(self) -> None:
        self.people.close()
        self.worker.close()

    def keep(self, played: Played, wrong: list[str]) -> None:
        """Keep a judged play for the next check."""
        assert not wrong, f"{played.told}: {wrong}"
        self.plays.append(played)
        self.total += 1
        if len(self.plays) >= PLAYS_BETWEEN_CHECKS:
            self.check()
