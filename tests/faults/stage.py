"""What a crash proof stands on: it plays scenarios with planned faults, and judges each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.faults import world
from tests.faults.crashing import Fault
from tests.faults.here import Here, People
from tests.faults.judging import broken_promises, faults_of
from tests.faults.playing import Played, Player
from tests.faults.scenarios import Scenario
from tests.faults.worker import Worker
from tests.support import database

PLAYS_BETWEEN_CHECKS = 50


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

    def play(self, scenario: Scenario, plan: Iterable[Fault] = ()) -> Played:
        """Play with these faults planned; raises AssertionError when a promise was broken."""
        planned = {(fault.point, fault.nth): fault for fault in (*scenario.faults, *plan)}
        hands = Here(self.worker, self.people, planned.values())
        told = f"{scenario.name!r} with {[tuple(fault) for fault in planned.values()]}"
        try:
            with hands.injector.installed():
                played = self.player.play(scenario, hands)
        except Exception as error:
            raise AssertionError(f"{told}: {error!r}; it was at {hands.places[-5:]}") from error
        wrong = faults_of(played)
        assert not wrong, f"{told}: {wrong}"
        self._keep(played)
        return played

    def check(self) -> None:
        """Verify everything since the last time, then begin with an empty database."""
        plays, self.plays = self.plays, []
        wrong = broken_promises(plays)
        assert not wrong, "\n".join([*wrong, *(_told(played) for played in plays)])
        database.wipe()
        self.player.report = world.lay_down()

    def close(self) -> None:
        self.people.close()
        self.worker.close()

    def _keep(self, played: Played) -> None:
        self.plays.append(played)
        self.total += 1
        if len(self.plays) >= PLAYS_BETWEEN_CHECKS:
            self.check()


def _told(played: Played) -> str:
    return f"{played.execution}: {played.scenario.name!r} with {[tuple(f) for f in played.fired]}"
