"""A review that nobody decides: people are reminded, a group is told, nothing decides itself."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.mail import EmailMessage
from django.db import connection
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from agentops.accounts.models import User
from executions import housekeeping, operations
from executions.models import AgentNotification, AgentReview
from executions.notifications.late import fall_due
from executions.notifications.quiet import is_within
from tests import factories
from tests.executions import desk
from tests.faults.outbox import SECRETS, SITE, later, spend
from tests.support.browsing import Browser
from tests.support.trial import trial
from tests.tools.mail_server import Mailbox
from tools.base import Late, always
from tools.registry import get_tool

pytestmark = pytest.mark.django_db

REVIEWERS = ["omar@hallberg.example", "rita@hallberg.example"]


def quietly(**columns: Any) -> AgentReview:
    """A review whose opening everybody has been told of."""
    review = desk.proposed(**columns)
    AgentNotification.objects.filter(review=review).update(closed_at=Now())
    return review


def test_who_may_decide_is_reminded_at_half_and_at_three_quarters_once_each(
    team: dict[str, User], told: Any, mailoutbox: list[EmailMessage]
) -> None:
    """O3: with the due time and a link, and nothing of what it says."""
    review = quietly()
    assert told() == []
    spend(review, 49.9)
    assert told() == []
    for percent in (50, 75):
        spend(review, percent)
        assert told() == [(to, "Reminder: 1 action waits for you") for to in REVIEWERS]
        body = mailoutbox[0].body
        assert "  1 x send email\n\nThe first is due " in body
        assert "expires: it is not done" in body
        assert f"{SITE}{desk.url(review)}\n" in body
        assert not any(secret in body for secret in SECRETS)
        later()
        assert told() == []
    percents = review.notifications.values_list("at_percent", flat=True)
    assert sorted(percents) == [0, 50, 75]


def test_several_that_run_late_are_one_letter_and_of_two_reminders_the_last_is_enough(
    team: dict[str, User], told: Any
) -> None:
    """O3: nobody looked for a while; each person is told once, of all of them."""
    reviews = [spend(quietly(), 80), spend(quietly(risk="high"), 90)]
    assert told() == [(to, "Reminder: 2 actions wait for you") for to in REVIEWERS]
    reminded = AgentNotification.objects.filter(stage="reminded")
    assert {(one.review_id, one.at_percent) for one in reminded} == {
        (review.pk, 75) for review in reviews
    }


def test_who_has_voted_or_may_not_is_not_reminded_and_the_decided_not_at_all(
    team: dict[str, User], told: Any
) -> None:
    half, decided = quietly(votes=2), quietly()
    for review in (half, decided):
        operations.decide(
            review_id=review.pk, person=team["rita"], approve=True, seen_digest=review.input_digest
        )
    spend(half, 60)
    factories.change(decided, created_at=Now() - timedelta(days=6))
    assert told() == [(REVIEWERS[0], "Reminder: 1 action waits for you")]


def test_nobody_is_told_of_what_has_expired_and_it_is_never_approved(
    leads: Group, told: Any
) -> None:
    """I5, O3: time that runs out ends in an expiry, however many were told."""
    review = spend(quietly(risk="high"), 76)
    assert len(told()) == 3
    factories.change(review, expires_at=Now())
    later()
    assert told() == []
    assert housekeeping.each_minute()["expired"] == 1
    assert (factories.fresh(review).status, review.votes.count()) == ("expired", 0)


def test_the_last_quarter_is_told_to_the_group(
    leads: Group, told: Any, mailoutbox: list[EmailMessage]
) -> None:
    """O3: whoever is in it, with who may decide, since they may not themselves."""
    review = quietly()
    spend(review, 74.9)
    assert [to for to, _ in told()] == REVIEWERS
    spend(review, 75)
    assert told()[-1] == ("nora@hallberg.example", "Escalated: 1 action waits for a decision")
    body = mailoutbox[-1].body
    assert "Who may decide: omar, rita, without_address." in body
    assert "you are in the group" in body
    assert not any(secret in body for secret in SECRETS)
    later()
    assert told() == []


@pytest.mark.parametrize(
    ("risk", "minutes", "expected"),
    [("high", 239, 0), ("high", 240, 1), ("medium", 1000, 0), ("low", 1000, 0)],
)
def test_high_risk_is_told_to_the_group_after_its_time(
    leads: Group, told: Any, risk: str, minutes: int, expected: int
) -> None:
    review = quietly(risk=risk)
    factories.change(review, created_at=Now() - timedelta(minutes=minutes))
    assert len(told()) == expected


def test_a_doubt_is_told_to_the_group_after_its_time(leads: Group, told: Any) -> None:
    """O3: it never expires, so nobody else would be."""
    review = desk.in_doubt(factories.reviewer("otto"))
    AgentNotification.objects.update(closed_at=Now())
    assert told() == []
    factories.change(review, created_at=Now() - timedelta(hours=4))
    assert told() == [("nora@hallberg.example", "Escalated: 1 action waits for a decision")]


def test_a_tool_says_when_and_to_whom_itself(
    leads: Group, told: Any, team: dict[str, User]
) -> None:
    own = Group.objects.create(name="Letters")
    own.user_set.add(team["rita"])
    late = Late(remind_at=(10,), escalate_to="Letters", sla_s=60)
    with trial(replace(get_tool("send_email"), approval=always(late=late))):
        review = spend(quietly(risk="high"), 9)
        factories.change(review, created_at=Now() - timedelta(seconds=61))
        assert told() == [("rita@hallberg.example", "Escalated: 1 action waits for a decision")]
        assert [subject for _, subject in told()] == []
        spend(review, 10)
        assert len(told()) == 2


def test_a_group_without_anybody_is_an_error_in_the_log(
    leads: Group, told: Any, caplog: pytest.LogCaptureFixture
) -> None:
    leads.user_set.clear()
    review = spend(quietly(), 80)
    assert [to for to, _ in told()] == REVIEWERS
    assert "escalated to a group without anybody in it" in caplog.text
    page = Browser(User.objects.get(username="rita")).load(desk.url(review))
    assert "were reminded by mail" in page
    assert "Escalated" not in page


def test_at_night_only_what_is_urgent_is_mailed(
    leads: Group, told: Any, team: dict[str, User], settings: Settings
) -> None:
    """O3: night is where the reader lives; what was held back comes in the morning."""
    hour = timezone.now().hour
    settings.AGENTOPS_QUIET_HOURS = (hour, (hour + 2) % 24)
    User.objects.filter(username="omar").update(time_zone="Asia/Tokyo")
    spend(quietly(), 75)
    assert told() == [
        (REVIEWERS[0], "Reminder: 1 action waits for you"),
        ("nora@hallberg.example", "Escalated: 1 action waits for a decision"),
    ]
    settings.AGENTOPS_QUIET_HOURS = None
    later()
    assert told() == [(REVIEWERS[1], "Reminder: 1 action waits for you")]


@pytest.mark.parametrize(
    ("span", "quiet"), [((20, 7), {20, 23, 0, 6}), ((1, 3), {1, 2}), ((5, 5), set())]
)
def test_quiet_hours_may_go_over_midnight(span: tuple[int, int], quiet: set[int]) -> None:
    looked_at = {20, 23, 0, 6, 1, 2, 3, 5, 7, 12, 19}
    if span == (20, 7):
        quiet = quiet | {1, 2, 3, 5}
    assert {hour for hour in looked_at if is_within(hour, *span)} == quiet


def test_the_desk_shows_who_was_told_when(leads: Group, told: Any, team: dict[str, User]) -> None:
    """O3: a chip in the list, the times on the item."""
    first, second = quietly(), quietly(risk="high")
    rita = Browser(team["rita"])
    listed = rita.load(reverse("reviews"))
    assert "</svg>reminded" not in listed
    spend(first, 60)
    spend(second, 80)
    told()
    listed = rita.load(reverse("reviews"))
    assert listed.count("</svg>reminded") == listed.count("</svg>escalated") == 1
    assert "were reminded by mail" in rita.load(desk.url(first))
    assert "Escalated by mail" in rita.load(desk.url(second))


def test_a_letter_that_is_sent_again_is_the_same_whatever_has_become_late_since(
    team: dict[str, User], mailbox: Mailbox
) -> None:
    """O3: at least once, and its Message-ID lets a mailbox drop the second copy."""
    User.objects.filter(username="omar").update(email="")
    for _ in range(2):
        spend(quietly(), 60)
    mailbox.on_data = "drop"
    housekeeping.notify()
    mailbox.on_data = ""
    spend(quietly(), 60)
    later()
    housekeeping.notify()
    told = [(message["Subject"], message["Message-ID"]) for _, message in mailbox.arrived]
    assert len(told) == 3
    assert told[0] == told[1]
    assert told[1][0] == "Reminder: 2 actions wait for you"
    assert told[2][0] == "Reminder: 1 action waits for you"


def test_two_housekeepers_at_once_remind_once(
    committed_db: None, leads: Group, mailoutbox: list[EmailMessage]
) -> None:
    """O3: both find them late, and each stage of a review has one row."""
    reviews = [spend(quietly(), 80) for _ in range(10)]
    barrier, found = threading.Barrier(2), []

    def work() -> None:
        barrier.wait(10)
        found.append(fall_due())
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for one in workers:
        one.start()
    for one in workers:
        one.join(30)
    for stage in ("reminded", "escalated"):
        assert sum(one[stage] for one in found) == len(reviews)
    housekeeping.notify()
    assert sorted(letter.subject for letter in mailoutbox) == [
        "Escalated: 10 actions wait for a decision", *["Reminder: 10 actions wait for you"] * 2,
    ]  # fmt: skip
