"""Clocks that jump and readers elsewhere: spans are elapsed time, moments are told with a zone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from pytest_django import Settings

from agentops.accounts.models import User
from executions.desk.tally import midnight
from executions.models import AgentNotification
from executions.notifications.outbox import deliver
from executions.templatetags import show, words
from tests import factories
from tests.executions import desk
from tests.support.browsing import Browser

VIENNA, NEW_YORK = "Europe/Vienna", "America/New_York"
KATHMANDU, LORD_HOWE, HAVANA = "Asia/Kathmandu", "Australia/Lord_Howe", "America/Havana"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# ------------------------------------------------------------------ K2

# where, the moment, an hour later, and how both read there
JUMPS = [
    ("forward", VIENNA, "2026-03-29T00:30", "01:30:00 CET", "03:30:00 CEST"),
    ("back", VIENNA, "2026-10-25T00:30", "02:30:00 CEST", "02:30:00 CET"),
    ("forward", NEW_YORK, "2026-03-08T06:30", "01:30:00 EST", "03:30:00 EDT"),
    ("back", NEW_YORK, "2026-11-01T05:30", "01:30:00 EDT", "01:30:00 EST"),
    ("forward half an hour", LORD_HOWE, "2026-10-03T15:00", "01:30:00 +1030", "03:00:00 +11"),
    ("not at all", KATHMANDU, "2026-03-29T00:30", "06:15:00 +0545", "07:15:00 +0545"),
]


@pytest.mark.parametrize(
    ("zone", "first", "reads", "then"),
    [jump[1:] for jump in JUMPS],
    ids=[f"{jump[1]} {jump[0]}" for jump in JUMPS],
)
def test_an_hour_is_an_hour_whatever_the_clock_on_the_wall_does(
    zone: str, first: str, reads: str, then: str
) -> None:
    """K2: ages are elapsed time, and two moments that read alike are told apart by their zone."""
    start = at(first)
    end = start + timedelta(hours=1)
    with timezone.override(ZoneInfo(zone)):
        local, later = timezone.localtime(start), timezone.localtime(end)
        assert words.exact(local).endswith(reads)
        assert words.exact(later).endswith(then)
        assert words.exact(local) != words.exact(later)
        assert words.age(end - start) == "1 h"
        for moment, shown in ((start, show.when(start)), (end, show.when(end))):
            (stamp,) = re.findall(r'<time datetime="([^"]+)"', shown)
            assert datetime.fromisoformat(stamp) == moment


# where, a moment of that day, when it began, and how many hours it has
DAYS = [
    (VIENNA, "2026-03-29T12:00", "2026-03-28T23:00", 23),
    (VIENNA, "2026-10-25T12:00", "2026-10-24T22:00", 25),
    (VIENNA, "2026-06-01T12:00", "2026-05-31T22:00", 24),
    (NEW_YORK, "2026-11-01T12:00", "2026-11-01T04:00", 25),
    (LORD_HOWE, "2026-10-04T00:00", "2026-10-03T13:30", 23.5),
    (HAVANA, "2026-11-01T05:30", "2026-11-01T04:00", 25),  # at midnight itself, twice
    (HAVANA, "2026-11-01T04:30", "2026-11-01T04:00", 25),
    (KATHMANDU, "2026-07-01T18:14", "2026-06-30T18:15", 24),
    (KATHMANDU, "2026-07-01T18:15", "2026-07-01T18:15", 24),
    ("UTC", "2028-02-29T23:59", "2028-02-29T00:00", 24),
    (VIENNA, "2028-02-28T23:00", "2028-02-28T23:00", 24),  # the leap day began just now
    (VIENNA, "2026-12-31T23:30", "2026-12-31T23:00", 24),  # next year, here
]


@pytest.mark.parametrize(("zone", "now", "began", "hours"), DAYS)
def test_a_day_has_the_hours_it_has(zone: str, now: str, began: str, hours: float) -> None:
    """K2: today's count begins at the reader's midnight: days of 23, 25 and 23½ hours, :45."""
    with timezone.override(ZoneInfo(zone)):
        start = midnight(at(now))
        assert start == at(began)
        assert midnight(start + timedelta(hours=36)) - start == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("now", "then", "told"),
    [
        ("2026-12-31T22:59", "2026-12-31T21:00", "22:00"),  # both of 31 December in Vienna
        ("2026-12-31T23:01", "2026-12-31T22:59", "31 Dec 2026, 23:59"),  # the year has turned
        ("2026-12-31T23:30", "2026-12-31T23:05", "00:05"),
        ("2028-03-01T12:00", "2028-02-29T12:00", "29 Feb, 13:00"),
        ("2028-02-29T12:00", "2028-02-28T23:10", "00:10"),
        ("2026-10-25T00:30", "2026-10-25T01:30", "02:30"),  # before and after the clock goes back
    ],
)
def test_a_moment_is_told_by_the_readers_calendar(now: str, then: str, told: str) -> None:
    """K2: today, this year, another year: by the day it is where the reader is."""
    with timezone.override(ZoneInfo(VIENNA)):
        assert words.moment(timezone.localtime(at(then)), timezone.localtime(at(now))) == told


@pytest.mark.django_db
@pytest.mark.parametrize("zone", [VIENNA, KATHMANDU, LORD_HOWE])
def test_what_is_left_until_expiry_is_elapsed_time(zone: str, client: Client) -> None:
    """K2: a review that has 7 days has 168 hours, and says so in every zone alike."""
    rita = factories.person("rita", may=["approve_*"], time_zone=zone)
    review = desk.proposed(expires_in=timedelta(days=7, minutes=5))
    client.force_login(rita)
    assert "due in 7 d" in client.get(desk.url(review)).content.decode()


# ------------------------------------------------------------------ K3


@pytest.fixture
def lena(db: None) -> Iterator[User]:
    desk.load_sample_data()
    yield factories.person("lena", may=["approve_*"], time_zone=KATHMANDU, email="lena@x.example")
    assert timezone.get_current_timezone_name() == timezone.get_default_timezone_name()


@pytest.mark.django_db
def test_a_reviewer_elsewhere_reads_the_own_time_with_its_zone(lena: User) -> None:
    """K3: the wall clock of the reader, the absolute time with its zone, and ISO in the markup."""
    review = desk.proposed()
    page = Browser(lena).load(desk.url(review))
    local = review.expires_at.astimezone(ZoneInfo(KATHMANDU))  # type: ignore[union-attr]
    assert f"{local:%-d %b, %H:%M}</time>" in page or f"{local:%-d %b %Y, %H:%M}</time>" in page
    assert f'title="{local:%a %-d %b %Y, %H:%M:%S} +0545"' in page
    assert 'tabindex="0"' in page
    stamps = re.findall(r'<time datetime="([^"]+)"', page)
    assert stamps
    assert all(stamp.endswith("+05:45") for stamp in stamps)
    due = review.expires_at.replace(microsecond=0)  # type: ignore[union-attr]
    assert due in {one and one.replace(microsecond=0) for one in map(parse_datetime, stamps)}
    assert "Times in Asia/Kathmandu" in Browser(lena).load(reverse("reviews"))


@pytest.mark.django_db
def test_two_readers_see_one_moment(lena: User) -> None:
    """K3: another reader's page, in the same process right after, is in that reader's zone."""
    review = desk.proposed()
    omar = factories.person("omar", may=["approve_*"], time_zone=NEW_YORK)
    site = factories.reviewer("sam")
    found = []
    for person in (lena, omar, site):
        page = Browser(person).load(desk.url(review))
        found.append(sorted(map(parse_datetime, re.findall(r'datetime="([^"]+)"', page))))  # type: ignore[type-var]
    assert found[0] == found[1] == found[2]
    assert {str(stamps[0].utcoffset()) for stamps in found} == {  # type: ignore[union-attr]
        "5:45:00", str(timezone.now().astimezone(ZoneInfo(NEW_YORK)).utcoffset()), "0:00:00",
    }  # fmt: skip


@pytest.mark.django_db
def test_a_person_chooses_the_zone(lena: User) -> None:
    """K3: saved for the person, refused when it is none, and back to the site's."""
    browser = Browser(lena)
    assert "It is" in browser.load(reverse("you"))
    assert browser.send(reverse("you"), {"time_zone": VIENNA})[0] == 302
    assert "Times in Europe/Vienna" in browser.load(reverse("you"))
    assert browser.send(reverse("you"), {"time_zone": "Mars/Olympus"})[0] == 422
    assert browser.send(reverse("you"), {"time_zone": ""})[0] == 302
    assert "Times in UTC" in browser.load(reverse("you"))


@pytest.mark.django_db
def test_a_zone_that_is_none_any_more_is_the_sites(lena: User) -> None:
    User.objects.filter(pk=lena.pk).update(time_zone="Europe/Nowhere")
    assert "Times in UTC" in Browser(lena).load(reverse("reviews"))


@pytest.mark.django_db
def test_a_mail_is_in_the_zone_of_who_reads_it(
    lena: User, mailoutbox: list[EmailMessage], settings: Settings
) -> None:
    """K3: due times in mails, too, with their zone."""
    review = desk.proposed(risk="high")
    factories.person("omar", may=["approve_*"], time_zone=NEW_YORK, email="omar@x.example")
    deliver()
    due = review.expires_at
    assert due
    for letter, zone in zip(mailoutbox, (KATHMANDU, NEW_YORK), strict=True):
        local = due.astimezone(ZoneInfo(zone))
        assert f"due {local:%-d %B %Y, %H:%M %Z}" in letter.body
    assert AgentNotification.objects.get().closed_at
