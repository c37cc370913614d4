"""The figures, against a handful of executions counted by hand."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from agentops.environment import BASE_DIR
from executions.metrics import Health, health, healths
from executions.models import AgentExecution
from tests import factories

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def ended(status: str, *, agent: str = "one", at: datetime, **columns: Any) -> AgentExecution:
    """An execution that took an hour and ended then."""
    steps = columns.pop("steps", 1)
    one = factories.running(agent_type=agent, created_at=at - HOUR)
    for _ in range(steps - 1):
        factories.change(one, step_count=F("step_count") + 1)
    reason = {} if status == "completed" else {"stop_reason": "X", "error": "X: y"}
    factories.change(one, status=status, lease_owner=None, completed_at=at, **reason, **columns)
    return one


def called(one: AgentExecution, status: str, tool: str = "find_customers", **more: Any) -> None:
    started = {"started_at": timezone.now()} if status in ("succeeded", "in_doubt") else {}
    given = {"effect": "read", "tool_input": {"query": "a"}, **started, **more}
    factories.call(one, tool_name=tool, status=status, **given)


def test_every_figure_of_a_handful_counted_by_hand(now: datetime) -> None:
    at = now - HOUR
    four = {"steps": 4, "token_count": 400, "cost_usd": "0.40", "active_ms": 1000}
    two = {"steps": 2, "token_count": 200, "cost_usd": "0.20", "active_ms": 3000}
    first = ended("completed", at=at, **four)
    second = ended("completed", at=at, **two)
    failed = ended("failed", at=at, token_count=100, cost_usd="0.10", active_ms=5000)
    ended("cancelled", at=at, token_count=0, cost_usd="0.00", active_ms=7000)
    for status in ("succeeded", "succeeded", "failed", "cancelled"):  # the same one twice
        called(first, status)
    called(second, "succeeded", tool_input={"query": "another"})
    called(second, "succeeded", tool="read_document")
    called(failed, "in_doubt")
    called(failed, "rejected", tool="send_email", effect="once")

    figures = health(agent_type="one")
    assert figures == Health(
        executions=4,
        completed=2,
        failed=1,
        cancelled=1,
        completion_rate=Decimal("0.500000"),
        completion_rate_excl_cancelled=Decimal("0.666667"),
        avg_steps=Decimal("3.00"),
        median_steps=Decimal("3.00"),
        p95_steps=Decimal("3.90"),
        step_efficiency=Decimal("0.375000"),  # 3 useful of 8
        tool_success_rate=Decimal("0.666667"),  # 4 of 6 tried
        human_review_rate=Decimal("0.250000"),
        tokens_per_completion=Decimal("350.00"),
        cost_usd_per_completion=Decimal("0.350000"),
        unknown_cost_share=Decimal("0.000000"),
        latency_total_p50_ms=Decimal(3_600_000),
        latency_total_p95_ms=Decimal(3_600_000),
        latency_active_p50_ms=Decimal(4000),
        latency_active_p95_ms=Decimal(6700),
        time_to_decision_p50_ms=None,
        time_to_decision_p95_ms=None,
    )


def test_an_agent_is_counted_apart_from_the_others(now: datetime) -> None:
    """A parameter named like a column is easily shadowed by it: then both would count all."""
    ended("completed", agent="one", at=now)
    ended("failed", agent="two", at=now)
    ended("failed", agent="two", at=now)
    one, two, every = health(agent_type="one"), health(agent_type="two"), health()
    assert (one.executions, one.completion_rate) == (1, 1)
    assert (two.executions, two.completion_rate) == (2, 0)
    assert (every.executions, every.completed, every.failed) == (3, 1, 2)


def test_the_window_begins_at_its_first_moment(now: datetime) -> None:
    ended("completed", at=now)
    assert health(since=now).executions == 1
    assert health(since=now + timedelta(microseconds=1)).executions == 0


def test_many_windows_and_agents_at_once_are_what_each_is_alone(now: datetime) -> None:
    past = [(1, "one", "completed"), (5, "one", "failed"), (9, "two", "completed")]
    for days, agent, status in past:
        one = ended(status, agent=agent, at=now - timedelta(days=days), steps=days)
        called(one, "succeeded", gated=False)
        called(one, "failed")
    decided = factories.gated(ended_later := factories.running(agent_type="two"))
    factories.vote(decided, factories.reviewer("rita"), "reject")
    factories.change(decided, status="rejected")
    factories.change(
        ended_later, status="completed", lease_owner=None, completed_at=now, open_reviews=0
    )
    since = [now - timedelta(days=days) for days in (2, 30, 6)]
    pairs = list(product(("one", None, "two", "nobody"), [*since, None]))
    together = healths(pairs)
    assert together == [health(agent_type=agent, since=moment) for agent, moment in pairs]
    assert len({figures.executions for figures in together}) == 5
    assert healths([("two", since[1])])[0].time_to_decision_p50_ms is not None


def test_what_began_before_the_window_and_ended_in_it_counts(now: datetime) -> None:
    ended("completed", at=now)
    assert health(since=now - timedelta(minutes=1)).executions == 1


def test_what_has_not_ended_does_not_count() -> None:
    factories.running()
    factories.waiting()
    assert health().executions == 0


def test_nothing_to_divide_by_is_none_and_not_zero() -> None:
    figures = health(agent_type="nobody")
    counts = {"executions", "completed", "failed", "cancelled"}
    for name in Health.__dataclass_fields__:
        assert getattr(figures, name) == (0 if name in counts else None), name


def test_nothing_completed_makes_a_rate_of_zero_and_no_cost_each(now: datetime) -> None:
    ended("failed", at=now, token_count=100, cost_usd="0.10")
    figures = health()
    assert figures.completion_rate == 0
    assert figures.tokens_per_completion is None
    assert figures.cost_usd_per_completion is None
    assert figures.avg_steps is None


def test_one_unknown_price_makes_the_cost_unknown_and_says_how_many(now: datetime) -> None:
    ended("completed", at=now, cost_usd="0.10")
    ended("completed", at=now, cost_usd=None)
    figures = health()
    assert figures.cost_usd_per_completion is None
    assert figures.unknown_cost_share == Decimal("0.5")


def test_time_to_decision_counts_approved_and_rejected_reviews_only(now: datetime) -> None:
    one = factories.running(agent_type="one")
    decided, waiting = factories.gated(one), factories.gated(one)
    factories.change(decided, created_at=F("created_at") - timedelta(seconds=10))
    factories.vote(decided, factories.reviewer("rita"), "reject")
    factories.change(decided, status="rejected")
    factories.change(waiting, status="void")
    asked = factories.gated(one)
    factories.change(asked, created_at=F("created_at") - timedelta(hours=10))
    factories.vote(asked, factories.reviewer("omar"), "ask")
    factories.change(asked, status="rejected")
    factories.change(one, status="completed", lease_owner=None, completed_at=now, open_reviews=0)
    figures = health()
    assert figures.time_to_decision_p50_ms is not None
    assert 10_000 <= figures.time_to_decision_p50_ms < 20_000


def test_the_function_can_be_called_by_its_parameters_names(now: datetime) -> None:
    ended("completed", at=now)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT executions FROM agent_health_metrics("
            "agent_type => 'one', since => now() - interval '7 days')"
        )
        assert cursor.fetchone() == (1,)


def test_the_page_of_definitions_says_what_the_functions_comment_says() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT obj_description('agent_health_metrics(text, timestamptz)'::regprocedure)"
        )
        _, general, *lines = cursor.fetchone()[0].splitlines()
    written = (BASE_DIR / "docs" / "metrics.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", written, re.MULTILINE))
    assert documented == dict(line.split(": ", 1) for line in lines)
    assert list(documented) == list(Health.__dataclass_fields__)
    assert general in written
