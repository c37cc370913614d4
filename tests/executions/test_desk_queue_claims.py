"""Claims on the pages: who is on it, the buttons, the warning, and what one is told who lost it."""

from __future__ import annotations

import re

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentReview, AgentReviewClaim
from tests import factories
from tests.executions import desk
from tests.executions.desk import listed

pytestmark = pytest.mark.django_db


@pytest.fixture
def omar() -> User:
    return factories.person("omar", may=["approve_*"], first_name="Omar", last_name="Haddad")


def item(client: Client, review: AgentReview) -> str:
    return str(client.get(desk.url(review)).content.decode())


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


def test_a_button_in_the_row_claims_and_leads_back_to_the_row(client: Client, rita: User) -> None:
    review = desk.proposed()
    page = listed(client, tool="send_email")
    assert 'name="back" value="tool=send_email"' in page
    sent = client.post(desk.url(review, "claim"), {"back": "tool=send_email"})
    assert sent.headers["Location"] == f"/reviews/?tool=send_email#review-{review.pk}"
    after = listed(client, tool="send_email")
    assert "You 15 min left" in words(after)
    assert desk.url(review, "claim") not in after


def test_the_way_back_leads_nowhere_else(client: Client, rita: User) -> None:
    review = desk.proposed()
    sent = client.post(desk.url(review, "claim"), {"back": "//elsewhere.example/?a=\r\nb"})
    assert sent.headers["Location"].startswith("/reviews/?")
    assert "\n" not in sent.headers["Location"]


def test_on_its_page_one_claims_keeps_and_lets_go(client: Client, rita: User) -> None:
    review = desk.proposed()
    assert "Claim it" in item(client, review)
    sent = client.post(desk.url(review, "claim") + "?from=risk%3Dhigh")
    assert sent.headers["Location"] == desk.url(review) + "?from=risk%3Dhigh"
    page = words(item(client, review))
    assert "You 15 min left" in page
    assert "Keep it 15 min more" in page
    client.post(desk.url(review, "release"))
    assert factories.fresh(review).claimed_by is None


def test_others_see_who_is_on_it_and_are_warned_before_they_confirm(
    client: Client, rita: User, omar: User
) -> None:
    review = desk.proposed()
    operations.claim(review_id=review.pk, person=omar)
    assert "Omar Haddad 15 min left" in words(listed(client))
    page = item(client, review)
    assert "Omar Haddad is reviewing this (15 min left)" in words(page)
    confirm = page[page.index('id="confirm"') :]
    assert "Omar Haddad is on this; 15 min left." in words(confirm[: confirm.index("</form>")])
    client.post(desk.url(review, "decide"), desk.form(review, "approve"))
    assert factories.fresh(review).status == "approved"


def test_what_others_are_on_is_not_ticked_among_the_alike(
    client: Client, rita: User, omar: User
) -> None:
    held, free = (desk.proposed(risk="low") for _ in range(2))
    operations.claim(review_id=held.pk, person=omar)
    desk.load_sample_data()
    page = client.get(reverse("reviews-together", args=["send_email"])).content.decode()
    assert page.count("Omar Haddad is on this.") == 1
    ticked = re.findall(r'value="([0-9a-f-]{36}):[^"]*" checked', page)
    assert ticked == [str(free.pk)]


def test_whoever_is_second_is_told_who_was_first(client: Client, rita: User, omar: User) -> None:
    review = desk.proposed()
    operations.claim(review_id=review.pk, person=omar)
    after = client.post(desk.url(review, "claim"), {"back": ""}, follow=True)
    assert "omar is reviewing this (15 min left)." in after.content.decode()


def test_a_take_over_is_told_to_the_one_it_was_taken_from(
    client: Client, rita: User, omar: User
) -> None:
    review = desk.proposed()
    operations.claim(review_id=review.pk, person=omar)
    page = item(client, review)
    assert f'name="from_whom" value="{omar.pk}"' in page
    reason = {"from_whom": str(omar.pk), "reason": "It is <due> soon."}
    client.post(desk.url(review, "take-over"), reason)
    assert factories.fresh(review).claimed_by == rita
    other = Client()
    other.force_login(omar)
    for told in (item(other, review), listed(other)):
        assert "rita took this over from you at" in words(told)
        assert "It is &lt;due&gt; soon." in told
    operations.take_over(review_id=review.pk, person=omar, from_whom=rita.pk, reason="Mine again.")
    assert "took this over from you" not in words(listed(other))


@pytest.mark.parametrize("given", [{}, {"from_whom": "nobody"}, {"reason": "Because."}])
def test_a_take_over_that_names_nobody_takes_nothing(
    client: Client, rita: User, omar: User, given: dict[str, str]
) -> None:
    review = desk.proposed()
    operations.claim(review_id=review.pk, person=omar)
    after = client.post(desk.url(review, "take-over"), given, follow=True)
    assert "omar is reviewing this" in after.content.decode()
    assert factories.fresh(review).claimed_by == omar


def test_a_claim_that_ran_out_or_a_closed_review_shows_nobody(
    client: Client, rita: User, omar: User
) -> None:
    review = desk.proposed()
    operations.claim(review_id=review.pk, person=omar)
    factories.change(review, claimed_until=Now())
    assert "is reviewing this" not in item(client, review)
    operations.claim(review_id=review.pk, person=omar)
    operations.decide(
        review_id=review.pk, person=rita, approve=True, seen_digest=review.input_digest
    )
    assert "is reviewing this" not in item(client, review)


def test_nobody_claims_without_the_right_by_get_or_without_a_session(client: Client) -> None:
    review = desk.proposed()
    for verb in ("claim", "release", "take-over"):
        assert client.post(desk.url(review, verb)).status_code == 401
    client.force_login(factories.person("sam", may=["approve_update_*"]))
    for verb in ("claim", "release", "take-over"):
        assert client.post(desk.url(review, verb)).status_code == 403
        assert client.get(desk.url(review, verb))["Location"] == desk.url(review)
    assert not AgentReviewClaim.objects.exists()


def test_the_last_of_the_list_leads_to_the_days_tally(client: Client, rita: User) -> None:
    first, second = desk.proposed(), desk.proposed()
    end = f"{reverse('reviews')}?end=1"
    assert f'href="{end}">Skip this one' in item(client, second)
    client.post(desk.url(first, "decide"), desk.form(first, "reject", "Not today."))
    client.post(desk.url(second, "decide"), desk.form(second, "approve"))
    assert end in item(client, second)
    third = desk.proposed()
    told = words(client.get(end).content.decode())
    assert "That was the last of your list. You decided 2 today: 1 approved, 1 rejected." in told
    assert "1 still waits" in told
    assert order_is(client, third)


def order_is(client: Client, review: AgentReview) -> bool:
    return desk.order(listed(client)) == [str(review.pk)]
