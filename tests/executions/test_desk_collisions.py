"""Who comes too late reads what happened, by whom, when, whether anything was done, what to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.test import Client

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentReview
from tests import factories
from tests.executions import desk

pytestmark = pytest.mark.django_db

TYPED = "What I had thought about it."


@pytest.fixture
def rita(client: Client) -> User:
    person = factories.person("rita", may=["approve_*", "cancel_execution"])
    client.force_login(person)
    return person


@pytest.fixture
def omar() -> User:
    return factories.person("omar", may=["approve_*", "cancel_execution"], first_name="Omar")


def answer(client: Client, review: AgentReview, verb: str = "decide") -> tuple[int, str]:
    """What a page from before is answered with."""
    forms = {
        "decide": desk.form(review, "reject", TYPED),
        "ask": {"question": TYPED, "seen_digest": review.input_digest},
        "cancel": {"reason": TYPED},
    }
    response = client.post(desk.url(review, verb), forms[verb])
    page = response.content.decode()
    return response.status_code, page.split('role="alert"')[-1].split("</section>")[0]


def rejected(review: AgentReview, by: User) -> None:
    operations.decide(
        review_id=review.pk, person=by, approve=False, reason="Ana left.",
        seen_digest=review.input_digest,
    )  # fmt: skip


def approved(review: AgentReview, by: User) -> None:
    operations.decide(review_id=review.pk, person=by, approve=True, seen_digest=review.input_digest)


def asked(review: AgentReview, by: User) -> None:
    operations.ask(review_id=review.pk, person=by, question="Why?", seen_digest=review.input_digest)


def cancelled(review: AgentReview, by: User) -> None:
    operations.cancel(execution_id=review.execution_id, person=by, reason="The customer left.")


def expired(review: AgentReview, by: User) -> None:
    factories.change(review, expires_at=Now() - timedelta(minutes=3))


Rival = Callable[[AgentReview, User], None]
STILL = "Nothing of it was done."
RIVALS: list[tuple[Rival, list[str]]] = [
    (rejected, ["Omar rejected this", "just now", "Ana left.", STILL, "it proposes it anew"]),
    (
        approved,
        [
            *("Omar approved this", "just now", "Nothing of it was done yet; it starts"),
            "cancelling the execution keeps it from happening",
        ],
    ),
    (asked, ["Omar asked the agent about this", "Why?", STILL, "it proposes it anew"]),
    (cancelled, ["The execution was cancelled", "omar cancelled it: The customer left.", STILL]),
    (expired, ["This expired before enough people decided", "3 min ago", STILL]),
]


@pytest.mark.parametrize(("rival", "words"), RIVALS, ids=[one.__name__ for one, _ in RIVALS])
def test_it_is_told_in_words_with_what_one_had_typed(
    client: Client, rita: User, omar: User, rival: Rival, words: list[str]
) -> None:
    review = desk.proposed()
    rival(review, omar)
    status, told = answer(client, review, "ask" if rival is rejected else "decide")
    assert status == 409
    for one in [*words, "Your decision was not taken", TYPED, 'tabindex="0"']:
        assert one in told, one
    assert not review.votes.filter(voter=rita).exists()


def test_a_window_that_is_open_says_who_can_take_it_back(
    client: Client, rita: User, omar: User
) -> None:
    review = desk.proposed()
    factories.change(review, effective_at=Now() + timedelta(minutes=5))
    factories.approve(review, omar)
    factories.change(review.execution, status="pending")
    told = answer(client, review)[1]
    assert "Nothing of it was done yet; it starts in" in told
    assert "Whoever approved it can take it back until then" in told


def test_what_was_done_meanwhile_is_told_in_the_tools_words(
    client: Client, rita: User, omar: User
) -> None:
    review = desk.proposed()
    call = factories.approve(review, omar)
    one = review.execution
    factories.change(one, status="pending")
    token = one.lease_token + 1
    factories.change(one, status="running", lease_owner=review.pk, lease_token=token)
    factories.start(call)
    assert "It is being done right now." in answer(client, review)[1]
    output = {"message_id": "<k>", "accepted": ["ana@example.org"], "refused": []}
    factories.change(call, status="succeeded", tool_output=output, finished_at=Now())
    told = answer(client, review)[1]
    assert "It was done. Sent to ana@example.org. Message id &lt;k&gt;." in told


def test_a_cancel_of_what_has_ended_says_how_it_ended(
    client: Client, rita: User, omar: User
) -> None:
    review = desk.proposed()
    cancelled(review, omar)
    status, told = answer(client, review, "cancel")
    assert status == 409
    assert "omar cancelled it: The customer left." in told
    assert TYPED in told


def test_a_right_taken_away_names_who_can_decide_and_keeps_the_words(
    client: Client, rita: User, omar: User
) -> None:
    review = desk.proposed()
    rita.user_permissions.clear()
    response = client.post(
        desk.url(review, "decide"), desk.form(review, "reject", TYPED),
        headers={"origin": "http://testserver"},
    )  # fmt: skip
    page = response.content.decode()
    assert response.status_code == 403
    assert "Ask for executions.approve_send_email." in page
    assert "Nothing was done by what you sent." in page
    assert "Who can: Omar." in page
    assert TYPED in page


def test_who_launched_it_reads_who_can_approve(client: Client, rita: User, omar: User) -> None:
    review = desk.proposed(launched_by=rita)
    shown = client.get(desk.url(review)).content.decode()
    assert "You may reject. Who can: Omar." in shown
    response = client.post(desk.url(review, "decide"), desk.form(review, "approve", TYPED))
    page = response.content.decode()
    assert response.status_code == 403
    assert "You launched this execution" in page
    assert "Who can: Omar." in page
