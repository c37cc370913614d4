"""A fault at every point of every scenario, in every way; two deaths at every pair of some."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.faults.crashing import Fault, Mode, Place, modes_at
from tests.faults.progress import with_progress
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.faults.stage import Stage
from tests.support.effort import Effort

pytestmark = pytest.mark.slow

BRIEF = ("a launch by plain SQL", "a cancel at the very moment the LLM answers")
PAIRED = [
    SCENARIOS[0],
    *(pytest.param(one, marks=pytest.mark.long) for one in SCENARIOS if one.name in BRIEF),
]
PAIR_BLOCKS = 10
PAIRS = 12  # in the short form
CHOICES = 6


def singles(places: Iterable[Place], scenario: Scenario) -> list[Fault]:
    """Return every fault there can be at these places, but those the scenario has anyway."""
    taken = {fault[:2] for fault in scenario.faults}
    return [
        Fault(place.point, place.nth, mode)
        for place in dict.fromkeys(places)
        if place[:2] not in taken
        for mode in modes_at(place)
    ]


def by_point(recorded: dict[str, list[Fault]]) -> dict[str, list[tuple[Scenario, Fault]]]:
    """Return for each point every fault there can be at it, with the scenario that meets it."""
    found: dict[str, list[tuple[Scenario, Fault]]] = {}
    for scenario in SCENARIOS:
        for fault in recorded[scenario.name]:
            found.setdefault(fault.point, []).append((scenario, fault))
    return found


def test_one_fault_at_each_point(stage: Stage, effort: Effort) -> None:
    """A1, D2, D4, D5, T5: wherever it strikes, nothing is lost and nothing happens twice."""
    rng = effort.rng("points")
    recorded = {one.name: singles(stage.play(one).places, one) for one in SCENARIOS}
    for point, choices in sorted(by_point(recorded).items()):
        chosen = rng.sample(choices, min(len(choices), CHOICES))
        # a hit that was met once may depend on timing; then another one has to fire
        assert any(fault in stage.play(one, [fault]).fired for one, fault in chosen), point
    stage.check()


@pytest.mark.long
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_every_fault_at_every_point(stage: Stage, scenario: Scenario) -> None:
    """A1, D2, D4, D5, M19, R8, C2, T5: every hit of every point, in every mode."""
    faults = singles(stage.places(scenario), scenario)
    for fault in with_progress(scenario.name, faults):
        stage.strike(scenario, fault)
    stage.check()


def worth_dying_at(places: Iterable[Place]) -> list[Place]:
    """Leave out where nothing is committed or sent: to die there is to have died before."""
    return [place for place in places if not place.point.startswith("read.")]


def deaths_in_pairs(stage: Stage, scenario: Scenario, first: Place) -> list[tuple[Fault, Fault]]:
    """Return this death followed by each that is possible after it, recovery among it."""
    fault = Fault(first.point, first.nth, Mode.DIE)
    places = stage.strike(scenario, fault).places
    after = next(number for number, place in enumerate(places) if place[:2] == fault[:2])
    return [
        (fault, Fault(second.point, second.nth, Mode.DIE))
        for second in worth_dying_at(places[after + 1 :])
    ]


@pytest.mark.blocks(PAIR_BLOCKS)
@pytest.mark.parametrize("scenario", PAIRED, ids=lambda scenario: scenario.name)
def test_two_deaths_at_every_pair_of_points(
    stage: Stage, effort: Effort, scenario: Scenario, block: int
) -> None:
    """A2: the second death may come while the first is being recovered from."""
    rng = effort.rng("pairs")
    firsts = worth_dying_at(stage.places(scenario))[block::PAIR_BLOCKS]
    if not effort.is_long:
        firsts = [rng.choice(firsts)]
    for first in firsts:
        pairs = deaths_in_pairs(stage, scenario, first)
        chosen = pairs if effort.is_long else rng.sample(pairs, PAIRS)
        for pair in with_progress(f"pairs of {scenario.name}", chosen):
            stage.strike(scenario, *pair)
    stage.check()
