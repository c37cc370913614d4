"""No commit and no call to the outside lacks its fault points, or a crash there goes untried.

Left out: what psql does, and django-q2's own commits in its monitor and scheduler (results of
tasks, next runs of schedules): they are not our code, and nothing is lost by them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from agentops.accounts.models import User
from executions import operations
from executions.engine import tickets
from executions.models import AgentReview
from tests import factories
from tests.faults import acts
from tests.faults.acts import Act
from tests.faults.committing import Watch, watched
from tests.faults.crashing import Injector
from tests.faults.here import Here
from tests.faults.scenarios import SCENARIOS, letter
from tests.faults.stage import Stage
from tests.support.rehearsed_agent import calls, text

pytestmark = pytest.mark.slow

NOT_OURS = ("launch_by_sql", "let_expire", "let_time_pass", "lose_tickets", "double_tickets")


@pytest.fixture
def watch(stage: Stage) -> Iterator[Watch]:
    with watched() as watching, pytest.MonkeyPatch.context() as patch:
        for name in NOT_OURS:
            patch.setitem(acts.ACTS, name, _aside(watching, acts.ACTS[name]))
        for act in (edit_and_withdraw, stand, switch, change_without_a_point):
            patch.setitem(acts.ACTS, act.__name__, act)
        yield watching


def _aside(watching: Watch, act: Any) -> Any:
    def done_aside(**arguments: Any) -> Any:
        with watching.aside():
            return act(**arguments)

    return done_aside


def edit_and_withdraw(*, execution: str) -> None:
    """Rita and Omar are on the open letter in turn; Rita edits it, Omar approves it, takes that
    back and asks the agent."""
    rita, omar = (acts._person(name) for name in acts.PEOPLE)
    (review,) = AgentReview.objects.open().filter(execution_id=execution)
    operations.claim(review_id=review.pk, person=rita)
    operations.take_over(review_id=review.pk, person=omar, from_whom=rita.pk, reason="mine")
    operations.release(review_id=review.pk, person=omar)
    arguments = {**review.call.tool_input, "subject": "Another subject"}
    operations.edit(
        review_id=review.pk, person=rita, seen_digest=review.input_digest, arguments=arguments,
        reason="clearer",
    )  # fmt: skip
    (edited,) = AgentReview.objects.open().filter(execution_id=execution)
    operations.decide(
        review_id=edited.pk, person=omar, approve=True, seen_digest=edited.input_digest
    )
    anew = operations.withdraw(review_id=edited.pk, person=omar, reason="too quick")
    operations.ask(
        review_id=anew.pk, person=omar, question="Why now?", seen_digest=anew.input_digest
    )


def stand() -> None:
    """Ring as workers do at their birth."""
    tickets.ring_standing()
    tickets.ring_first_standing()


def switch() -> None:
    """Hold the letters back, and let them go."""
    person = acts._person("pia")
    operations.pause(scope="tool", key="send_email", person=person, reason="a test")
    operations.lift(scope="tool", key="send_email", person=person, reason="over")


def change_without_a_point() -> None:
    factories.person("nobody in particular")
    with transaction.atomic():
        User.objects.filter(username="olga").update(first_name="Olga")


def test_a_commit_without_a_point_is_named(stage: Stage, watch: Watch) -> None:
    stage.people.do(Act("change_without_a_point"))

    inserted, updated = watch.unannounced
    assert inserted.startswith('INSERT INTO "accounts_user"')
    assert updated.startswith('UPDATE "accounts_user"')


def test_every_commit_and_every_call_outside_is_announced(
    stage: Stage, watch: Watch, settings: Any
) -> None:
    factories.person("pia", may=["change_agentcontrol"])
    requests = 0
    for scenario in SCENARIOS:
        if not scenario.faults:
            hands = Here(stage.worker, stage.people, Injector())
            requests += len(stage.player.play(scenario, hands).requests)
    assert watch.hits["llm.before"] == requests > 0
    settings.AGENTOPS_UNDO_S = 30
    execution = stage.people.do(
        Act("launch", {"script": [calls(letter(1)), text()], "key": "to be edited"})
    )
    stage.worker.live(Injector())
    stage.people.do(Act("edit_and_withdraw", {"execution": execution}))
    stage.people.do(Act("stand"))
    stage.people.do(Act("switch"))

    assert sorted(set(watch.unannounced)) == []
    assert {"launch", "decide", "edit", "withdraw", "ask", "switch", "recover"} <= set(
        watch.commits
    )
    assert {"claim_review", "take_over", "release_review"} <= set(watch.commits)
    assert {"StepMade", "CallStarted", "CallEnded", "Ended", "LetGo", "Yielded"} <= set(
        watch.commits
    )
    for tool, times in watch.tools.items():
        assert watch.hits[f"{tool}.before"] == times, f"{tool} was called without its points"
