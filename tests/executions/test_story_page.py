"""The story of one execution, and what people do from there."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentAudit, AgentExecution
from executions.pages.story import Story
from tests import factories
from tests.executions import desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga(client: Client) -> User:
    may = ["view_agentexecution", "cancel_execution", "view_document"]
    person = factories.person("olga", may=may, is_staff=True)
    client.force_login(person)
    return person


def told(client: Client, execution: AgentExecution) -> str:
    response = client.get(reverse("execution", args=[execution.pk]))
    assert response.status_code == 200
    return str(response.content.decode())


def test_it_tells_what_is_going_on_and_why(client: Client, olga: User) -> None:
    page = told(client, desk.proposed().execution)
    assert "Waits for a person: Send an e-mail to ana.duarte@marlowe-shipping.example" in page
    assert "awaiting review" in page
    assert desk.SAYS in page


def test_one_that_was_put_back_says_until_when_and_why(client: Client, olga: User) -> None:
    """T12: for example behind an open circuit breaker."""
    one = factories.execution(
        state={"waiting": "send_email is shut: it failed 20 times in a <row>"},
        wake_at=Now() + timedelta(minutes=5),
    )
    page = told(client, one)
    assert "Waits until " in page
    assert "send_email is shut: it failed 20 times in a &lt;row&gt;" in page
    factories.change(one, wake_at=None)
    assert "send_email is shut" not in told(client, one), "it is claimable now"


def test_it_shows_calls_reviews_votes_and_transitions_in_order(client: Client, olga: User) -> None:
    review = desk.proposed(votes=2)
    rita = factories.reviewer("rita")
    operations.decide(
        review_id=review.pk,
        person=rita,
        approve=True,
        seen_digest=review.input_digest,
        reason="Looks right to me.",
    )
    page = told(client, review.execution)
    places = [
        page.index(part)
        for part in ("What the agent says", "Put before people", "Looks right to me.", "Arguments,")
    ]
    assert places == sorted(places)
    moments = page[page.index("Moment by moment") :]
    steps = ["launched", "taken up by a runner", "a review was opened", "voted to approve"]
    assert [moments.index(one) for one in steps] == sorted(moments.index(one) for one in steps)
    assert "rita" in moments


def test_it_holds_figures_against_limits(client: Client, olga: User) -> None:
    one = factories.running(limits={"max_steps": 15, "max_cost_usd": "1.50"})
    factories.change(one, token_count=18204, cost_usd="0.21")
    page = told(client, one)
    assert 'value="1" max="15"' in page
    assert "18,204" in page
    assert "$0.21" in page
    assert "of $1.50" in page


def test_an_unknown_cost_is_not_zero(client: Client, olga: User) -> None:
    one = factories.running()
    factories.change(one, cost_usd=None)
    assert "unknown" in told(client, one)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("MAX_STEPS_EXCEEDED", "Stopped: it used all of its 25 steps"),
        ("TOTAL_TIMEOUT", "Stopped: it worked for longer than it may"),
        ("SOMETHING_ELSE", "Failed: something else"),
    ],
)
def test_a_failure_says_why_in_words(client: Client, olga: User, code: str, sentence: str) -> None:
    one = factories.running()
    factories.change(
        one,
        status="failed",
        lease_owner=None,
        completed_at=Now(),
        stop_reason=code,
        error=f"{code}: more of it",
    )
    page = told(client, one)
    assert sentence in page
    assert "more of it" in page


def test_a_step_whose_answer_could_not_be_used_says_so(client: Client, olga: User) -> None:
    one = factories.running()
    desk.log_step(one, "", problem="Your answer was empty.", finish_reason="stop")
    page = told(client, one)
    assert "An answer that could not be used" in page
    assert "Your answer was empty." in page


def test_hostile_text_anywhere_in_the_story_stays_text(client: Client, olga: User) -> None:
    nasty = "<script>alert(1)</script>\u202e"
    one = factories.running(input_data={"note": nasty})
    desk.log_step(one, nasty, problem=nasty)
    call = factories.call(one, tool_name="read_document", effect="read", tool_input={"x": nasty})
    factories.change(call, status="failed", error=nasty)
    factories.change(
        one, status="completed", result={nasty: nasty}, completed_at=Now(), lease_owner=None
    )
    page = told(client, one)
    assert "<script>alert" not in page
    assert "\u202e" not in page


def test_a_very_long_output_is_cut_on_the_page_and_whole_in_a_file(
    client: Client, olga: User
) -> None:
    one = factories.running()
    desk.log_step(one)
    call = factories.call(one, tool_name="read_document", effect="read", tool_input={})
    factories.change(call, status="running", started_at=Now())
    text = "a" * 70_000 + "the end"
    factories.change(call, status="succeeded", tool_output={"text": text}, finished_at=Now())
    page = told(client, one)
    assert "The first 64,000 characters stand here" in page
    assert "the end" not in page
    whole = client.get(reverse("call-output", args=[call.pk]))
    assert whole.json() == {"text": text}
    assert whole.headers["Content-Disposition"].startswith("attachment")
    client.force_login(factories.reviewer("rita"))
    assert client.get(reverse("call-output", args=[call.pk])).status_code == 403


def test_it_needs_the_right_to_look(client: Client) -> None:
    client.force_login(factories.reviewer("rita"))
    execution = desk.proposed().execution
    assert client.get(reverse("execution", args=[execution.pk])).status_code == 403
    client.force_login(factories.person("olga", may=["view_agentexecution"]))
    assert client.get(reverse("execution", args=[uuid4()])).status_code == 404


def test_it_leads_to_the_review_for_those_who_may_decide(client: Client) -> None:
    review = desk.proposed()
    client.force_login(factories.person("watcher", may=["view_agentexecution"]))
    assert desk.url(review) not in told(client, review.execution)
    client.force_login(factories.person("rita", may=["view_agentexecution", "approve_send_email"]))
    assert desk.url(review) in told(client, review.execution)


def test_its_length_does_not_change_the_number_of_queries(client: Client, olga: User) -> None:
    one = desk.proposed().execution
    told(client, one)
    with CaptureQueriesContext(connection) as few:
        told(client, one)
    factories.change(one, status="pending")
    token = F("lease_token") + 1
    factories.change(one, status="running", lease_owner=uuid4(), lease_token=token)
    for _ in range(6):
        factories.change(one, step_count=F("step_count") + 1)
        desk.log_step(one)
        factories.gated(one)
    with CaptureQueriesContext(connection) as many:
        told(client, one)
    assert len(many) == len(few) <= 16


def test_cancelling_ends_it_with_the_reason(client: Client, olga: User) -> None:
    review = desk.proposed()
    address = reverse("execution-cancel", args=[review.execution_id])
    page = client.post(address, {"reason": "launched by mistake"}, follow=True).content.decode()
    assert factories.fresh(review.execution).status == "cancelled"
    assert "launched by mistake" in page
    assert factories.fresh(review).status == "void"


def test_cancelling_what_has_ended_is_refused_and_keeps_the_words(
    client: Client, olga: User
) -> None:
    one = desk.proposed().execution
    operations.cancel(execution_id=one.pk, person=olga)
    response = client.post(reverse("execution-cancel", args=[one.pk]), {"reason": "too slow"})
    assert response.status_code == 409
    page = response.content.decode()
    assert "The execution is cancelled already." in page
    assert "too slow" in page


def test_cancelling_needs_its_right(client: Client) -> None:
    one = desk.proposed().execution
    client.force_login(factories.person("watcher", may=["view_agentexecution"]))
    assert client.post(reverse("execution-cancel", args=[one.pk])).status_code == 403
    assert factories.fresh(one).status == "awaiting_review"
    assert "Cancel the execution" not in told(client, one)


def test_a_document_opens_in_the_browser_and_runs_nothing(client: Client, olga: User) -> None:
    desk.load_sample_data()
    made = desk.report()
    response = client.get(reverse("document", args=[made.pk]))
    assert response.content == b"%PDF-1.4 a report"
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["Content-Disposition"] == 'inline; filename="DOC-0123456789ab.pdf"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    saved = client.get(reverse("document", args=[made.pk]), {"download": "1"})
    assert saved.headers["Content-Disposition"].startswith("attachment")


def test_a_document_of_an_unusual_kind_is_only_saved(client: Client, olga: User) -> None:
    desk.load_sample_data()
    made = desk.report(content_type="text/html")
    response = client.get(reverse("document", args=[made.pk]))
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith("attachment")


def test_a_document_needs_its_right(client: Client) -> None:
    desk.load_sample_data()
    made = desk.report()
    client.force_login(factories.person("watcher", may=["view_agentexecution"]))
    assert client.get(reverse("document", args=[made.pk])).status_code == 403
    assert client.get(reverse("document", args=["DOC-ffffffffffff"])).status_code == 403


def test_it_says_how_long_it_waited_for_people(client: Client, olga: User) -> None:
    one = factories.execution()
    events = (("launched", 0), ("running", 1), ("awaiting_review", 2), ("voted_approve", 60))
    events += (("pending", 62), ("running", 63), ("awaiting_review", 70), ("running", 130))
    rows = [
        AgentAudit(event=event, at=one.created_at + timedelta(seconds=s)) for event, s in events
    ]
    assert Story(execution=one, steps=[], transitions=rows).with_people_ms == 120_000
    assert Story(execution=one, steps=[], transitions=rows[:2]).with_people_ms == 0
    assert "not so far" in told(client, one)
