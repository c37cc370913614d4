"""Single faults worth a name of their own; test_enumeration.py tries them all."""

from __future__ import annotations

import pytest

from executions.models import AgentExecution, AgentToolCall
from tests.faults.crashing import Fault, Mode
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.faults.stage import Stage

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
LETTER = BY_NAME["a read, then a letter that is approved"]
FILING = BY_NAME["a filing that needs two people"]
CHANGE = BY_NAME["a change of a record"]
JOURNAL = ("StepMade", "CallEnded", "LetGo", "CallStarted", "Ended")


@pytest.mark.parametrize("point", ["CallStarted.before", "CallStarted.after"])
def test_a_death_between_approval_and_effect_sends_the_letter_once(
    stage: Stage, point: str
) -> None:
    """R8: the approval holds over the death, and so does at most once."""
    played = stage.strike(LETTER, Fault(point, 1, Mode.DIE))

    assert (len(played.letters), played.deaths) == (1, 1)
    stage.check()


def test_a_death_after_a_decision_is_not_decided_anew(stage: Stage) -> None:
    """M19: what the LLM said is read from the log; only an answer that was not is asked again."""
    kept = stage.strike(LETTER, Fault("StepMade.after", 1, Mode.DIE))
    lost = stage.strike(LETTER, Fault("StepMade.before", 1, Mode.DIE))

    assert (len(kept.requests), len(lost.requests)) == (3, 4)
    stage.check()


def test_a_cancel_as_the_llm_answers_lets_nothing_start(stage: Stage) -> None:
    """C2: the answer is kept as a step, and none of its calls runs."""
    played = stage.play(BY_NAME["a cancel at the very moment the LLM answers"])

    execution = AgentExecution.objects.get(pk=played.executions[0])
    assert (execution.status, execution.step_count) == ("cancelled", 2)
    assert not AgentToolCall.objects.filter(
        execution=execution, step_number=2, status="succeeded"
    ).exists()
    stage.check()


@pytest.mark.parametrize(
    ("scenario", "tool", "reviews"),
    [(LETTER, "send_email", 2), (FILING, "submit_to_regulator", 1)],
    ids=["once", "idempotent"],
)
def test_an_effect_whose_answer_is_lost_happens_once(
    stage: Stage, scenario: Scenario, tool: str, reviews: int
) -> None:
    """T5: a `once` call comes before people as a doubt, an idempotent one runs again by its key."""
    played = stage.strike(scenario, Fault(f"{tool}.after", 1, Mode.UNSURE))

    call = AgentToolCall.objects.get(execution_id=played.executions[0], tool_name=tool)
    assert (call.status, call.reviews.count()) == ("succeeded", reviews)
    assert [*played.letters, *played.filings] == [call.idempotency_key]
    stage.check()


@pytest.mark.parametrize("mode", [Mode.CONFLICT, Mode.UNSURE, Mode.DROP])
def test_every_commit_of_the_journal_survives_its_database(stage: Stage, mode: Mode) -> None:
    """D2, D4, D5: 40001 and 40P01, a lost answer, a cut connection; no step is made twice."""
    side = "after" if mode is Mode.UNSURE else "before"
    played = stage.strike(LETTER, *(Fault(f"{name}.{side}", 1, mode) for name in JOURNAL))

    assert len(played.fired) == len(JOURNAL)
    execution = AgentExecution.objects.get(pk=played.executions[0])
    assert (execution.step_count, len(played.letters), played.deaths) == (3, 1, 0)
    stage.check()


@pytest.mark.parametrize("mode", [Mode.DIE, Mode.UNSURE])
def test_a_change_and_its_outcome_are_one_commit(stage: Stage, mode: Mode) -> None:
    """D4, T5: whatever the runner was told, the record was changed once, and the call says so."""
    played = stage.strike(CHANGE, Fault("update_customer_record.after", 1, mode))

    call = AgentToolCall.objects.get(
        execution_id=played.executions[0], tool_name="update_customer_record"
    )
    assert call.status == "succeeded"
    assert call.tool_output["version"] == call.tool_output["previous_version"] + 1
    stage.check()
