"""The crash proofs' own machinery: what dies does nothing any more, and others take over."""

from __future__ import annotations

import pytest

from executions.models import AgentRunner
from tests.faults.crashing import Fault, Mode
from tests.faults.scenarios import SCENARIOS
from tests.faults.stage import Stage

LETTER = SCENARIOS[0]


@pytest.mark.parametrize("point", ["claim.after", "send_email.before", "CallEnded.before"])
def test_a_runner_that_dies_in_its_loop_or_in_a_thread_is_followed_by_another(
    stage: Stage, point: str
) -> None:
    played = stage.play(LETTER, [Fault(point, 1, Mode.DIE)])

    assert played.fired == [Fault(point, 1, Mode.DIE)]
    assert played.deaths == 1
    assert AgentRunner.objects.count() > 2
    assert len(played.letters) == 1
    stage.check()


def test_after_a_death_no_point_of_that_life_is_reached(stage: Stage) -> None:
    played = stage.play(LETTER, [Fault("StepMade.before", 1, Mode.DIE)])

    names = [place.point for place in played.places]
    died_at = names.index("StepMade.before")
    assert names[died_at + 1] == "recover.before"  # housekeeping's, which is another process
    assert played.requests[0]["body"] == played.requests[1]["body"]  # asked again, once
