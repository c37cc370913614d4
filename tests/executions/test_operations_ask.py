"""Ask: a question to the agent takes the place of a decision, and nothing of the call happens."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models.functions import Now
from django_q.models import OrmQ

from agentops.accounts.models import User
from executions.models import AgentReview
from executions.operations import Refusal, ask, decide
from executions.operations.refusals import (
    AlreadyDecided,
    NotPermitted,
    ReasonMissing,
    ReviewClosed,
    Stale,
)
from executions.operations.voting import Decided
from tests import factories

pytestmark = pytest.mark.django_db

QUESTION = "Is this her new address?"


@pytest.fixture
def rita() -> User:
    return factories.reviewer("rita")


@pytest.fixture
def review() -> AgentReview:
    return factories.waiting().reviews.get()


def asked(review: AgentReview, person: User, **changes: Any) -> Decided:
    given = {"seen_digest": review.input_digest, "question": QUESTION, **changes}
    return ask(review_id=review.pk, person=person, **given)


def test_the_question_is_the_calls_answer_and_the_execution_goes_on(
    review: AgentReview, rita: User
) -> None:
    done = asked(review, rita, question=" Is this\0 her new address? ")
    assert (done.status, done.votes_missing, done.resumed) == ("rejected", 0, True)
    call, execution = factories.fresh(review.call), factories.fresh(review.execution)
    assert (call.status, call.started_at) == ("rejected", None)
    assert call.tool_output == {"by": "rita", "question": "Is this\ufffd her new address?"}
    assert (execution.status, execution.open_reviews) == ("pending", 0)
    assert OrmQ.objects.filter(key="agents").count() == 1
    assert [(one.vote, one.voter) for one in review.votes.all()] == [("ask", rita)]
    events = execution.audit.order_by("seq").values_list("event", flat=True)
    assert list(events)[-3:] == ["voted_ask", "review_rejected", "pending"]


def test_one_question_outweighs_an_approval(rita: User) -> None:
    review = factories.waiting(votes=2).reviews.get()
    decide(review_id=review.pk, person=rita, approve=True, seen_digest=review.input_digest)
    asked(review, factories.reviewer("omar"))
    assert factories.fresh(review.call).status == "rejected"


def test_who_launched_it_may_ask(review: AgentReview) -> None:
    launcher = factories.reviewer("olga")
    mine = factories.waiting(launched_by=launcher).reviews.get()
    assert asked(mine, launcher).status == "rejected"


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"question": "  "}, ReasonMissing),
        ({"seen_digest": "0" * 64}, Stale),
    ],
)
def test_it_refuses_an_empty_or_a_stale_question(
    review: AgentReview, rita: User, changes: dict[str, str], refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        asked(review, rita, **changes)
    assert factories.fresh(review).status == "open"


def test_it_refuses_who_may_not_decide(review: AgentReview) -> None:
    with pytest.raises(NotPermitted, match=r"ask for executions\.approve_send_email"):
        asked(review, factories.person("nora"))


def test_it_refuses_what_is_decided_or_expired(review: AgentReview, rita: User) -> None:
    asked(review, rita)
    with pytest.raises(AlreadyDecided, match="rita asked the agent about this at"):
        asked(review, factories.reviewer("omar"))
    late = factories.waiting().reviews.get()
    factories.change(late, expires_at=Now())
    with pytest.raises(ReviewClosed):
        asked(late, rita)


def test_nobody_is_asked_about_a_doubt(rita: User) -> None:
    started = factories.running()
    call = factories.approve(factories.gated(started), factories.reviewer("omar"))
    doubt = factories.doubt(factories.start(call))
    with pytest.raises(Refusal, match="knows no more of it"):
        asked(doubt, rita)
