"""A reviewer asks and the agent answers; a reviewer stops the execution and nothing starts."""

from __future__ import annotations

import json

import pytest
from django.core.mail import EmailMessage
from pytest_django import Settings

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentReview
from executions.operations.refusals import TooLate
from tests import factories
from tests.faults.reviewing import approve, assert_no_promise_is_broken, drive, letter_before_people
from tests.journeys.conftest import launch
from tests.rehearsal_server import RehearsalServer
from tests.support.rehearsed_agent import LETTER, REHEARSED, calls, text

QUESTION = "Why this customer?"


def asked(review: AgentReview, person: User) -> None:
    operations.ask(
        review_id=review.pk, person=person, question=QUESTION, seen_digest=review.input_digest
    )


def test_the_agent_hears_the_question_at_its_calls_id_and_nothing_ran(
    llm: RehearsalServer, reviewers: list[User], mailoutbox: list[EmailMessage]
) -> None:
    review = letter_before_people(llm)
    asked(review, reviewers[0])
    assert drive(llm, review.execution).status == "completed"
    assert mailoutbox == []
    told = heard(llm, review.call.provider_call_id)
    assert (told["status"], told["question"]) == ("not executed", QUESTION)
    assert_no_promise_is_broken()


def heard(llm: RehearsalServer, call_id: str) -> dict[str, object]:
    """What the latest request tells of this call, over either API."""
    body = llm.log(QUESTION)[-1]["body"]
    items = body.get("input") or body["messages"]
    (answer,) = [
        one.get("output") or one["content"]
        for one in items
        if one.get("call_id" if "input" in body else "tool_call_id") == call_id
        and one.get("type", "function_call_output") == "function_call_output"
    ]
    found: dict[str, object] = json.loads(answer)
    return found


def test_the_steward_answers_in_words_and_proposes_the_same_change(
    llm: RehearsalServer, reviewers: list[User]
) -> None:
    execution = launch("customer_record_steward", message_id="M-2002")
    drive(llm, execution)
    first = AgentReview.objects.open().get(execution=execution)
    asked(first, reviewers[0])
    drive(llm, execution)
    again = AgentReview.objects.open().get(execution=execution)
    assert again.call.tool_input == first.call.tool_input
    said = execution.steps.get(step_number=again.call.step_number).response["text"]
    assert said.startswith(f"You asked: “{QUESTION}” It rests on")
    assert "M-2002" in said
    approve(again, reviewers[0])
    drive(llm, execution)
    assert factories.fresh(again.call).status == "succeeded"
    assert_no_promise_is_broken()


def test_a_rejection_that_stops_lets_nothing_start_that_was_approved_beside_it(
    llm: RehearsalServer, mailoutbox: list[EmailMessage], settings: Settings
) -> None:
    """One letter is in its undo window when the other is rejected for good."""
    settings.AGENTOPS_UNDO_S = 30
    execution = launch(REHEARSED.name, rehearse=[calls(LETTER, LETTER), text()])
    drive(llm, execution)
    first, second = execution.reviews.order_by("call__call_index")
    rita = factories.person("rosa", may=["approve_*", "cancel_execution"])
    approve(first, rita)
    operations.decide(
        review_id=second.pk, person=rita, approve=False, reason="Neither.", stop=True,
        seen_digest=second.input_digest,
    )  # fmt: skip
    with pytest.raises(TooLate):
        operations.withdraw(review_id=first.pk, person=rita)
    assert drive(llm, execution).status == "cancelled"
    assert mailoutbox == []
    statuses = execution.tool_calls.order_by("call_index").values_list("status", flat=True)
    assert list(statuses) == ["cancelled", "rejected"]
    assert_no_promise_is_broken()
