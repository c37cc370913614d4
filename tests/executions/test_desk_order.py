"""The order in which reviews wait: by the groups that the list shows, then the riskiest first."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from agentops.accounts.models import User
from executions.desk.order import following, most_urgent_first
from executions.models import AgentReview
from tests import factories
from tests.executions import desk
from tests.executions.desk import listed, order
from tests.support.effort import Effort

pytestmark = pytest.mark.django_db

HOURS, DAY = timedelta(hours=1), timedelta(days=1)
LATER_FIRST = [  # each group's: due, risk, in the order of the list
    (-3 * HOURS, "medium"),
    (-5 * HOURS, "low"),
    (HOURS / 2, "high"),
    (HOURS / 3, "medium"),
    (HOURS / 2, "medium"),
    (HOURS / 6, "low"),
    (20 * HOURS, "high"),
    (2 * HOURS, "medium"),
    (9 * DAY, "high"),
    (2 * DAY, "medium"),
    (2 * DAY, "low"),
    (None, "high"),
    (None, "low"),
]


def due(span: timedelta | None, risk: str = "medium") -> AgentReview:
    return desk.proposed(expires_in=span, risk=risk)


def test_what_is_due_about_as_soon_waits_by_risk_then_by_the_minute(
    client: Client, rita: User
) -> None:
    """An exact moment never ties, so that risk would never count behind it."""
    made = {nth: due(*LATER_FIRST[nth]) for nth in (5, 0, 12, 8, 3, 1, 10, 6, 2, 11, 9, 4, 7)}
    assert order(listed(client)) == [str(made[nth].pk) for nth in range(len(LATER_FIRST))]


def test_of_the_same_moment_and_risk_the_oldest_comes_first(client: Client, rita: User) -> None:
    newest, oldest, older = (due(None) for _ in range(3))
    factories.change(oldest, created_at=Now() - DAY)
    factories.change(older, created_at=Now() - HOURS)
    assert order(listed(client)) == [str(one.pk) for one in (oldest, older, newest)]


def test_each_place_leads_to_all_behind_it(effort: Effort, rita: User) -> None:
    """What python says of a place is what the database sorts by."""
    rng = effort.rng("order")
    spans = (None, -HOURS, HOURS / 2, HOURS, 2 * HOURS, DAY, 2 * DAY)
    for _ in range(effort.times(short=10, long=200)):
        due(rng.choice(spans), rng.choice(("high", "medium", "low")))
    desk.in_doubt(rita)
    now = timezone.now()
    every = list(most_urgent_first(AgentReview.objects.open(), now))
    for nth, one in enumerate(every):
        assert list(following(AgentReview.objects.open(), one, now)) == every[nth + 1 :]


def test_the_next_page_leaves_nothing_out_because_an_hour_began(client: Client, rita: User) -> None:
    """It goes on in the order of the page before it."""
    first, second = due(9 * DAY, "high"), due(DAY - HOURS / 4, "low")
    page, at = str(first.pk), timezone.now() - HOURS / 2
    assert order(listed(client)) == [str(second.pk), page], "due within a day by now"
    assert order(listed(client, after=page, at=at.isoformat())) == [str(second.pk)]


def test_a_moment_that_is_none_is_now(client: Client, rita: User) -> None:
    first, second = due(9 * DAY, "high"), due(DAY - HOURS / 4, "low")
    ahead = (timezone.now() + HOURS).isoformat()
    for at in ("", "then", "2026-02-30", "2026-11-25T10:00", "0001-01-01T00:00:00+00:00", ahead):
        assert order(listed(client, after=str(second.pk), at=at)) == [str(first.pk)], at
    assert order(listed(client, after=str(first.pk), at=ahead)) == []
