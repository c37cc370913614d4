from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from agentops.accounts.models import User
from tests import factories
from tests.executions.test_metrics_function import called, ended

pytestmark = pytest.mark.django_db

GENERATOR, STEWARD = "compliance_document_generator", "customer_record_steward"


@pytest.fixture
def olga(client: Client) -> User:
    may = ["view_agentexecution", "view_agenttoolcall"]
    person = factories.person("olga", may=may, is_staff=True)
    client.force_login(person)
    return person


def shown(client: Client, **query: str) -> str:
    response = client.get(reverse("metrics"), query)
    assert response.status_code == 200
    return str(response.content.decode())


def tile(page: str, title: str) -> str:
    """The big figure under this title."""
    found = re.search(rf"<h2>{title}</h2><span class=\"big\">([^<]+)</span>", page)
    assert found, title
    return unescape(found[1])


def test_it_shows_the_five_figures_of_one_agent(client: Client, olga: User) -> None:
    now = timezone.now()
    for status in ("completed", "completed", "completed", "failed"):
        one = ended(status, agent=GENERATOR, at=now, token_count=100, cost_usd="0.30", steps=3)
        called(one, "succeeded")
        called(one, "failed")
    ended("failed", agent=STEWARD, at=now)
    page = shown(client, agent=GENERATOR, window="7d")
    assert f"{GENERATOR} completed 3 of 4 executions" in page
    assert tile(page, "Completion rate") == "75.0 %"
    assert tile(page, "Step efficiency") == "50.0 %"
    assert "3.0 steps on average" in page
    assert tile(page, "Tool success") == "50.0 %"
    assert tile(page, "Needed a person") == "0 %"
    assert tile(page, "Cost per completion") == "$0.40"
    assert "So few that a rate says little." in page


def test_a_window_leaves_out_what_ended_before_it(client: Client, olga: User) -> None:
    now = timezone.now()
    for days in (0, 3, 20, 40):
        ended("completed", agent=STEWARD, at=now - timedelta(days=days))
    for window, count in (("24h", 1), ("7d", 2), ("30d", 3)):
        assert f"{count} completed</a>" in shown(client, window=window)


def test_without_anything_it_says_so_and_shows_no_zero(client: Client, olga: User) -> None:
    factories.running()
    page = shown(client, window="24h")
    assert "Nothing has finished in the last 24 hours" in page
    assert tile(page, "Completion rate") == "–"  # noqa: RUF001
    assert "1 is not finished" in page


def test_an_unknown_price_is_told(client: Client, olga: User) -> None:
    ended("completed", agent=STEWARD, at=timezone.now(), cost_usd=None)
    page = shown(client)
    assert tile(page, "Cost per completion") == "unknown"
    assert "100 % ran on an LLM without a known price" in page


def test_every_count_opens_the_list_it_counts(client: Client, olga: User) -> None:
    now = timezone.now()
    for status, times in (("completed", 3), ("failed", 2), ("cancelled", 1)):
        for _ in range(times):
            ended(status, agent=STEWARD, at=now)
    ended("failed", agent=STEWARD, at=now - timedelta(days=10))
    ended("failed", agent=GENERATOR, at=now)
    page = shown(client, agent=STEWARD, window="7d")
    links = re.findall(r'<a href="([^"]+)">(\d+)(?: \w+)?</a>', page)
    counted = [(unescape(link), int(count)) for link, count in links if "agentexecution" in link]
    assert {count for _, count in counted} >= {1, 2, 3, 6}
    for link, count in counted:
        assert client.get(link).context["cl"].result_count == count, link


@pytest.mark.parametrize("query", [{"agent": "nobody"}, {"window": "9y"}, {"agent": "'--"}])
def test_what_makes_no_sense_shows_all_agents_over_a_week(
    client: Client, olga: User, query: dict[str, str]
) -> None:
    ended("completed", agent=STEWARD, at=timezone.now())
    assert "All agents together completed all 1 execution" in shown(client, **query)


def test_it_needs_the_right_to_look(client: Client) -> None:
    client.force_login(factories.reviewer("rita"))
    assert client.get(reverse("metrics")).status_code == 403


def test_it_asks_for_all_figures_at_once(client: Client, olga: User) -> None:
    """O1: windows and agents are read together, for the price of the longest window."""
    with CaptureQueriesContext(connection) as queries:
        shown(client, agent=STEWARD, window="24h")
    assert len([query for query in queries if "agent_health_" in query["sql"]]) == 1
