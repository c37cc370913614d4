"""What people approved is a change of the record they saw: of no other, and of no later one."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentExecution, AgentReview
from tests.faults.checking import nothing_is_violated
from tests.rehearsal_server import RehearsalServer
from tests.support.rehearsed_agent import calls, text
from tests.support.standing_runner import run_until_idle
from tests.support.trial import launched, only_call, trial
from tests.tools.reports import report_arguments
from tools.models import Customer, Document, Regulation

CUSTOMER, PHONE = "C-9001", "+31 10 555 0199"


@pytest.fixture
def execution(rehearsal: RehearsalServer, reviewers: list[User]) -> AgentExecution:
    """It waits for people to decide on a new phone number."""
    Customer.objects.create(
        customer_id=CUSTOMER, name="Halden", country="NO", onboarded_on=date(2024, 1, 1)
    )
    with trial():
        asked = {"customer_id": CUSTOMER, "changes": {"phone": PHONE}, "reason": "it rang"}
        one = launched(calls(("update_customer_record", asked)), text("done"))
        return drive(rehearsal, one)


def drive(rehearsal: RehearsalServer, execution: AgentExecution) -> AgentExecution:
    with trial():
        run_until_idle(base_url=rehearsal.base_url)
    execution.refresh_from_db()
    return execution


def approve(execution: AgentExecution, person: User) -> AgentReview:
    review = execution.reviews.get(status="open")
    operations.decide(
        review_id=review.pk, person=person, approve=True, seen_digest=review.input_digest
    )
    return review


def test_a_record_changed_since_the_approval_is_put_before_people_again(
    execution: AgentExecution, rehearsal: RehearsalServer, reviewers: list[User]
) -> None:
    """T9: with its new version; the second approval is for that one."""
    old = approve(execution, reviewers[0])
    Customer.objects.filter(pk=CUSTOMER).update(industry="Shipping")

    drive(rehearsal, execution)

    assert (execution.status, only_call(execution).started_at) == ("awaiting_review", None)
    old.refresh_from_db()
    new = execution.reviews.get(status="open")
    assert (old.status, old.target_version, new.target_version) == ("void", "1", "2")
    assert "changed after the approval" in new.reason
    assert Customer.objects.get(pk=CUSTOMER).phone == ""

    approve(execution, reviewers[1])
    drive(rehearsal, execution)

    assert execution.status == "completed"
    call = only_call(execution)
    assert (call.status, call.tool_output["previous_version"]) == ("succeeded", 2)
    record = Customer.objects.get(pk=CUSTOMER)
    assert (record.phone, record.industry, record.version) == (PHONE, "Shipping", 3)
    nothing_is_violated()


def test_a_regulation_edited_since_the_approval_is_put_before_people_again(
    llm: RehearsalServer, reviewers: list[User]
) -> None:
    """T9: nobody has seen the words that the document would hold; the second approval saw them."""
    with trial():
        asked = launched(calls(("generate_compliance_document", report_arguments())), text("done"))
        execution = drive(llm, asked)
    approve(execution, reviewers[0])
    regulation = Regulation.objects.get(pk="AML-6")
    regulation.requirements[0]["text"] = "Nobody agreed to these words."
    regulation.save()

    drive(llm, execution)

    assert (execution.status, only_call(execution).started_at) == ("awaiting_review", None)
    assert "changed after the approval" in execution.reviews.get(status="open").reason

    approve(execution, reviewers[1])
    drive(llm, execution)

    made = Document.objects.get(pk=only_call(execution).tool_output["document_id"])
    assert "Nobody agreed to these words." in made.text
    nothing_is_violated()


@pytest.mark.parametrize("approved_first", [True, False])
def test_a_record_that_is_gone_is_told_and_nothing_starts(
    execution: AgentExecution,
    rehearsal: RehearsalServer,
    reviewers: list[User],
    approved_first: bool,
) -> None:
    """T10: deleted, or merged into another: either way the id is nobody's any more."""
    if approved_first:
        approve(execution, reviewers[0])
    Customer.objects.filter(pk=CUSTOMER).delete()
    if not approved_first:
        approve(execution, reviewers[0])

    drive(rehearsal, execution)

    assert execution.status == "completed"
    call: Any = only_call(execution)
    assert (call.status, call.started_at) == ("failed", None)
    assert f"no customer {CUSTOMER}" in call.error
    nothing_is_violated()
