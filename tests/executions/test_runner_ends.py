"""A runner whose helper fails ends as a whole, and what it held goes on elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from executions import faults
from executions.engine.connections import parameters
from executions.models import AgentExecution
from tests import factories
from tests.rehearsal_server import RehearsalServer
from tests.support.rehearsed_agent import READ, REHEARSED, calls, text
from tests.support.standing_runner import run_until_idle
from tests.support.waiting import wait_until


@pytest.fixture(autouse=True)
def _no_faults_left() -> Iterator[None]:
    yield
    faults.install(None)


def break_once_at(point: str) -> list[str]:
    """Raise what nobody expects at the first hit of a point; returns where it did."""
    broken: list[str] = []

    def hook(hit: str, _: Any) -> None:
        if hit == point and not broken:
            broken.append(hit)
            raise RuntimeError("nobody expects this")

    faults.install(hook)
    return broken


def completed(execution: AgentExecution, base_url: str) -> bool:
    run_until_idle(base_url=base_url, lease_s=1)
    execution.refresh_from_db()
    return execution.status == "completed"


@pytest.mark.parametrize("point", ["heartbeat.before", "StepMade.before"])
def test_a_helper_that_fails_ends_the_runner_and_loses_nothing(
    llm: RehearsalServer, point: str
) -> None:
    script = {"rehearse": [calls(READ), text()]}
    execution = factories.execution(agent_type=REHEARSED.name, input_data=script)
    broken = break_once_at(point)

    with pytest.raises(ExceptionGroup) as raised:
        run_until_idle(base_url=llm.base_url, lease_s=1)

    assert broken == [point]
    assert raised.group_contains(RuntimeError, match="nobody expects this")
    wait_until(lambda: completed(execution, llm.base_url), what="another runner to finish it")


def test_a_runner_that_was_taken_for_dead_claims_nothing(llm: RehearsalServer) -> None:
    """A8: it wakes from a long freeze and does not know yet that others buried it."""
    buried: list[int] = []

    def bury(hit: str, _: Any) -> None:
        if hit == "claim.before":
            with psycopg.connect(**parameters(), autocommit=True) as conn:
                buried.append(conn.execute("UPDATE agent_runners SET dead_at = now()").rowcount)

    script = {"rehearse": [text()]}
    execution = factories.execution(agent_type=REHEARSED.name, input_data=script)
    faults.install(bury)

    run_until_idle(base_url=llm.base_url)

    execution.refresh_from_db()
    assert buried[0] == 1
    assert (execution.status, execution.attempts) == ("pending", 0)
