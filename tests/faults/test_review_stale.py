"""What the browser is told when a decision is sent twice, late, or on what is no longer there."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentReview, AgentReviewVote
from executions.operations.editing import checked
from tests import factories
from tests.executions import desk
from tests.support.browsing import Browser

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _sample_data() -> None:
    desk.load_sample_data()


@pytest.fixture
def rita() -> User:
    return factories.reviewer("rita")


@pytest.fixture
def omar() -> User:
    return factories.person("omar", may=["approve_*"], first_name="Omar")


def test_a_form_sent_again_is_told_that_it_counts_once(rita: User) -> None:
    """R1: double click, resend, back and resubmit: one vote, and the same page, no error."""
    for decision in ("approve", "reject"):
        review = desk.proposed()
        browser = Browser(rita)
        browser.load(desk.url(review))
        form = desk.form(review, decision, "because")
        assert browser.send(desk.url(review, "decide"), form)[0] == 302
        moved = AgentReviewVote.objects.filter(review=review)
        for _ in range(3):
            status, page = browser.send(desk.url(review, "decide"), form)
            assert status == 200
            verb = "approved" if decision == "approve" else "rejected"
            assert f"You {verb} this already, just now. It counts once." in page
        assert moved.count() == 1


def test_what_somebody_else_decided_is_told_with_who_what_and_when(rita: User, omar: User) -> None:
    """R1: another's decision is 409 and says who, what and when; the words typed stay."""
    review = desk.proposed()
    browser = Browser(rita)
    browser.load(desk.url(review))
    operations.decide(
        review_id=review.pk, person=omar, approve=True, seen_digest=review.input_digest
    )
    at = timezone.localtime(review.votes.get().created_at)
    form = desk.form(review, "reject", "I took a while.")
    status, page = browser.send(desk.url(review, "decide"), form)
    assert status == 409
    assert "Omar approved this" in page
    assert f'datetime="{at.isoformat()}"' in page
    assert "I took a while." in page


def edited_meanwhile(review: AgentReview, by: User) -> AgentReview:
    return operations.edit(
        review_id=review.pk,
        person=by,
        arguments={**desk.LETTER, "body": "Something else altogether."},
        seen_digest=review.input_digest,
        reason="Shorter.",
    )


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_a_page_from_before_an_edit_is_answered_with_the_difference(
    rita: User, omar: User, decision: str
) -> None:
    """R5: 409, what changed by whom, and the form of the version that counts now."""
    review = desk.proposed()
    browser = Browser(rita)
    browser.load(desk.url(review))
    newer = edited_meanwhile(review, omar)
    form = desk.form(review, decision, "my words")
    status, page = browser.send(desk.url(review, "decide"), form)
    assert status == 409
    assert "What changed since your page was loaded" in page
    assert "omar edited the arguments: Shorter." in page
    assert "<del>" in page
    assert "altogether" in page
    assert "my words" in page
    assert f'value="{newer.input_digest}"' in page
    assert f'value="{review.input_digest}"' not in page
    assert not AgentReviewVote.objects.exists()
    again = desk.form(newer, decision, "my words")
    assert browser.send(desk.url(newer, "decide"), again)[0] == 302


def test_a_page_from_before_a_renewal_says_that_the_target_changed(rita: User) -> None:
    """R5: the same arguments, asked anew for another reason: 409, and that reason."""
    review = desk.proposed("update_customer_record", desk.CHANGE)
    browser = Browser(rita)
    browser.load(desk.url(review))
    factories.change(review, status="void")
    newer = AgentReview.objects.create(
        call=review.call, execution=review.execution, tool_name=review.tool_name, version=2,
        input_digest=review.input_digest, reason="The record changed; look again.",
    )  # fmt: skip
    factories.change(review.call, review_id=newer.pk)
    form = desk.form(review, "approve")
    status, page = browser.send(desk.url(review, "decide"), form)
    assert status == 409
    assert "The arguments are the same." in page
    assert "The record changed; look again." in page
    assert not newer.votes.exists()


