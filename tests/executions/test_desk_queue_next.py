"""One review after the other: the next of the same list, past what others are on."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import Settings

from agentops.accounts.models import User
from executions import operations
from executions.desk.filters import Filters
from executions.desk.queue import next_for
from executions.models import AgentReview
from tests import factories
from tests.executions import desk

pytestmark = pytest.mark.django_db

FROM = "?from=tool%3Dsend_email"


@pytest.fixture
def three(rita: User) -> list[AgentReview]:
    return [desk.proposed(expires_in=timedelta(days=days)) for days in (1, 2, 3)]


def test_it_is_the_one_that_follows_in_the_list(rita: User, three: list[AgentReview]) -> None:
    first, second, third = three
    assert next_for(rita, after=first) == second
    assert next_for(rita, after=second) == third
    assert next_for(rita, after=third) is None


def test_it_follows_also_what_has_been_decided(rita: User, three: list[AgentReview]) -> None:
    first, second, _ = three
    operations.decide(review_id=first.pk, person=rita, approve=True, seen_digest=first.input_digest)
    assert next_for(rita, after=factories.fresh(first)) == second


def test_it_passes_by_what_others_are_on_and_not_ones_own(
    rita: User, three: list[AgentReview]
) -> None:
    first, second, third = three
    operations.claim(review_id=second.pk, person=factories.reviewer("omar"))
    assert next_for(rita, after=first) == third
    operations.claim(review_id=third.pk, person=rita)
    assert next_for(rita, after=first) == third


def test_it_stays_in_the_filter(rita: User, three: list[AgentReview]) -> None:
    risky = desk.proposed(expires_in=timedelta(days=9), risk="high")
    assert next_for(rita, after=three[0], filters=Filters(risk="high")) == risky


def test_places_that_are_equal_but_for_the_id_are_all_come_by(rita: User) -> None:
    alike = [desk.proposed(expires_in=None) for _ in range(5)]
    moment = alike[0].created_at
    for one in alike:
        factories.change(one, created_at=moment)
    came_by = [min(alike, key=lambda one: one.pk)]
    while found := next_for(rita, after=came_by[-1]):
        came_by.append(found)
    assert came_by == sorted(alike, key=lambda one: one.pk)


def test_the_filter_rides_along_from_the_list_through_the_decision(
    client: Client, three: list[AgentReview]
) -> None:
    first, second, _ = three
    page = client.get(desk.url(first) + FROM).content.decode()
    assert f'href="{desk.url(second)}{FROM}">Skip this one</a>' in page
    (action,) = set(re.findall(r'action="([^"]*/decide/[^"]*)"', page))
    sent = client.post(action, desk.form(first, "approve"))
    assert sent.headers["Location"] == desk.url(first) + FROM
    after = client.get(sent.headers["Location"]).content.decode()
    assert f'href="{desk.url(second)}{FROM}">Next review</a>' in after


def test_a_made_up_filter_in_the_address_is_left_out(
    client: Client, three: list[AgentReview]
) -> None:
    for made_up in ("?from=tool%3Dnone", "?from=%00", "?from=who%3Deverybody%26%26%3D", "?from="):
        page = client.get(desk.url(three[0]) + made_up)
        assert f'href="{desk.url(three[1])}">Skip this one</a>' in page.content.decode()


def test_the_filter_rides_along_through_an_edit_and_a_withdrawal(
    client: Client, rita: User, settings: Settings
) -> None:
    settings.AGENTOPS_UNDO_S = 30
    desk.load_sample_data()
    review = desk.proposed()
    page = client.get(desk.url(review) + FROM).content.decode()
    assert f'href="{desk.url(review, "edit")}{FROM}"' in page
    sent = client.post(
        desk.url(review, "edit") + FROM,
        {
            "step": "confirm",
            "seen_digest": review.input_digest,
            "arguments": json.dumps({**desk.LETTER, "subject": "Edited"}),
        },
    )
    assert sent.headers["Location"].endswith(FROM)
    other = desk.proposed()
    client.post(desk.url(other, "decide"), desk.form(other, "approve"))
    back = client.post(desk.url(other, "withdraw") + FROM)
    assert back.headers["Location"].endswith(FROM)
