"""After a decision the page follows it to its end, says what the tool did, and leads on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import pytest
from django.db.models import F
from django.db.models.functions import Now
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from agentops.accounts.models import User
from executions.models import AgentExecution, AgentReview, AgentToolCall
from tests import factories
from tests.executions import desk
from tools.registry import TOOLS

pytestmark = pytest.mark.django_db

SENT = {"message_id": "<key@desk>", "accepted": ["ana@example.org"], "refused": []}


def part(client: Client, review: AgentReview, seen: str = "") -> HttpResponse:
    response: Any = client.get(reverse("review-outcome", args=[review.pk]), {"seen": seen})
    return response  # type: ignore[no-any-return]


def told(client: Client, review: AgentReview) -> str:
    return str(part(client, review).content.decode())


def state_of(page: str) -> str:
    return unquote(page.split("seen=")[1].split('"', maxsplit=1)[0])


def driven(one: AgentExecution) -> AgentExecution:
    token = F("lease_token") + 1
    factories.change(one, status="running", lease_owner=uuid4(), lease_token=token)
    return one


def approved(review: AgentReview, by: User, **columns: Any) -> AgentToolCall:
    if columns:
        factories.change(review, **columns)
    call = factories.approve(review, by)
    factories.change(review.execution, status="pending")
    return call


def test_it_is_followed_until_it_is_over_and_answered_only_when_something_changed(
    client: Client, rita: User
) -> None:
    review = desk.proposed()
    call = approved(review, rita)
    waiting = told(client, review)
    assert "as soon as a runner takes it up" in waiting
    assert 'hx-trigger="every 1s, seen"' in waiting
    assert part(client, review, state_of(waiting)).status_code == 204
    driven(review.execution)
    factories.start(call)
    assert '<p class="say" id="lead" hidden' in waiting, "what would follow is no news any more"
    assert 'id="execution-status" hx-swap-oob="true">pending<' in waiting
    running = part(client, review, state_of(waiting))
    assert running.status_code == 200
    assert "Approved; it is running now." in running.content.decode()
    factories.change(call, status="succeeded", tool_output=SENT, finished_at=Now())
    over = told(client, review)
    assert 'id="execution-status" hx-swap-oob="true">running<' in over
    assert "Sent to ana@example.org. Message id &lt;key@desk&gt;." in over
    assert "The agent works on step 2." in over
    assert "hx-get" not in over


def test_before_its_start_the_seconds_that_are_left_are_counted(client: Client, rita: User) -> None:
    review = desk.proposed()
    approved(review, rita, effective_at=Now() + timedelta(seconds=25))
    page = told(client, review)
    assert "It starts in <span" in page
    assert 'role="timer" aria-live="off"' in page
    assert "Take it back" in page
    client.force_login(factories.reviewer("omar"))
    assert "Take it back" not in told(client, review)


def test_what_waits_for_this_person_has_nothing_to_follow(client: Client, rita: User) -> None:
    assert part(client, desk.proposed()).status_code == 204


def test_who_voted_first_hears_of_the_second_vote(client: Client, rita: User) -> None:
    review = desk.proposed(votes=2)
    factories.vote(review, rita)
    page = told(client, review)
    assert "Your vote counts: 1 of 2." in page
    assert 'id="lead"' not in page, "it is ahead still"
    assert 'hx-trigger="every 10s, seen"' in page
    assert part(client, review, state_of(page)).status_code == 204
    factories.approve(review, factories.reviewer("omar"))
    factories.change(review.execution, status="pending")
    assert (
        "as soon as a runner takes it up" in part(client, review, state_of(page)).content.decode()
    )


def test_who_may_not_decide_follows_nothing(client: Client, rita: User) -> None:
    review = desk.proposed()
    client.force_login(factories.person("nora"))
    assert part(client, review).status_code == 403


def test_once_decided_a_page_says_no_more_what_would_follow(client: Client, rita: User) -> None:
    review = desk.proposed()
    assert "Leaves the house." in client.get(desk.url(review)).content.decode()
    approved(review, rita)
    page = client.get(desk.url(review)).content.decode()
    assert "Leaves the house." not in page
    assert '<span id="execution-status">pending</span>' in page


def test_what_nobody_knows_the_end_of_leads_to_where_it_is_settled(
    client: Client, rita: User
) -> None:
    doubt = desk.in_doubt(rita)
    first = doubt.call.reviews.get(version=1)
    link = f'<a href="{desk.url(doubt)}">'
    assert f"{link}Settle it</a>" in told(client, first)
    assert "Did it happen?" in client.get(desk.url(doubt)).content.decode()
    factories.vote(doubt, rita, "happened")
    factories.change(doubt, status="rejected")
    assert f"{link}Its version 2</a>" in told(client, first)
    assert "Did it happen?" not in client.get(desk.url(doubt)).content.decode()


def test_a_failure_says_what_the_agent_does_next(client: Client, rita: User) -> None:
    review = desk.proposed()
    call = approved(review, rita)
    driven(review.execution)
    factories.change(call, status="failed", error="The record is gone.", finished_at=Now())
    page = told(client, review)
    assert "Approved, but it failed." in page
    assert "The record is gone." in page
    assert "The agent works on step 2." in page


@pytest.mark.parametrize("say", ["reject", "ask"])
def test_a_rejection_is_followed_to_what_the_agent_proposes_next(
    client: Client, rita: User, say: str
) -> None:
    review = desk.proposed()
    factories.vote(review, rita, say)
    factories.change(review, status="rejected")
    factories.change(review.call, status="rejected", tool_output={"question": "Why?"})
    factories.change(review.execution, open_reviews=0, status="pending")
    assert "hx-get" in told(client, review)
    one = driven(review.execution)
    factories.change(one, step_count=F("step_count") + 1)
    again = factories.gated(one, tool_input={**desk.LETTER, "subject": "A better one"})
    page = told(client, review)
    assert "The agent proposes next:" in page
    assert "A better one" in page
    assert desk.url(again) in page
    assert "hx-get" not in page


def test_the_end_of_the_execution_ends_the_following(client: Client, rita: User) -> None:
    review = desk.proposed()
    factories.vote(review, rita, "reject")
    factories.change(review, status="rejected")
    factories.change(review.call, status="rejected", tool_output={"reason": "because"})
    factories.change(review.execution, open_reviews=0, status="pending")
    one = driven(review.execution)
    factories.change(
        one, status="completed", lease_owner=None, open_reviews=0, completed_at=Now(), result={}
    )
    page = told(client, review)
    assert "The agent has finished, in 1 step." in page
    assert "hx-get" not in page


def test_there_is_always_somewhere_to_go_on_to(client: Client, rita: User) -> None:
    review = desk.proposed()
    approved(review, rita)
    assert "back to the desk" in told(client, review)
    other = desk.proposed()
    assert desk.url(other) in told(client, review)


OUTPUTS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "send_email": (desk.LETTER, SENT, "Sent to ana@example.org. Message id <key@desk>."),
    "update_customer_record": (
        desk.CHANGE,
        {"customer_id": "C-1002", "version": 3, "changes": [{"field": "phone"}]},
        "Record C-1002 changed: telephone. Now at version 3.",
    ),
    "generate_compliance_document": (
        {},
        {"document_id": "DOC-1", "pages": 3, "sha256": "ab" * 32},
        "Document DOC-1 made, 3 pages. sha256 abababababababab…",
    ),
    "submit_to_regulator": (
        desk.FILING,
        {"regulator_id": "R", "environment": "TEST", "receipt": "N/1", "status": "accepted"},
        "Filed with R, TEST: receipt N/1, accepted.",
    ),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_each_gated_tool_says_what_it_did_with_a_number_to_find_it_by(name: str) -> None:
    arguments, output, said = OUTPUTS[name]
    outcome = TOOLS[name].outcome
    assert outcome
    assert outcome(arguments, output) == said


def test_an_output_that_the_tool_does_not_know_is_shown_as_it_is(
    client: Client, rita: User
) -> None:
    review = desk.proposed()
    call = approved(review, rita)
    driven(review.execution)
    factories.start(call)
    factories.change(call, status="succeeded", tool_output={"old": "shape"}, finished_at=Now())
    page = told(client, review)
    assert "Approved, and done." in page
    assert "shape" in page
