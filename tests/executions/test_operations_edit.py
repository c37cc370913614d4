"""Edit: other arguments go before people as a new version, and the old votes do not count."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db.models.functions import Now

from agentops.accounts.models import User
from executions.models import AgentReview
from executions.operations import decide, edit
from executions.operations.refusals import (
    AlreadyDecided,
    EditRefused,
    NotFound,
    NotPermitted,
    Refusal,
    ReviewClosed,
    Stale,
)
from executions.pages.sentences import event
from tests import factories
from tests.executions import desk

pytestmark = pytest.mark.django_db

EDITED = {**desk.LETTER, "subject": "Your yearly report"}


@pytest.fixture
def rita() -> User:
    return factories.reviewer("rita")


@pytest.fixture(autouse=True)
def _sample_data() -> None:
    desk.load_sample_data()


def edited(review: AgentReview, person: User, arguments: Any = EDITED, **changes: Any) -> Any:
    given = {"seen_digest": review.input_digest, **changes}
    return edit(review_id=review.pk, person=person, arguments=arguments, **given)


def test_an_edit_puts_a_new_version_before_people(rita: User) -> None:
    review = desk.proposed()
    newer = edited(review, rita, reason="It is the yearly one.")
    assert (newer.version, newer.status, newer.edited_by) == (2, "open", rita)
    assert newer.reason == "rita edited the arguments: It is the yearly one."
    assert newer.edited_input == EDITED
    assert factories.fresh(review).status == "void"
    call = factories.fresh(review.call)
    assert (call.tool_input, call.proposed_input) == (EDITED, desk.LETTER)
    assert (call.status, call.review_id, call.input_digest) == (
        "awaiting_review", newer.pk, newer.input_digest,
    )  # fmt: skip
    assert factories.fresh(review.execution).open_reviews == 1
    events = review.execution.audit.order_by("seq").values_list("event", "actor_id")
    assert list(events)[-2:] == [("review_void", rita.pk), ("review_open", rita.pk)]


def test_the_trail_names_who_edited_and_who_approved_each_for_their_own(rita: User) -> None:
    newer, omar = edited(desk.proposed(), rita), factories.reviewer("omar")
    decide(review_id=newer.pk, person=omar, approve=True, seen_digest=newer.input_digest)
    told = [(row.actor, event(row)) for row in newer.execution.audit.order_by("seq")]
    assert told[-5:-1] == [
        (rita, "the review became void: send_email"),
        (rita, "edited the arguments, in a new version: send_email"),
        (omar, "voted to approve: send_email"),
        (omar, "the review was approved: send_email"),
    ]


def test_the_editor_does_not_approve_and_somebody_else_does(rita: User) -> None:
    newer = edited(desk.proposed(), rita)
    seen = newer.input_digest
    with pytest.raises(NotPermitted, match="You edited these arguments"):
        decide(review_id=newer.pk, person=rita, approve=True, seen_digest=seen)
    omar = factories.reviewer("omar")
    assert decide(review_id=newer.pk, person=omar, approve=True, seen_digest=seen).resumed


def test_earlier_votes_are_void(rita: User) -> None:
    review = desk.proposed(votes=2)
    seen = review.input_digest
    omar, dora = factories.reviewer("omar"), factories.reviewer("dora")
    decide(review_id=review.pk, person=omar, approve=True, seen_digest=seen)
    newer = edited(review, rita)
    first = decide(review_id=newer.pk, person=dora, approve=True, seen_digest=newer.input_digest)
    assert (newer.required_votes, first.votes_missing) == (2, 1)


def test_the_arguments_keep_their_types_and_pass_the_tools_own_check(rita: User) -> None:
    review = desk.proposed("update_customer_record", desk.CHANGE)
    with pytest.raises(EditRefused, match="phone"):
        edited(review, rita, {**desk.CHANGE, "changes": {"phone": 5}})
    with pytest.raises(EditRefused, match="says all of this already"):
        edited(review, rita, {**desk.CHANGE, "changes": {"country": "CZ"}})
    change = {**desk.CHANGE, "changes": {"politically_exposed": True}}
    newer = edited(review, rita, change)
    assert (review.risk, newer.risk) == ("medium", "high")
    call = factories.fresh(review.call)
    assert call.tool_input["changes"]["politically_exposed"] is True
    assert newer.target_version == call.target_version == "1"
    with pytest.raises(EditRefused, match="own addresses only"):
        edited(desk.proposed(), rita, {**desk.LETTER, "to": ["x@elsewhere.example"]})


def test_it_refuses_in_words(rita: User) -> None:
    review = desk.proposed()
    with pytest.raises(EditRefused, match="changes nothing"):
        edited(review, rita, desk.LETTER)
    with pytest.raises(Stale, match="not those you were shown"):
        edited(review, rita, seen_digest="0" * 64)
    with pytest.raises(NotPermitted, match="sam may not decide"):
        edited(review, factories.person("sam"))
    with pytest.raises(NotFound, match="no review"):
        edit(review_id=uuid4(), person=rita, arguments=EDITED, seen_digest="")
    with pytest.raises(Refusal, match="keeps its arguments"):
        edited(desk.in_doubt(factories.reviewer("omar")), rita)
    assert factories.fresh(review).status == "open"


def test_it_refuses_what_is_over(rita: User) -> None:
    late = desk.proposed()
    factories.change(late, expires_at=Now())
    with pytest.raises(ReviewClosed, match="expired"):
        edited(late, rita)
    done = desk.proposed()
    omar = factories.reviewer("omar")
    decide(review_id=done.pk, person=omar, approve=True, seen_digest=done.input_digest)
    with pytest.raises(AlreadyDecided, match="omar approved this at"):
        edited(done, rita)
    first = desk.proposed()
    edited(first, rita)
    with pytest.raises(ReviewClosed, match="replaced by a newer one"):
        edited(first, omar, {**EDITED, "subject": "Another"})
