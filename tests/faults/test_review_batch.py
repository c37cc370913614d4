"""Several alike reviews approved together: a result for each, never all or unknown."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentReview
from executions.operations.refusals import Refusal
from tests import factories
from tests.executions import desk
from tests.support.browsing import Browser

pytestmark = pytest.mark.django_db

TOGETHER = reverse("reviews-together", args=["send_email"])


@pytest.fixture
def rita() -> User:
    desk.load_sample_data()
    return factories.reviewer("rita")


def alike(count: int, **columns: object) -> list[AgentReview]:
    """Letters of low risk that wait for one person each."""
    made = []
    for number in range(count):
        letter = {**desk.LETTER, "subject": f"Letter {number + 1:02}"}
        made.append(desk.proposed(arguments=letter, risk="low", **columns))
    return made


def ticked(*reviews: AgentReview) -> dict[str, object]:
    return {"seen": [f"{one.pk}:{one.input_digest}" for one in reviews]}


def test_of_fifty_three_went_stale_and_each_is_told(rita: User) -> None:
    """R11: 47 done, 3 listed, each with why; nothing is all or unknown."""
    reviews = alike(50)
    browser = Browser(rita)
    page = browser.load(TOGETHER)
    assert page.count('name="seen"') == 50
    assert all(f"Letter {number + 1:02}" in page for number in range(50))
    omar = factories.reviewer("omar")
    edited, decided, expired = reviews[5], reviews[17], reviews[42]
    operations.edit(
        review_id=edited.pk, person=omar, seen_digest=edited.input_digest,
        arguments={**desk.LETTER, "subject": "Quite another"},
    )  # fmt: skip
    operations.decide(
        review_id=decided.pk, person=omar, approve=False, seen_digest=decided.input_digest,
        reason="no",
    )  # fmt: skip
    factories.change(expired, expires_at=Now())
    status, page = browser.send(TOGETHER, ticked(*reviews))
    assert status == 200
    assert "<h1>47 approved, 3 not</h1>" in page
    assert page.count("chip good") == 47
    assert page.count("chip warn") == 3
    for told in ("replaced by a newer one", "omar rejected this at", "This review expired at"):
        assert told in page
    votes = AgentReview.objects.filter(votes__voter=rita, status="approved")
    assert votes.count() == 47
    assert {factories.fresh(one.call).status for one in (edited, expired)} == {"awaiting_review"}


def test_sent_twice_each_counts_once(rita: User) -> None:
    """R1, R11: the second half of a double click is told the same, and votes for nothing."""
    reviews = alike(3)
    browser = Browser(rita)
    browser.load(TOGETHER)
    for _ in range(2):
        status, page = browser.send(TOGETHER, ticked(*reviews))
        assert (status, "<h1>3 approved</h1>" in page) == (200, True)
    assert "Approved by you already; it counts once." in page
    assert [one.votes.count() for one in reviews] == [1, 1, 1]


def test_what_may_not_go_together_is_left_alone(rita: User) -> None:
    """R11: same tool, low risk, a single vote; nothing launched or edited by oneself."""
    good = alike(2)
    others = [
        desk.proposed(),
        *alike(1, votes=2),
        *alike(1, launched_by=rita),
        desk.proposed("update_customer_record", desk.CHANGE, risk="low"),
        desk.in_doubt(factories.reviewer("omar")),
    ]
    browser = Browser(rita)
    page = browser.load(TOGETHER)
    assert page.count('name="seen"') == 2
    page = browser.send(TOGETHER, ticked(*good, *others))[1]
    assert "<h1>2 approved, 5 not</h1>" in page
    assert page.count("Only calls of one tool, of low risk and with a single vote") == 4
    assert "You launched this execution" in page
    assert not any(one.votes.filter(voter=rita).exists() for one in others)


def test_nonsense_and_too_much_approve_nothing(rita: User) -> None:
    """R11: refused as a whole before anything is done."""
    reviews = alike(2)
    browser = Browser(rita)
    browser.load(TOGETHER)
    unknown = {"seen": [f"{uuid4()}:{'0' * 64}"]}
    assert "There is no such review." in browser.send(TOGETHER, unknown)[1]
    assert browser.send(TOGETHER, {"seen": "nonsense"})[0] == 422
    many = [(uuid4(), "0") for _ in range(51)]
    with pytest.raises(Refusal, match="At most 50"):
        operations.approve_together(tool_name="send_email", person=rita, seen=many)
    assert not any(one.votes.exists() for one in reviews)


def test_the_desk_offers_it_to_who_may(rita: User) -> None:
    alike(2)
    assert TOGETHER in Browser(rita).load(reverse("reviews"))
    other = factories.person("sam", may=["approve_update_customer_record"])
    assert TOGETHER not in Browser(other).load(reverse("reviews"))
    assert Browser(other).client.get(TOGETHER).status_code == 403