def test_an_edit_of_an_edited_version_is_not_taken_but_kept(rita: User, omar: User) -> None:
    """R5: two edit at once: the second is told what the first changed, and keeps the own text."""
    review = desk.proposed()
    browser = Browser(rita)
    browser.load(desk.url(review, "edit"))
    edited_meanwhile(review, omar)
    fields = {
        "step": "check",
        "seen_digest": review.input_digest,
        "arg.to": desk.LETTER["to"][0],
        "arg.subject": "Mine",
        "arg.body": "My own body.",
        "arg.attach_document_ids": "",
    }
    for sent in (fields, {**fields, "step": "confirm", "arguments": '{"body": "My own body."}'}):
        status, page = browser.send(desk.url(review, "edit"), sent)
        assert status == 409
        assert "Your edit, which was not taken" in page
        assert "My own body." in page
        assert "altogether" in page
    assert review.call.reviews.count() == 2


def test_an_edit_sent_twice_makes_one_version(rita: User) -> None:
    """R1, R5: the second half of a double click leads to the version the first one made."""
    review = desk.proposed()
    browser = Browser(rita)
    browser.load(desk.url(review, "edit"))
    edit = checked(tool_name="send_email", arguments={**desk.LETTER, "subject": "New"})
    fields = {
        "step": "confirm",
        "seen_digest": review.input_digest,
        "arguments": json.dumps(edit.arguments),
    }
    assert browser.send(desk.url(review, "edit"), fields)[0] == 302
    assert browser.send(desk.url(review, "edit"), fields)[0] == 302
    assert review.call.reviews.count() == 2


def test_a_first_decision_is_final(rita: User, omar: User) -> None:
    """R4: reject then approve, approve then reject: refused, by the same and by another."""
    for first, second in (("reject", "approve"), ("approve", "reject")):
        review = desk.proposed()
        mine, others = Browser(rita), Browser(omar)
        for browser in (mine, others):
            browser.load(desk.url(review))
        place = desk.url(review, "decide")
        assert mine.send(place, desk.form(review, first, "first"))[0] == 302
        for browser, who in ((mine, "You"), (others, "rita")):
            status, page = browser.send(place, desk.form(review, second, "second"))
            assert status == 409
            assert f"{who} {'rejected' if first == 'reject' else 'approved'} this" in page
        assert review.votes.get().vote == first


@pytest.mark.parametrize("loses", ["the right", "the account"])
def test_a_right_lost_while_the_page_was_open_decides_nothing(rita: User, loses: str) -> None:
    """R9: between GET and POST: refused in words, and nothing of it is stored."""
    review = desk.proposed()
    browser = Browser(rita)
    assert "Send this e-mail" in browser.load(desk.url(review))
    if loses == "the right":
        rita.user_permissions.clear()
    else:
        User.objects.filter(pk=rita.pk).update(is_active=False)
    fields = desk.form(review, "approve", "as agreed")
    status, page = browser.send(desk.url(review, "decide"), fields)
    if loses == "the right":
        assert status == 403
        assert "You may not decide on send_email. Ask for executions.approve_send_email" in page
    else:
        assert status == 401
        assert "You are not logged in any more, so nothing was done." in page
    assert not AgentReviewVote.objects.exists()
    assert factories.fresh(review).status == "open"


def test_who_may_not_any_more_cannot_take_back_or_edit_either(rita: User) -> None:
    """R9: the other two buttons ask for the same right, at the moment they are pressed."""
    review = desk.proposed()
    factories.vote(review, rita)
    effective = Now() + timedelta(seconds=30)
    AgentReview.objects.filter(pk=review.pk).update(effective_at=effective, status="approved")
    factories.change(review.call, status="approved")
    factories.change(review.execution, open_reviews=F("open_reviews") - 1)
    browser = Browser(rita)
    assert "Take it back" in browser.load(desk.url(review))
    rita.user_permissions.clear()
    for verb in ("withdraw", "edit"):
        assert browser.send(desk.url(review, verb), {"step": "check"})[0] == 403
    assert factories.fresh(review).status == "approved"


def test_there_is_nothing_to_edit_in_a_review_that_does_not_exist(rita: User) -> None:
    browser = Browser(rita)
    assert browser.client.get(f"/reviews/{uuid4()}/edit/").status_code == 404
