"""What is written again and again touches no index: PostgreSQL keeps it on the row's own page."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from tests import factories

pytestmark = pytest.mark.django_db

UPDATES = """
SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = %s
"""


def updates(table: str) -> tuple[int, int]:
    """Return this transaction's updates of the table, and how many of them touched no index."""
    with connection.cursor() as cursor:
        cursor.execute(UPDATES, [table])
        every, hot = cursor.fetchone()
        return every, hot


def test_a_step_of_an_execution_touches_no_index() -> None:
    one = factories.running()
    every, hot = updates("agent_executions")
    for _ in range(5):
        factories.change(
            one,
            step_count=F("step_count") + 1,
            token_count=F("token_count") + 1000,
            cost_usd=F("cost_usd") + 1,
            active_ms=F("active_ms") + 500,
            attempts=0,
            open_reviews=F("open_reviews") + 1,
            state={"waiting": "for nothing"},
        )
    assert updates("agent_executions") == (every + 5, hot + 5)


def test_the_outcome_of_a_call_touches_no_index() -> None:
    one = factories.running()
    given = {"effect": "read", "tool_name": "read_document", "status": "running"}
    calls = [factories.call(one, started_at=Now(), **given) for _ in range(5)]
    every, hot = updates("agent_tool_calls")
    for call in calls:
        outcome = {"tool_output": {"text": "x" * 200}, "latency_ms": 5, "finished_at": Now()}
        factories.change(call, status="succeeded", **outcome)
    assert updates("agent_tool_calls") == (every + 5, hot + 5)
