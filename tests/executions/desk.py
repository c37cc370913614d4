"""What lies on the review desk in tests: proposals with the rows around them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

from django.core.management import call_command
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from agentops.accounts.models import User
from executions.models import AgentExecution, AgentReview, AgentStep, AgentToolCall
from tests import factories
from tools.models import Document

SAYS = "I think this is the right thing to do."
LETTER = {
    "to": ["ana.duarte@marlowe-shipping.example"],
    "subject": "Your report",
    "body": "Dear Ms Duarte,\n\nit is filed. See https://portal.example/reports.\n\nKind regards",
    "attach_document_ids": [],
}
CHANGE = {
    "customer_id": "C-1002",
    "changes": {"phone": "+420 555 010 203"},
    "reason": "M-2001: new telephone",
    "version": None,
}
MESSAGE = (
    "read_customer_message",
    {"message_id": "M-2001"},
    {"message": {"message_id": "M-2001", "customer_id": "C-1002", "body": "+420 555 010 203"}},
)
"""The call that read whence CHANGE comes: tool, what it was given, what it answered."""
EFFECTS = {"send_email": "once", "submit_to_regulator": "idempotent"}


def load_sample_data() -> None:
    call_command("load_sample_data", verbosity=0)


def proposed(
    tool: str = "send_email",
    arguments: dict[str, Any] | None = None,
    *,
    says: str = SAYS,
    launched_by: User | None = None,
    votes: int = 1,
    expires_in: timedelta | None = timedelta(days=7),
    risk: str = "medium",
    customer: str | None = None,
    version: str | None = None,
    agent: str = "customer_record_steward",
    read: Sequence[tuple[str, Any, Any]] = (),
) -> AgentReview:
    """A call that waits for people; returns its open review. `read` are the calls before it, one a
    step: tool, what it was given, what it answered."""
    one = factories.running(
        agent_type=agent,
        input_data={"message_id": "M-2001"},
        launched_by=launched_by,
        limits={"max_steps": 15},
    )
    for name, given, answer in read:
        _read(one, name, given, answer)
    log_step(one, says)
    key = uuid4()
    call = factories.call(
        one,
        tool_name=tool,
        tool_input=LETTER if arguments is None else arguments,
        effect=EFFECTS.get(tool, "transactional"),
        gated=True,
        status="awaiting_review",
        review_id=key,
        target_version=version,
    )
    review = AgentReview.objects.create(
        pk=key,
        call=call,
        execution=one,
        tool_name=tool,
        input_digest=call.input_digest,
        required_votes=votes,
        reason="This tool always needs a person.",
        risk=risk,
        expires_at=expires_in and Now() + expires_in,
        customer_id=customer,
        target_version=version,
    )
    factories.change(one, status="awaiting_review", lease_owner=None, open_reviews=1)
    return factories.fresh(review)


def _read(one: AgentExecution, tool: str, given: Any, answer: Any) -> None:
    log_step(one, "")
    begun = {"effect": "read", "status": "running", "started_at": Now()}
    call = factories.call(one, tool_name=tool, tool_input=given, **begun)
    factories.change(call, status="succeeded", tool_output=answer, finished_at=Now())
    factories.change(one, step_count=F("step_count") + 1)


def in_doubt(
    *people: User, arguments: dict[str, Any] | None = None, launched_by: User | None = None
) -> AgentReview:
    """A letter that was approved and started, and whose fate a crash hid."""
    review = proposed(arguments=arguments, launched_by=launched_by)
    doubt = factories.doubt(_started(review, *people))
    factories.change(review.execution, status="awaiting_review", lease_owner=None)
    return doubt


def done(review: AgentReview, *people: User, answer: Any) -> AgentReview:
    """These people approve it, it runs and answers so; its execution goes on."""
    call = _started(review, *people)
    factories.change(call, status="succeeded", tool_output=answer, finished_at=Now())
    return review


def _started(review: AgentReview, *people: User) -> AgentToolCall:
    one = review.execution
    call = factories.approve(review, *people)
    factories.change(one, status="pending")
    token = F("lease_token") + 1
    factories.change(one, status="running", lease_owner=review.pk, lease_token=token)
    return factories.start(call)


def log_step(one: AgentExecution, says: str = SAYS, **columns: Any) -> None:
    given: dict[str, Any] = {
        "llm": "gpt-5-mini",
        "request_digest": "0" * 64,
        "response": {"text": says, "calls": [], "reasoning": [], "refusal": None},
        "finish_reason": "tool_calls",
        "total_tokens": 1200,
        "cost_usd": "0.001500",
        "latency_ms": 480,
        **columns,
    }
    AgentStep.objects.create(pk=(one.pk, one.step_count), **given)


def think(one: AgentExecution, says: str = SAYS) -> None:
    """One step more, counted and logged as the journal does."""
    factories.change(one, step_count=F("step_count") + 1)
    log_step(one, says)


BROKEN_PDF = b"%PDF-1.4 a report"


def report(
    *, content_type: str = "application/pdf", content: bytes = BROKEN_PDF, pages: int = 2
) -> Document:
    """A report that a tool made and that may be filed with REG-NFSA."""
    return Document.objects.create(
        document_id="DOC-0123456789ab",
        kind=Document.REPORT,
        title="Report on Marlowe Shipping B.V.",
        customer_id="C-1001",
        regulation_id="AML-6",
        text="1 Subject\nMarlowe Shipping B.V.",
        content=content,
        content_type=content_type,
        sha256=hashlib.sha256(content).hexdigest(),
        pages=pages,
    )


FILING = {
    "regulator_id": "REG-NFSA",
    "document_id": "DOC-0123456789ab",
    "document_sha256": hashlib.sha256(BROKEN_PDF).hexdigest(),
    "subject": "Report on Marlowe Shipping B.V.",
}


def listed(client: Client, **query: str) -> str:
    """The list's page."""
    response = client.get(reverse("reviews"), query)
    assert response.status_code == 200
    return str(response.content.decode())


def origins_told(page: str) -> str:
    """What a review's page says of where its figures come from, in words."""
    told = page.split('id="origins"')[1].partition(">")[2].split("</section>")[0]
    words = " ".join(unescape(re.sub(r"<[^>]+>", " ", told)).split())
    return re.sub(r" ([,:;])", r"\1", words)


def order(page: str) -> list[str]:
    """The reviews' ids in the order in which the page lists them."""
    links = re.findall(r'class="act"[^>]* href="/reviews/([0-9a-f-]{36})/', page)
    return list(dict.fromkeys(links))


def url(review: AgentReview, verb: str = "") -> str:
    """The address of the review's page, or of what its form is sent to: decide or settle."""
    return reverse(f"review-{verb}" if verb else "review", args=[review.pk])


def form(review: AgentReview, decision: str, reason: str = "") -> dict[str, str]:
    return {"decision": decision, "seen_digest": review.input_digest, "reason": reason}
