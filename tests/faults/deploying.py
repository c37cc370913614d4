"""One execution of the noter from launch to its end, across releases of the code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection
from django.db.models import F

from agentops.accounts.models import User
from executions import faults, operations
from executions.engine.connections import parameters
from executions.models import AgentExecution, AgentReview, AgentToolCall
from tests import factories
from tests.rehearsal_server import RehearsalServer
from tests.support.noting import AGENT
from tests.support.standing_runner import run_until_idle

DEAD_RUNNER = """
INSERT INTO agent_runners (host, pid, capacity, lease_until, dead_at)
VALUES ('elsewhere', 1, 1, now(), now()) RETURNING id
"""


def launch(*script: dict[str, Any], agent: str = AGENT, **more: Any) -> AgentExecution:
    return operations.launch(
        agent_type=agent,
        input_data={"rehearse": list(script)},
        user=User.objects.get(username="system"),
        **more,
    ).execution


def drive(llm: RehearsalServer, execution: AgentExecution, **changes: Any) -> AgentExecution:
    """Drive whatever is claimable; return the execution as it is then."""
    run_until_idle(base_url=llm.base_url, **changes)
    execution.refresh_from_db()
    return execution


def approve(execution: AgentExecution, *people: User) -> AgentReview:
    """Approve its one open review with these people."""
    review = AgentReview.objects.open().get(execution=execution)
    for person in people:
        operations.decide(
            review_id=review.pk, person=person, approve=True, seen_digest=review.input_digest
        )
    review.refresh_from_db()
    return review


def held_by_a_dead_runner(execution: AgentExecution) -> None:
    """Put it under a runner that died with it."""
    with connection.cursor() as cursor:
        cursor.execute(DEAD_RUNNER)
        (runner,) = cursor.fetchone()
    factories.change(
        execution, status="running", lease_owner=runner, lease_token=F("lease_token") + 1
    )


def died_inside(execution: AgentExecution) -> AgentToolCall:
    """Leave it as a runner does that dies after the start of its latest call."""
    held_by_a_dead_runner(execution)
    return factories.start(execution.tool_calls.latest("step_number"))


@contextmanager
def buried_at(point: str) -> Iterator[list[str]]:
    """The runner that comes to `point` first is taken for dead there: it can write no more."""
    fired: list[str] = []

    def bury(at: str, _: Any) -> None:
        if at == point and not fired:
            fired.append(at)
            with psycopg.connect(**parameters(), autocommit=True) as other:
                other.execute("UPDATE agent_runners SET dead_at = clock_timestamp()")

    faults.install(bury)
    try:
        yield fired
    finally:
        faults.install(None)
    assert fired, f"nobody came to {point}"


def heard(llm: RehearsalServer, call: AgentToolCall) -> str:
    """Return what the LLM's latest request says became of the call."""
    items = llm.log()[-1]["body"]["input"]
    (answer,) = [item for item in items if item.get("type") == "function_call_output"
                 and item["call_id"] == call.provider_call_id]  # fmt: skip
    return str(answer["output"])
