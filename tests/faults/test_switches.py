"""What switches hold back: within seconds, at the next step or start, and nothing is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.core import mail
from django.db import connection
from django.db.models.functions import Now

from agentops.accounts.models import User
from executions import operations
from executions.engine.connections import parameters
from executions.models import AgentControl, AgentExecution, AgentRunner
from tests import factories
from tests.faults.checking import nothing_is_violated
from tests.faults.gated_nap import LASTS, NAPPING
from tests.rehearsal_server import RehearsalServer
from tests.support.rehearsed_agent import LETTER, READ, REHEARSED, calls, text
from tests.support.standing_runner import run_until_idle, standing_runner
from tests.support.waiting import wait_until

NAME = REHEARSED.name
WITHIN_S = 5.0
PLACES = [("agent", NAME), ("all", "")]
BLOCKED = """
SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 7311001)
"""


@pytest.fixture
def olga(committed_db: None) -> Iterator[User]:
    yield factories.person("olga", may=["change_agentcontrol", "cancel_execution"])
    nothing_is_violated()


def launch(*script: dict[str, Any]) -> AgentExecution:
    return operations.launch(
        agent_type=NAME, input_data={"rehearse": list(script)}, user=factories.system()
    ).execution


def has(execution: AgentExecution, status: str) -> bool:
    execution.refresh_from_db()
    return execution.status == status


def approve(execution: AgentExecution, person: User) -> None:
    (review,) = execution.reviews.filter(status="open")
    operations.decide(
        review_id=review.pk, person=person, approve=True, seen_digest=review.input_digest
    )


@pytest.mark.parametrize(("scope", "key"), PLACES)
def test_a_pause_lets_the_step_under_way_end_and_holds_the_next_thing(
    llm: RehearsalServer, olga: User, scope: str, key: str
) -> None:
    """C4: paused while the LLM thinks: its step is written down, its read does not run."""
    llm.add_faults([{"fault": "delay", "delay_s": 0.7, "times": 1}])
    execution = launch(calls(READ), text())
    with standing_runner(base_url=llm.base_url):
        wait_until(llm.log, what="the request")
        operations.pause(scope=scope, key=key, person=olga, reason="a look at it")
        wait_until(lambda: has(execution, "pending"), within_s=WITHIN_S, what="it is put back")
        assert (execution.step_count, execution.wake_at) == (1, None)
        assert execution.tool_calls.get().finished_at is None

        operations.lift(scope=scope, key=key, person=olga)
        wait_until(lambda: has(execution, "completed"), what="it goes on at once")
    assert llm.fired() == [1]
    assert len(llm.log()) == 2


@pytest.mark.parametrize(("scope", "key"), PLACES)
def test_a_kill_also_breaks_off_the_request_under_way(
    llm: RehearsalServer, olga: User, scope: str, key: str
) -> None:
    """C4: killed while the LLM is silent: within 5 s nobody waits for it any more."""
    llm.add_faults([{"fault": "timeout", "delay_s": 60, "times": 1}])
    execution = launch(text())
    with standing_runner(base_url=llm.base_url):
        wait_until(llm.log, what="the request")
        began = time.monotonic()
        operations.kill(scope=scope, key=key, person=olga, reason="it must stop")
        wait_until(lambda: has(execution, "pending"), within_s=WITHIN_S, what="it is put back")
        assert time.monotonic() - began < WITHIN_S
        assert execution.step_count == 0

        operations.lift(scope=scope, key=key, person=olga)
        wait_until(lambda: has(execution, "completed"), what="it goes on at once")
    assert llm.fired() == [1]


@pytest.mark.parametrize(("scope", "key"), [*PLACES, ("tool", "send_email")])
def test_reviews_stay_and_are_decided_but_nothing_of_it_starts(
    llm: RehearsalServer, olga: User, reviewers: list[User], scope: str, key: str
) -> None:
    """C4: an approval given while it is switched off holds, and runs once that is lifted."""
    execution = launch(calls(LETTER), text())
    run_until_idle(base_url=llm.base_url)
    operations.pause(scope=scope, key=key, person=olga, reason="the certificate expired")

    approve(execution, reviewers[0])
    run_until_idle(base_url=llm.base_url)
    assert has(execution, "pending")
    call = execution.tool_calls.get()
    assert (call.status, call.started_at) == ("approved", None)
    assert mail.outbox == []
    assert execution.reviews.get().status == "approved", "only its own expiry voids an approval"

    operations.lift(scope=scope, key=key, person=olga)
    run_until_idle(base_url=llm.base_url)
    assert has(execution, "completed")
    assert len(mail.outbox) == 1


def test_a_tool_that_is_off_stops_only_its_own_calls(
    llm: RehearsalServer, olga: User, reviewers: list[User]
) -> None:
    """C4: others go on, also the same agent's."""
    operations.pause(scope="tool", key="send_email", person=olga, reason="wrong letterhead")
    execution = launch(calls(READ), text())
    run_until_idle(base_url=llm.base_url)
    assert has(execution, "completed")


