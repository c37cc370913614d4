"""Deciding through the page: what changes, what is refused, what one sees afterwards."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db.models.functions import Now
from django.test import Client

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentReview, AgentReviewVote
from tests import factories
from tests.executions import desk

pytestmark = pytest.mark.django_db


def page_of(client: Client, review: AgentReview, query: str = "") -> str:
    return str(client.get(desk.url(review) + query).content.decode())


def send(client: Client, review: AgentReview, decision: str, reason: str = "") -> tuple[int, str]:
    response = client.post(desk.url(review, "decide"), desk.form(review, decision, reason))
    return response.status_code, response.content.decode()


def test_an_approval_lets_the_call_run(client: Client, rita: User) -> None:
    review = desk.proposed()
    response = client.post(desk.url(review, "decide"), desk.form(review, "approve", "checked"))
    assert response.status_code == 302
    assert response.headers["Location"] == desk.url(review)
    review.refresh_from_db()
    assert review.status == "approved"
    assert factories.fresh(review.call).status == "approved"
    assert factories.fresh(review.execution).status == "pending"
    assert [(one.voter, one.vote, one.reason) for one in review.votes.all()] == [
        (rita, "approve", "checked")
    ]


def test_a_rejection_tells_the_agent_why(client: Client, rita: User) -> None:
    review = desk.proposed()
    assert send(client, review, "reject", "Wrong recipient.")[0] == 302
    call = factories.fresh(review.call)
    assert call.status == "rejected"
    assert call.tool_output == {"by": "rita", "reason": "Wrong recipient."}
    assert "Rejected. Nothing was done." in page_of(client, review)


def test_a_rejection_without_a_reason_is_refused(client: Client, rita: User) -> None:
    review = desk.proposed()
    status, page = send(client, review, "reject", "   ")
    assert status == 422
    assert "Say why" in page
    assert factories.fresh(review).status == "open"


def test_nothing_is_taken_that_was_decided_on_other_arguments(client: Client, rita: User) -> None:
    review = desk.proposed()
    form = {**desk.form(review, "reject", "I typed all of this"), "seen_digest": "0" * 64}
    response = client.post(desk.url(review, "decide"), form)
    assert response.status_code == 409
    page = response.content.decode()
    assert "The arguments are not those you were shown" in page
    assert page.count("I typed all of this") >= 2
    assert not AgentReviewVote.objects.exists()


@pytest.mark.parametrize("broken", [{"decision": "maybe"}, {"seen_digest": "x"}, {"decision": ""}])
def test_a_form_that_makes_no_sense_changes_nothing(
    client: Client, rita: User, broken: dict[str, str]
) -> None:
    review = desk.proposed()
    form = {**desk.form(review, "approve"), **broken}
    assert client.post(desk.url(review, "decide"), form).status_code == 422
    assert factories.fresh(review).status == "open"


def test_who_comes_second_reads_who_was_faster_and_keeps_the_words(
    client: Client, rita: User
) -> None:
    review = desk.proposed()
    operations.decide(
        review_id=review.pk,
        person=factories.reviewer("omar"),
        approve=True,
        seen_digest=review.input_digest,
    )
    status, page = send(client, review, "reject", "My long reason.")
    assert status == 409
    assert "omar approved this" in page
    assert "just now" in page
    assert "Nothing of it was done yet; it starts as soon as a runner takes it up." in page
    assert "You had written:" in page
    assert "My long reason." in page


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_a_double_click_votes_once_and_shows_no_error(
    client: Client, rita: User, decision: str
) -> None:
    review = desk.proposed(votes=2)
    assert send(client, review, decision, "once")[0] == 302
    status, page = send(client, review, decision, "once")
    assert status == 200
    assert "already, just now. It counts once." in page
    assert review.votes.count() == 1


def test_changing_ones_mind_after_the_vote_is_refused(client: Client, rita: User) -> None:
    review = desk.proposed(votes=2)
    send(client, review, "approve")
    status, page = send(client, review, "reject", "no, wait")
    assert status == 409
    assert "You approved this" in page
    assert "Withdraw your vote below to decide anew" in page
    assert review.votes.count() == 1


def test_the_first_of_two_withdraws_their_vote_and_decides_anew(client: Client, rita: User) -> None:
    """Without JavaScript: by the form that the page has. Once more is the same."""
    review = desk.proposed("submit_to_regulator", desk.FILING, votes=2)
    send(client, review, "approve")
    assert f'action="{desk.url(review, "withdraw")}"' in page_of(client, review)
    for _ in range(2):
        response = client.post(desk.url(review, "withdraw"))
        assert (response.status_code, response["Location"]) == (302, desk.url(review))
    page = page_of(client, review)
    assert "Your vote is withdrawn and counts no more." in page
    assert "0 of 2 votes" in page
    assert ">Withdraw my vote<" not in page
    assert "<b>Withdrawn</b>" in page.split("What was decided on it")[1]
    assert send(client, review, "reject", "the wrong year")[0] == 302
    assert factories.fresh(review).status == "rejected"


def test_the_first_of_two_votes_says_that_one_is_missing(client: Client, rita: User) -> None:
    review = desk.proposed("submit_to_regulator", desk.FILING, votes=2)
    send(client, review, "approve")
    assert "Your vote counts: 1 of 2." in page_of(client, review)
    assert factories.fresh(review.call).status == "awaiting_review"
    client.force_login(factories.reviewer("omar"))
    assert "Vote 2 of 2." in page_of(client, review)
    send(client, review, "approve")
    assert factories.fresh(review.call).status == "approved"


def test_whoever_launched_it_cannot_approve_even_by_hand(client: Client, rita: User) -> None:
    review = desk.proposed(launched_by=rita)
    status, page = send(client, review, "approve")
    assert status == 403
    assert "You launched this execution" in page
    assert send(client, review, "reject", "my mistake")[0] == 302


def test_without_the_right_nothing_is_decided(client: Client) -> None:
    client.force_login(factories.person("mail_only", may=["approve_send_email"]))
    review = desk.proposed("update_customer_record", desk.CHANGE)
    assert send(client, review, "approve")[0] == 403
    assert factories.fresh(review).status == "open"


def test_a_superuser_needs_no_right_but_is_bound_by_the_rest(client: Client) -> None:
    admin = factories.person("admin", is_superuser=True)
    client.force_login(admin)
    assert send(client, desk.proposed(launched_by=admin), "approve")[0] == 403
    assert send(client, desk.proposed(), "approve")[0] == 302


def test_an_expired_review_is_refused_in_words(client: Client, rita: User) -> None:
    review = desk.proposed()
    factories.change(review, expires_at=Now())
    status, page = send(client, review, "approve")
    assert status == 409
    assert "expired" in page


def test_deciding_needs_a_form_of_this_login(rita: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(rita)
    review = desk.proposed()
    response = strict.post(desk.url(review, "decide"), desk.form(review, "approve"))
    assert response.status_code == 403
    assert "does not belong to your present login" in response.content.decode()
    assert factories.fresh(review).status == "open"


@pytest.mark.parametrize("verb", ["decide", "settle"])
def test_a_link_decides_nothing(client: Client, rita: User, verb: str) -> None:
    review = desk.proposed()
    response = client.get(desk.url(review, verb), desk.form(review, "approve"))
    assert (response.status_code, response["Location"]) == (302, desk.url(review))
    assert factories.fresh(review).status == "open"


def test_the_address_of_a_form_that_lacked_something_leads_back_to_the_review(
    client: Client, rita: User
) -> None:
    """Enter in the address bar, or a colleague who was sent it; the list comes along."""
    review = desk.proposed()
    lacking = desk.url(review, "decide") + "?from=risk%3Dhigh"
    assert client.post(lacking, desk.form(review, "reject")).status_code == 422
    response = client.get(lacking)
    assert response["Location"] == desk.url(review) + "?from=risk%3Dhigh"
    assert client.options(lacking).status_code == 405


def test_there_is_nothing_to_decide_on_a_review_that_does_not_exist(
    client: Client, rita: User
) -> None:
    form = {"decision": "approve", "seen_digest": "0" * 64}
    assert client.post(f"/reviews/{uuid4()}/decide/", form).status_code == 404


def test_afterwards_the_page_follows_the_call_until_it_is_over(client: Client, rita: User) -> None:
    review = desk.proposed()
    send(client, review, "approve")
    waiting = client.get(desk.url(review))
    assert "It runs as soon as a runner takes it up." in waiting.content.decode()
    again = f'<meta http-equiv="refresh" content="2; url={desk.url(review)}">'
    assert again in waiting.content.decode()
    assert 'http-equiv="refresh"' not in page_of(client, review, "?still")

    one = factories.fresh(review.execution)
    factories.change(one, status="running", lease_owner=uuid4(), lease_token=one.lease_token + 1)
    call = factories.start(factories.fresh(review.call))
    assert "Approved; it is running now." in page_of(client, review)

    factories.change(call, status="succeeded", tool_output={"accepted": ["ana"]}, finished_at=Now())
    done = client.get(desk.url(review))
    assert "Approved, and done." in done.content.decode()
    assert "accepted" in done.content.decode()
    assert 'http-equiv="refresh"' not in done.content.decode()


def test_a_call_that_failed_after_all_shows_its_error(client: Client, rita: User) -> None:
    review = desk.proposed()
    send(client, review, "approve")
    factories.change(review.call, status="failed", error="The record is not there any more.")
    page = page_of(client, review)
    assert "Approved, but it failed." in page
    assert "The record is not there any more." in page


def test_after_a_decision_the_next_review_is_offered(client: Client, rita: User) -> None:
    first, second = desk.proposed(), desk.proposed()
    send(client, first, "approve")
    assert desk.url(second) in page_of(client, first)
