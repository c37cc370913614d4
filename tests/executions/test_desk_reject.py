"""Rejecting and cancelling through the page: usual reasons, and what becomes of the execution."""

from __future__ import annotations

import pytest
from django.db.models import F
from django.test import Client

from agentops.accounts.models import User
from executions.models import AgentReview
from tests import factories
from tests.executions import desk

pytestmark = pytest.mark.django_db


def logged_in(client: Client, name: str, *, may: tuple[str, ...] = ()) -> User:
    person = factories.person(name, may=["approve_*", *may])
    client.force_login(person)
    return person


@pytest.fixture
def rita(client: Client) -> User:
    """She decides on every tool, and may cancel."""
    return logged_in(client, "rita", may=("cancel_execution",))


def send(client: Client, review: AgentReview, verb: str, **fields: str) -> tuple[int, str]:
    form = {"seen_digest": review.input_digest, "decision": "reject", "reason": "", **fields}
    response = client.post(desk.url(review, verb), form, follow=True)
    return response.status_code, response.content.decode()


def second_review_of(review: AgentReview) -> AgentReview:
    """Another action of the same execution that waits, too."""
    one = review.execution
    token = F("lease_token") + 1
    factories.change(one, status="pending")
    factories.change(one, status="running", lease_owner=review.pk, lease_token=token)
    other = factories.gated(one)
    factories.change(one, status="awaiting_review", lease_owner=None)
    return other


@pytest.mark.parametrize(
    ("fields", "heard"),
    [
        ({"canned": "Wrong recipient"}, "Wrong recipient."),
        ({"reason": "Ana left."}, "Ana left."),
        ({"canned": "Wrong recipient", "reason": "Ana left."}, "Wrong recipient. Ana left."),
    ],
)
def test_the_agent_reads_the_usual_reason_then_ones_own_words(
    client: Client, rita: User, fields: dict[str, str], heard: str
) -> None:
    review = desk.proposed()
    assert send(client, review, "decide", **fields)[0] == 200
    assert factories.fresh(review.call).tool_output == {"by": "rita", "reason": heard}
    assert factories.fresh(review.execution).status == "pending"


def test_each_tool_offers_reasons_of_its_own(client: Client, rita: User) -> None:
    mail = client.get(desk.url(desk.proposed())).content.decode()
    record = desk.proposed("update_customer_record", desk.CHANGE)
    change = client.get(desk.url(record)).content.decode()
    assert 'value="Wrong recipient"' in mail
    assert 'value="Wrong recipient"' not in change
    assert 'value="Not confirmed by the customer"' in change


def test_a_rejection_that_stops_ends_the_execution_with_what_waits_in_it(
    client: Client, rita: User
) -> None:
    review = desk.proposed()
    other = second_review_of(review)
    page = client.get(desk.url(review)).content.decode()
    assert "1 other open review of it becomes void" in page
    status, page = send(client, review, "decide", canned="Not needed", then="stop")
    assert status == 200
    assert "Rejected, and the execution is stopped." in page
    one = factories.fresh(review.execution)
    assert (one.status, one.open_reviews, one.stop_reason) == ("cancelled", 0, "CANCELLED")
    told = "CANCELLED: rita rejected send_email and stopped the execution: Not needed."
    assert one.error == told
    assert (factories.fresh(review).status, factories.fresh(review.call).status) == (
        *("rejected", "rejected"),
    )
    assert (factories.fresh(other).status, factories.fresh(other.call).status) == (
        *("void", "cancelled"),
    )


def test_a_rejection_that_stops_what_runs_asks_its_runner_to(client: Client, rita: User) -> None:
    one = factories.running()
    review = factories.gated(one, tool_input=desk.LETTER)
    send(client, review, "decide", reason="no", then="stop")
    one.refresh_from_db()
    assert (one.status, one.cancel_requested_at is None) == ("running", False)
    assert factories.fresh(review.call).status == "rejected"


def test_who_may_not_cancel_reads_why_and_stops_nothing(client: Client) -> None:
    logged_in(client, "omar")
    review = desk.proposed()
    page = client.get(desk.url(review)).content.decode()
    assert 'value="stop" disabled' in page
    assert "executions.cancel_execution" in page
    assert desk.url(review, "cancel") not in page
    for verb, fields in (("decide", {"then": "stop", "reason": "x"}), ("cancel", {"reason": "x"})):
        status, page = send(client, review, verb, **fields)
        assert status == 403
        assert "omar may not cancel executions" in page
    assert not review.votes.exists()
    assert factories.fresh(review).status == "open"


def test_the_execution_is_cancelled_from_its_review(client: Client, rita: User) -> None:
    review = desk.proposed()
    other = second_review_of(review)
    assert "1 other open review of it goes with it" in client.get(desk.url(review)).content.decode()
    assert send(client, review, "cancel", reason=" ")[0] == 422
    assert factories.fresh(review).status == "open"
    status, page = send(client, review, "cancel", reason="The customer left.")
    assert status == 200
    assert "The execution is cancelled." in page
    assert "rita cancelled it: The customer left." in page
    one = factories.fresh(review.execution)
    assert (one.status, one.open_reviews) == ("cancelled", 0)
    assert [factories.fresh(x).status for x in (review, other)] == ["void", "void"]
    assert [factories.fresh(x.call).status for x in (review, other)] == ["cancelled", "cancelled"]


def test_a_cancel_sent_twice_is_told_as_done(client: Client, rita: User) -> None:
    review = desk.proposed()
    send(client, review, "cancel", reason="enough")
    status, page = send(client, review, "cancel", reason="enough")
    assert status == 200
    assert "You cancelled it already. It counts once." in page


@pytest.mark.parametrize("verb", ["cancel", "decide"])
def test_a_link_ends_nothing(client: Client, rita: User, verb: str) -> None:
    review = desk.proposed()
    fields = {"reason": "x", "decision": "reject", "then": "stop"}
    assert client.get(desk.url(review, verb), fields)["Location"] == desk.url(review)
    assert factories.fresh(review.execution).status == "awaiting_review"
