"""Asking through the page: what changes, what the next proposal's page shows of it."""

from __future__ import annotations

import pytest
from django.db.models import F
from django.test import Client

from agentops.accounts.models import User
from executions.models import AgentReview
from tests import factories
from tests.executions import desk

pytestmark = pytest.mark.django_db

QUESTION = "Which message gives <b>this</b> number?"


def send(client: Client, review: AgentReview, question: str) -> tuple[int, str]:
    form = {"question": question, "seen_digest": review.input_digest}
    response = client.post(desk.url(review, "ask"), form, follow=True)
    return response.status_code, response.content.decode()


def proposed_again(earlier: AgentReview, answer: str | None) -> AgentReview:
    """The agent heard, said so, and proposed the same call in its next step."""
    one = earlier.execution
    factories.change(
        one, status="running", lease_owner=earlier.pk, lease_token=F("lease_token") + 1
    )
    factories.change(one, step_count=F("step_count") + 1)
    desk.log_step(one, answer or "", response={"text": answer, "calls": [], "reasoning": []})
    return factories.gated(one, tool_input=desk.LETTER)


def test_a_question_ends_the_review_and_says_what_follows(client: Client, rita: User) -> None:
    review = desk.proposed()
    status, page = send(client, review, QUESTION)
    assert status == 200
    assert "The agent was asked. Nothing was done." in page
    assert factories.fresh(review.call).tool_output["question"] == QUESTION


def test_a_question_without_words_is_refused(client: Client, rita: User) -> None:
    review = desk.proposed()
    status, page = send(client, review, "   ")
    assert status == 422
    assert "Write what you want to know" in page
    assert factories.fresh(review).status == "open"


def test_a_question_sent_twice_counts_once(client: Client, rita: User) -> None:
    review = desk.proposed()
    send(client, review, QUESTION)
    status, page = send(client, review, QUESTION)
    assert status == 200
    assert "You asked about this already, just now. It counts once." in page


def test_a_question_to_a_decided_review_is_kept_in_the_answer(client: Client, rita: User) -> None:
    review = desk.proposed()
    omar = factories.reviewer("omar")
    factories.approve(review, omar)
    status, page = send(client, review, "What I wanted to know.")
    assert status == 409
    assert "omar approved this" in page
    assert "What I wanted to know." in page


def test_the_next_proposal_shows_the_question_and_the_answer_as_unverified(
    client: Client, rita: User
) -> None:
    review = desk.proposed()
    send(client, review, QUESTION)
    again = proposed_again(review, "M-2001 <i>gives</i> it.")
    page = client.get(desk.url(again)).content.decode()
    assert "You asked" in page
    assert "</a> asked about by rita" in page.split("Decided before in this execution")[1]
    assert "Which message gives &lt;b&gt;this&lt;/b&gt; number?" in page
    assert page.count("M-2001 &lt;i&gt;gives&lt;/i&gt; it.") == 1, "its answer is told once"
    client.force_login(factories.reviewer("omar"))
    assert "rita asked" in client.get(desk.url(again)).content.decode()


def test_an_agent_that_answered_nothing_is_shown_so(client: Client, rita: User) -> None:
    review = desk.proposed()
    send(client, review, QUESTION)
    page = client.get(desk.url(proposed_again(review, None))).content.decode()
    assert "Nothing in words; it went on." in page


def test_another_tools_question_is_not_shown(client: Client, rita: User) -> None:
    review = desk.proposed("update_customer_record", desk.CHANGE)
    send(client, review, QUESTION)
    page = client.get(desk.url(proposed_again(review, "x"))).content.decode()
    assert "You asked" not in page


def test_a_question_by_get_asks_nothing(client: Client, rita: User) -> None:
    review = desk.proposed()
    looked = client.get(desk.url(review, "ask"), {"question": QUESTION})
    assert looked["Location"] == desk.url(review)
    assert factories.fresh(review).status == "open"
