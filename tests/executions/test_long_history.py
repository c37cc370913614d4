"""The benchmark's long history is an honest one, and the pages are quick beside it."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from bench import history, pages
from executions.engine.connections import parameters
from executions.models import AgentExecution, AgentReview
from executions.pages import health
from tests.executions.stories import broken

SIZE = {"executions": 300, "unfinished": 20, "recent": 50}


@pytest.fixture
def filled(committed_db: None) -> None:
    with psycopg.connect(**parameters(), autocommit=True) as conn:
        tables = [row[0] for row in conn.execute(
            "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
        )]  # fmt: skip
        switch = "ALTER TABLE {} {} TRIGGER USER"
        for table in tables:
            conn.execute(switch.format(table, "DISABLE"))
        assert list(history.fill(conn, chunk=120, **SIZE)) == [120, 240, 300]
        for table in tables:
            conn.execute(switch.format(table, "ENABLE"))


def test_it_passes_every_check_whole_and_hourly(filled: None) -> None:
    assert broken() == {}
    assert broken(hours=24) == {}
    assert AgentExecution.objects.unfinished().count() == SIZE["unfinished"]
    assert AgentReview.objects.open().count() == SIZE["unfinished"]


def test_no_page_asks_more_queries_of_a_longer_history(filled: None, client: Any) -> None:
    """O1: lists, story, desk and metrics ask a handful of queries, however many rows there are."""
    asked = {name: found["queries"] for name, found in pages.measure(times=1).items()}
    assert max(asked.values()) <= 25, asked
    assert all(asked.values())


def test_figures_that_take_long_to_count_are_kept_for_a_minute(
    committed_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O1: a page over a long history counts once a minute."""
    monkeypatch.setattr(health, "SLOW_S", -1.0)
    monkeypatch.setattr(health, "_slow", {})
    counted = 0
    honest = health.healths

    def count(*chosen: Any) -> Any:
        nonlocal counted
        counted += 1
        return honest(*chosen)

    monkeypatch.setattr(health, "healths", count)
    chosen = health.choice("", "")
    first = health.context(chosen)["figures"]
    before = counted
    assert health.context(chosen)["figures"] is first
    assert counted == before
    monkeypatch.setattr(health, "KEPT_S", 0.0)
    monkeypatch.setattr(health, "_slow", {})
    health.context(chosen)
    health.context(chosen)
    assert counted > before + 1
