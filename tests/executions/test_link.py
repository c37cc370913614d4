"""The engine's link to the database: shared by coroutines, mended by whoever finds it broken."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest

from executions import faults
from executions.engine.connections import Link

ANSWER_S = 20.0


@pytest.mark.django_db(transaction=True)
def test_an_error_of_one_statement_does_not_break_another_that_is_under_way() -> None:
    """D5: a deadlock ends a heartbeat while a claim on the same connection is under way."""
    hits: list[str] = []

    def hook(point: str, _: Any) -> None:
        hits.append(point)
        if point == "heartbeat.before" and hits.count(point) == 1:
            raise psycopg.errors.DeadlockDetected("chosen by a test")

    async def both() -> list[Any]:
        link = Link(name="test link")
        await link.execute("SELECT 1")
        claim = asyncio.create_task(link.execute("SELECT 'claimed' FROM pg_sleep(0.2)", at="claim"))
        await asyncio.sleep(0.05)
        async with asyncio.timeout(ANSWER_S):
            await link.execute("SELECT 1", at="heartbeat")
            cursor = await claim
        row: list[Any] = await cursor.fetchone()
        await link.close()
        return row

    faults.install(hook)
    try:
        assert tuple(asyncio.run(both())) == ("claimed",)
    finally:
        faults.install(None)
    assert hits.count("heartbeat.before") == 2
    assert hits.count("claim.before") == 1, "the other's error broke a statement under way"
