"""Real SIGKILLs at named points, of workers and of processes that serve people."""

from __future__ import annotations

import pytest

from tests.faults.crashing import Fault, Mode
from tests.faults.progress import with_progress
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.faults.stage import Stage
from tests.faults.there import Zygote
from tests.support.effort import Effort

pytestmark = [pytest.mark.slow, pytest.mark.processes]

BLOCKS = 10
# A process that may be killed is not visited in the middle: that moment is met by test_enumeration.
UNVISITED = [scenario for scenario in SCENARIOS if not scenario.visits]


@pytest.mark.long
@pytest.mark.parametrize("scenario", UNVISITED, ids=lambda scenario: scenario.name)
def test_a_kill_at_every_point(stage: Stage, zygote: Zygote, scenario: Scenario) -> None:
    """A1: kill -9 before and after every commit and every call to the outside."""
    taken = {fault[:2] for fault in scenario.faults}
    for place in stage.places(scenario, zygote=zygote):
        if place[:2] not in taken:
            stage.strike(scenario, Fault(place.point, place.nth, Mode.KILL), zygote=zygote)
    stage.check()


@pytest.mark.blocks(BLOCKS)
def test_random_kills(stage: Stage, zygote: Zygote, effort: Effort, block: int) -> None:
    """A1, A2: one to six kills at random moments, in whatever process."""
    count = effort.times(short=8, long=1_000 // BLOCKS)
    kills = 0
    seeds = range(effort.seed + block * count, effort.seed + (block + 1) * count)
    for seed in with_progress("random kills", seeds):
        fired = stage.play_at_random(seed, zygote=zygote).fired
        kills += sum(fault.mode is Mode.KILL for fault in fired)
    stage.check()
    assert kills >= count // 2, "nothing was killed"
