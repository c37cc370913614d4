"""Real processes killed and frozen at the worst moments: nothing is lost, nothing happens twice."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from agentops.accounts.models import User
from executions import operations
from executions.engine.connections import parameters
from executions.models import AgentExecution, AgentReview, AgentToolCall
from tests.journeys.conftest import (
    World,
    approve_open,
    call_status,
    check_invariants,
    drive_to_end,
    launch,
    until,
    worker_of,
)
from tests.support.waiting import wait_until
from tools.models import Customer

pytestmark = [pytest.mark.processes, pytest.mark.slow]

# Sooner than the lease could run out (its last heartbeat is at most five seconds old): death was
# noticed, not waited for. It takes about one second; a loaded machine may need more.
TAKEOVER_S = 9.0
BRIEF_LEASE_S, BEAT_S = 6, 2
GENERATOR, STEWARD = "compliance_document_generator", "customer_record_steward"


def taken_over(execution: AgentExecution, token: int, *, within_s: float) -> float:
    """Wait until another runner has the lease; return the seconds it took."""
    began = time.monotonic()

    def moved() -> bool:
        execution.refresh_from_db()
        return execution.lease_token > token

    wait_until(moved, within_s=within_s, what="a takeover")
    return time.monotonic() - began


def kill_worker(execution: AgentExecution) -> float:
    """kill -9 the worker that drives it; return the seconds until another took over.

    The restart of the cluster by whoever supervises it is counted in.
    """
    token = execution.lease_token
    worker_of(execution).send_signal(signal.SIGKILL)
    return taken_over(execution, token, within_s=TAKEOVER_S)


@pytest.fixture
def two_clusters(world: World) -> World:
    world.cluster()
    world.cluster()
    return world


@pytest.fixture
def brief_leases(world: World) -> World:
    """Two clusters of which nobody is believed alive for as long as usual."""
    world.variables |= {
        "AGENTOPS_LEASE_S": str(BRIEF_LEASE_S),
        "AGENTOPS_HEARTBEAT_S": str(BEAT_S),
    }
    world.cluster()
    world.cluster()
    return world


def test_a_worker_killed_during_an_llm_call_is_taken_over(
    two_clusters: World, reviewers: list[User], tmp_path: Path
) -> None:
    two_clusters.llm.add_faults([{"fault": "delay", "delay_s": 8, "match": {"contains": "C-1001"}}])
    execution = launch(GENERATOR)
    wait_until(lambda: two_clusters.llm.fired() == [1], what="the LLM call under way")
    until(execution, "running")

    seconds = kill_worker(execution)

    assert seconds <= TAKEOVER_S
    drive_to_end(execution, reviewers)
    assert execution.status == "completed", execution.error
    assert execution.steps.count() == execution.step_count
    check_invariants(tmp_path, two_clusters)


def test_a_worker_killed_during_a_read_reads_again(
    two_clusters: World, reviewers: list[User], tmp_path: Path
) -> None:
    with psycopg.connect(**parameters()) as blocker:
        blocker.execute("LOCK TABLE tools_regulation IN ACCESS EXCLUSIVE MODE")
        execution = launch(GENERATOR)
        wait_until(
            lambda: call_status(execution, "lookup_regulation") == "running", what="the read"
        )
        execution.refresh_from_db()

        assert kill_worker(execution) <= TAKEOVER_S

    drive_to_end(execution, reviewers)
    assert execution.status == "completed", execution.error
    check_invariants(tmp_path, two_clusters)


def test_a_worker_killed_inside_a_transaction_changes_the_record_once(
    two_clusters: World, reviewers: list[User], tmp_path: Path
) -> None:
    execution = until(launch(STEWARD, message_id="M-2002"), "awaiting_review")
    call = AgentToolCall.objects.get(execution=execution, tool_name="update_customer_record")
    customer_id = call.tool_input["customer_id"]
    version = Customer.objects.get(pk=customer_id).version
    with psycopg.connect(**parameters()) as blocker:
        blocker.execute(
            "SELECT 1 FROM tools_customer WHERE customer_id = %s FOR UPDATE", (customer_id,)
        )
        approve_open(execution, reviewers)
        wait_until(
            lambda: call_status(execution, "update_customer_record") == "running", what="the update"
        )
        wait_until(_somebody_waits_for_the_record, what="the tool waiting inside its transaction")
        execution.refresh_from_db()

        assert kill_worker(execution) <= TAKEOVER_S

    drive_to_end(execution, reviewers)
    assert Customer.objects.get(pk=customer_id).version == version + 1
    assert call_status(execution, "update_customer_record") == "succeeded"
    check_invariants(tmp_path, two_clusters)


def _somebody_waits_for_the_record() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database() AND query LIKE '%%tools_customer%%'"
        )
        return cursor.fetchone() is not None


def test_a_worker_killed_while_a_letter_leaves_puts_it_in_doubt(
    two_clusters: World, reviewers: list[User], tmp_path: Path
) -> None:
    execution = until(launch(GENERATOR), "awaiting_review")
    two_clusters.hold_mail.touch()

    def letter_left() -> bool:
        approve_open(execution, reviewers)
        return bool(two_clusters.letters())

    wait_until(letter_left, within_s=40, what="the letter in the mail server's ledger")
    execution.refresh_from_db()
    seconds = kill_worker(execution)
    two_clusters.hold_mail.unlink()

    assert seconds <= TAKEOVER_S
    until(execution, "awaiting_review")
    assert call_status(execution, "send_email") == "in_doubt"
    assert len(two_clusters.letters()) == 1
    check_invariants(tmp_path, two_clusters)

    review = AgentReview.objects.open().get(execution=execution, kind="doubt")
    operations.settle(
        review_id=review.pk,
        person=reviewers[0],
        verdict="happened",
        seen_digest=review.input_digest,
        reason="seen in the mail server's log",
    )
    drive_to_end(execution, reviewers)
    assert execution.status == "completed", execution.error
    assert len(two_clusters.letters()) == 1
    check_invariants(tmp_path, two_clusters)


def test_a_frozen_worker_loses_its_lease_and_changes_nothing_when_it_wakes(
    brief_leases: World, reviewers: list[User], tmp_path: Path
) -> None:
    """A8: SIGSTOP in the middle of an LLM request, SIGCONT when all is done by others."""
    brief_leases.llm.add_faults([{"fault": "delay", "delay_s": 6, "match": {"contains": "C-1001"}}])
    execution = launch(GENERATOR)
    wait_until(lambda: brief_leases.llm.fired() == [1], what="the LLM call under way")
    until(execution, "running")
    token, worker = execution.lease_token, worker_of(execution)

    worker.suspend()
    seconds = taken_over(execution, token, within_s=BRIEF_LEASE_S + TAKEOVER_S)
    until(execution, "awaiting_review")
    worker.resume()

    assert seconds <= BRIEF_LEASE_S + TAKEOVER_S
    drive_to_end(execution, reviewers)
    assert execution.status == "completed", execution.error
    assert execution.steps.count() == execution.step_count
    check_invariants(tmp_path, brief_leases)
