"""What a list that stands open is told: new reviews, decided ones, claimed ones; else nothing."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from agentops.accounts.models import User
from executions import operations
from tests import factories
from tests.executions import desk
from tests.executions.desk import listed

pytestmark = pytest.mark.django_db

FIELD = re.compile(r'<input type="hidden" name="(since|known|told)" value="([^"]*)">')


class Open:
    """A list that stands open in a browser, and asks as it does."""

    def __init__(self, client: Client, **filters: str) -> None:
        self.client, self.filters = client, filters
        self.state = self._fields(listed(client, **filters))

    def asks(self) -> str:
        """What it is told; empty when there is nothing to tell."""
        query = {**self.filters, **self.state}
        response = self.client.get(reverse("reviews-news"), query)
        if response.status_code == 204:
            assert response.content == b""
            return ""
        assert (response.status_code, response["Cache-Control"]) == (200, "no-store")
        page = response.content.decode()
        self.state |= self._fields(page)
        return page

    @staticmethod
    def _fields(page: str) -> dict[str, Any]:
        return {name: unescape(value) for name, value in FIELD.findall(page)}


def test_nothing_new_is_no_content_also_for_what_was_just_made(client: Client, rita: User) -> None:
    desk.proposed()
    assert Open(client).asks() == ""


def test_new_ones_are_counted_and_told_once(client: Client, rita: User) -> None:
    desk.proposed()
    open_list = Open(client)
    for _ in range(2):
        desk.proposed()
    assert "<b>2 new</b>" in open_list.asks()
    assert open_list.asks() == ""
    desk.proposed()
    assert "<b>3 new</b>" in open_list.asks()


def test_one_that_began_before_the_page_and_was_committed_after_it_is_new(
    client: Client, rita: User
) -> None:
    open_list = Open(client)
    late = desk.proposed()
    factories.change(late, created_at=Now() - timedelta(seconds=5))
    assert "<b>1 new</b>" in open_list.asks()


def test_only_what_fits_the_filter_is_new(client: Client, rita: User) -> None:
    open_list = Open(client, risk="high")
    desk.proposed(risk="low")
    assert open_list.asks() == ""
    desk.proposed(risk="high")
    told = open_list.asks()
    assert "<b>1 new</b>" in told
    assert 'href="/reviews/?risk=high"' in told


def test_it_says_what_became_of_what_is_listed(client: Client, rita: User) -> None:
    omar = factories.person("omar", may=["approve_*"], first_name="Omar", last_name="Haddad")
    approved, rejected, edited, late, held = (
        desk.proposed("update_customer_record", desk.CHANGE) for _ in range(5)
    )
    desk.load_sample_data()
    open_list = Open(client)
    operations.decide(
        review_id=approved.pk, person=omar, approve=True, seen_digest=approved.input_digest
    )
    operations.decide(
        review_id=rejected.pk, person=omar, approve=False, seen_digest=rejected.input_digest,
        reason="no",
    )  # fmt: skip
    operations.edit(
        review_id=edited.pk, person=omar, seen_digest=edited.input_digest,
        arguments={**desk.CHANGE, "reason": "M-2001: clearer"},
    )  # fmt: skip
    factories.change(late, expires_at=Now())
    factories.change(late, status="expired")
    operations.claim(review_id=held.pk, person=omar)
    told = dict(re.findall(r'data-mark="([^"]*)"[^>]*>([^<]*)<', open_list.asks()))
    assert told == {
        str(approved.pk): "Omar Haddad approved this",
        str(rejected.pk): "Omar Haddad rejected this",
        str(edited.pk): "A newer version took its place, or its execution ended",
        str(late.pk): "This expired",
        str(held.pk): "Omar Haddad is on this",
    }
    assert open_list.asks() == ""


def test_it_tells_nothing_of_tools_one_does_not_decide_on(client: Client, rita: User) -> None:
    client.force_login(factories.person("sam", may=["approve_update_*"]))
    review = desk.proposed()
    open_list = Open(client)
    desk.proposed()
    operations.decide(
        review_id=review.pk, person=rita, approve=True, seen_digest=review.input_digest
    )
    assert open_list.asks() == ""


@pytest.mark.parametrize(
    "query",
    [{}, {"since": "yesterday"}, {"since": "2026-02-30T00:00:00"}, {"since": "2026-01-01T00:00:00"},
     {"since": "2026-01-01T00:00:00+00:00", "known": "x"}],
)  # fmt: skip
def test_a_question_that_makes_no_sense_has_no_answer(
    client: Client, rita: User, query: dict[str, str]
) -> None:
    desk.proposed()
    assert client.get(reverse("reviews-news"), query).status_code == 204


def test_the_number_in_the_side_follows(client: Client, rita: User) -> None:
    desk.proposed()
    where = reverse("reviews-waiting")
    assert client.get(where, {"shown": "1"}).status_code == 204
    desk.proposed()
    told = client.get(where, {"shown": "1"}).content.decode()
    assert told.startswith('2<span class="vh"> waiting for you</span>')
    assert 'name="shown" value="2"' in told


def test_without_a_session_both_lead_to_the_login(client: Client) -> None:
    for name in ("reviews-news", "reviews-waiting"):
        assert client.get(reverse(name)).status_code == 302
