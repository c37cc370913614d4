"""What waits on the desk in the morning: twelve actions of real agents, of every kind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models.functions import Now

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentExecution, AgentReview
from tests.journeys.conftest import launch
from tests.support.noting import AGENT as NOTER
from tests.support.noting import note
from tests.support.rehearsed_agent import REHEARSED, calls, text
from tests.support.waiting import wait_until

ANA = "ana.duarte@marlowe-shipping.example"
COUNT = 12
DUE = timedelta(minutes=40)
GENERATOR, STEWARD = "compliance_document_generator", "customer_record_steward"
BODY = "Dear Ms Duarte,\n\nwe have looked at what you sent us, and it is in order.\n\nRegards"


def letter(subject: str, body: str = BODY) -> dict[str, Any]:
    return calls(("send_email", {"to": [ANA], "subject": subject, "body": body}))


PHONE = {
    "customer_id": "C-1002",
    "changes": {"phone": "+420 596 555 019"},
    "reason": "the customer rang us from it",
}


def build(approver: User) -> dict[str, AgentExecution]:
    """Launch them and wait until all lie on the desk; `approver` approved the one in doubt."""
    told = {
        "doubt": letter("[drop] Statement of the year"),
        "due": letter("Your passport expires in December"),
        "plain": letter("Your periodic review is done"),
        "edited": letter("Your repott"),
        "undone": letter("Opening hours in December"),
        "refused": letter("Your account is closed"),
        "phone": calls(("update_customer_record", PHONE)),
    }
    made = {name: launch(REHEARSED.name, rehearse=[reply, text()]) for name, reply in told.items()}
    made |= {
        f"note {number}": launch(NOTER, rehearse=[calls(note(f"Checked page {number}")), text()])
        for number in (1, 2)
    }
    made["answered"] = launch(STEWARD, message_id="M-2002")
    made["asked"] = launch(STEWARD, message_id="M-2004")
    made["filed"] = launch(GENERATOR)
    _put_in_doubt(made["doubt"], approver)
    due = review_of(made["due"])
    AgentReview.objects.filter(pk=due.pk).update(expires_at=Now() + DUE)
    wait_until(
        lambda: AgentReview.objects.open().count() == COUNT,
        within_s=60,
        what=f"{COUNT} open reviews",
    )
    return made


def review_of(execution: AgentExecution, tool: str = "", *, kind: str = "approval") -> AgentReview:
    """Wait until a call of the execution (of this tool) is before people; return its review."""
    wanted = AgentReview.objects.open().filter(execution=execution, kind=kind)
    if tool:
        wanted = wanted.filter(tool_name=tool)
    return wait_until(wanted.first, within_s=60, what=f"a review of {tool or execution}")


def _put_in_doubt(execution: AgentExecution, approver: User) -> None:
    """Have it approved: the mail server takes the letter and breaks the connection."""
    review = review_of(execution)
    operations.decide(
        review_id=review.pk, person=approver, approve=True, seen_digest=review.input_digest
    )
    review_of(execution, kind="doubt")