def test_what_is_switched_off_can_still_be_cancelled(llm: RehearsalServer, olga: User) -> None:
    """C1, C4: also when the cancel had been asked for before it was put back."""
    execution = launch(text())
    AgentExecution.objects.filter(pk=execution.pk).update(cancel_requested_at=execution.created_at)
    operations.kill(scope="all", person=olga, reason="it must stop")
    run_until_idle(base_url=llm.base_url)
    assert has(execution, "cancelled")
    assert llm.log() == []


def test_what_a_death_left_half_done_is_cancelled_into_a_doubt_although_it_is_off(
    llm: RehearsalServer, olga: User
) -> None:
    """C1, C4: put back with a filing under way, it ends with that filing before people."""
    LASTS.set()
    execution = operations.launch(
        agent_type=NAPPING.name,
        input_data={"rehearse": [calls(("file_nap", {"number": 1})), text()]},
        user=factories.system(),
    ).execution
    with standing_runner(base_url=llm.base_url):
        wait_until(lambda: execution.tool_calls.filter(status="running"), what="the filing")
        AgentRunner.objects.update(dead_at=Now())
        operations.pause(scope="all", person=olga, reason="a look at it")
        run_until_idle(base_url=llm.base_url)
        assert has(execution, "pending")
        LASTS.clear()
    call = execution.tool_calls.get()
    assert call.status == "running"

    asked = operations.cancel(execution_id=execution.pk, person=olga)
    assert asked.cancel_requested_at
    run_until_idle(base_url=llm.base_url)
    assert has(execution, "cancelled")
    call.refresh_from_db()
    assert call.status == "in_doubt"
    assert call.reviews.get().kind == "doubt"


def test_whoever_pulls_a_switch_waits_for_the_start_that_is_committing(olga: User) -> None:
    """C4, I9: one order of the race. The engine shares the lock, the switch wants it alone."""
    with psycopg.connect(**parameters()) as starting:
        starting.execute("SELECT pg_advisory_xact_lock_shared(7311001)")
        pulling = threading.Thread(target=pull, args=(olga,))
        pulling.start()
        wait_until(is_blocked, what="the switch waits")
        assert not AgentControl.objects.exists()
        committed = starting.execute("SELECT clock_timestamp()").fetchone()
        starting.commit()
        pulling.join(WITHIN_S)
    switch = AgentControl.objects.get()
    assert committed is not None
    assert switch.changed_at > committed[0]


def test_a_start_waits_for_the_switch_that_is_being_pulled_and_is_refused(
    llm: RehearsalServer, olga: User, reviewers: list[User]
) -> None:
    """C4, I9: the other order, the switch pulled by plain SQL."""
    execution = launch(calls(LETTER), text())
    run_until_idle(base_url=llm.base_url)
    with psycopg.connect(**parameters()) as pulling:
        pulling.execute(
            "INSERT INTO agent_controls (scope, key, state, reason, changed_at)"
            " VALUES ('tool', 'send_email', 'killed', 'by hand', clock_timestamp())"
        )
        with standing_runner(base_url=llm.base_url):
            approve(execution, reviewers[0])
            wait_until(is_blocked, what="the start waits")
            pulling.commit()
            wait_until(lambda: has(execution, "pending"), what="it is put back")
    assert execution.tool_calls.get().started_at is None
    assert mail.outbox == []


def pull(person: User) -> None:
    operations.kill(scope="all", person=person, reason="it must stop")
    connection.close()


def is_blocked() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(BLOCKED)
        row = cursor.fetchone()
    return bool(row and row[0])
