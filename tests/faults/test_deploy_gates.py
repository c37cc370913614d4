"""A tool comes to need people while old and new workers stand: every order ends in a review."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agentops.accounts.models import User
from executions.engine import gates
from executions.models import AgentExecution
from tests import factories
from tests.faults.checking import nothing_is_violated
from tests.faults.deploying import (
    approve,
    buried_at,
    drive,
    heard,
    launch,
)
from tests.rehearsal_server import RehearsalServer
from tests.support.noting import NAME, form, note, notes
from tests.support.rehearsed_agent import calls, text
from tests.support.releases import Release, gated_by_the_database
from tools.base import Effect

TWICE = (calls(note("first")), calls(note("second")), text())


@pytest.fixture
def proposed(release: Release, rehearsal: RehearsalServer) -> AgentExecution:
    """Old code has asked for a note that needs nobody; its runner died before the start."""
    execution = launch(*TWICE)
    with buried_at("StepMade.after"):
        drive(rehearsal, execution)
    call = execution.tool_calls.get()
    assert (call.status, call.gated, call.started_at) == ("pending", False, None)
    return execution


def ends_in_a_review(
    rehearsal: RehearsalServer, execution: AgentExecution, ledger: Path, *people: User
) -> None:
    """The first note was never left; the second waits for people, and is left once they agree."""
    drive(rehearsal, execution)
    assert execution.status == "awaiting_review", execution.error
    assert notes(ledger) == []
    first, second = execution.tool_calls.order_by("step_number")
    assert (first.status, first.started_at) == ("failed", None)
    assert "approval" in heard(rehearsal, first)
    assert second.gated
    approve(execution, *people)
    drive(rehearsal, execution)
    assert execution.status == "completed", execution.error
    assert [line["word"] for line in notes(ledger)] == ["second"]
    nothing_is_violated()


def test_a_call_that_old_code_left_pending_is_asked_for_again_by_new_code(
    release: Release, proposed: AgentExecution, rehearsal: RehearsalServer,
    reviewers: list[User], ledger: Path,
) -> None:  # fmt: skip
    """V4: the tool's own rule became `always`; the database knows nothing of it."""
    release.has_tool(form("gated"))

    ends_in_a_review(rehearsal, proposed, ledger, reviewers[0])


def test_a_call_that_old_code_left_pending_does_not_start_once_the_database_gates_it(
    release: Release, proposed: AgentExecution, rehearsal: RehearsalServer,
    reviewers: list[User], ledger: Path,
) -> None:  # fmt: skip
    """V4: only old code stands after the migration, and it must honour the database's gate."""
    with gated_by_the_database(NAME):
        ends_in_a_review(rehearsal, proposed, ledger, reviewers[0])


def test_old_code_that_has_not_heard_of_the_gate_yet_is_stopped_by_the_database(
    release: Release, rehearsal: RehearsalServer, reviewers: list[User], ledger: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """V4: the migration commits between the runner's look at the gates and the step's commit."""
    looks: list[int] = []

    async def deaf(_: object) -> None:
        looks.append(1)

    with gated_by_the_database(NAME):
        with monkeypatch.context() as patch:
            patch.setattr(gates, "look", deaf)
            gates._told.clear()
            execution = drive(rehearsal, launch(calls(note("first")), text()))
        assert looks
        call = execution.tool_calls.get()
        assert (call.gated, call.status, call.started_at) == (True, "failed", None)
        assert "approval" in heard(rehearsal, call)
    assert notes(ledger) == []
    assert execution.status == "completed"
    nothing_is_violated()


def test_a_read_of_old_code_that_is_a_gated_change_by_now_is_not_run_again(
    release: Release, rehearsal: RehearsalServer, reviewers: list[User], ledger: Path
) -> None:
    """V4: the runner dies inside a read; the code that takes over has a gated change instead."""
    release.has_tool(form("read"))
    execution = launch(*TWICE)
    with buried_at(f"{NAME}.after"):
        drive(rehearsal, execution)
    assert execution.tool_calls.get().status == "running"
    assert [line["rule"] for line in notes(ledger)] == ["read"]
    ledger.unlink()
    release.has_tool(form("gated"))

    drive(rehearsal, execution)

    first, second = execution.tool_calls.order_by("step_number")
    assert first.status == "failed"
    assert "in another way" in heard(rehearsal, first)
    assert second.status == "awaiting_review"
    assert notes(ledger) == []
    nothing_is_violated()


def test_old_code_may_not_use_as_a_read_what_the_database_gates(
    release: Release, rehearsal: RehearsalServer, ledger: Path
) -> None:
    """V4: the tool became a gated change; a worker that has it as a read still stands."""
    release.has_tool(form("read"))
    with gated_by_the_database(NAME):
        execution = drive(rehearsal, launch(calls(note("first")), text()))
        assert execution.status == "completed", execution.error
        assert "being changed" in heard(rehearsal, execution.tool_calls.get())
        assert notes(ledger) == []
        nothing_is_violated()


def test_a_read_that_the_database_refuses_meanwhile_is_thought_over_again(
    release: Release, rehearsal: RehearsalServer, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """V4: the migration commits between old code's look at the gates and its step's commit."""
    release.has_tool(form("read"))
    looks, look = [], gates.look

    async def late(conn: Any) -> None:
        looks.append(1)
        if len(looks) > 1:
            await look(conn)

    gates._told.clear()
    monkeypatch.setattr(gates, "look", late)
    with gated_by_the_database(NAME):
        execution = drive(rehearsal, launch(calls(note("first")), text()))
        assert (execution.status, execution.step_count) == ("pending", 0), execution.error
        factories.change(execution, wake_at=None)
        drive(rehearsal, execution)
        assert execution.status == "completed", execution.error
        assert "being changed" in heard(rehearsal, execution.tool_calls.get())
        assert notes(ledger) == []
        nothing_is_violated()


def test_one_approval_is_too_few_once_two_are_needed(
    release: Release, rehearsal: RehearsalServer, reviewers: list[User], ledger: Path
) -> None:
    """V4: the gate is raised from one vote to two between the approval and the start."""
    release.has_tool(form("gated"))
    execution = drive(rehearsal, launch(calls(note("first")), text()))
    approve(execution, reviewers[0])
    release.has_tool(form("two"))

    drive(rehearsal, execution)

    assert execution.status == "awaiting_review", execution.error
    assert notes(ledger) == []
    again = execution.reviews.get(status="open")
    assert (again.version, again.required_votes) == (2, 2)
    assert "needs 2 people" in again.reason
    approve(execution, *reviewers)
    drive(rehearsal, execution)
    assert execution.status == "completed", execution.error
    assert len(notes(ledger)) == 1
    nothing_is_violated()


def test_the_database_refuses_old_code_that_would_start_under_too_few_votes(
    release: Release, rehearsal: RehearsalServer, reviewers: list[User], ledger: Path
) -> None:
    """V4: only old code stands; the database asks for two votes since the migration."""
    release.has_tool(form("gated"))
    execution = drive(rehearsal, launch(calls(note("first")), text()))
    approve(execution, reviewers[0])
    with gated_by_the_database(NAME, votes=2):
        drive(rehearsal, execution)
        assert execution.status == "awaiting_review", execution.error
        assert execution.reviews.get(status="open").required_votes == 2
        assert notes(ledger) == []
        approve(execution, *reviewers)
        drive(rehearsal, execution)
        assert execution.status == "completed", execution.error
        assert len(notes(ledger)) == 1
        nothing_is_violated()


def test_a_call_whose_tool_works_in_another_way_now_is_asked_for_again(
    release: Release, rehearsal: RehearsalServer, reviewers: list[User], ledger: Path
) -> None:
    """V4, V5: approved as something that may be repeated, it cannot be repeated any more."""
    release.has_tool(form("gated", effect=Effect.IDEMPOTENT))
    execution = drive(rehearsal, launch(*TWICE))
    approve(execution, reviewers[0])
    release.has_tool(form("gated", effect=Effect.ONCE))

    drive(rehearsal, execution)

    first, second = execution.tool_calls.order_by("step_number")
    assert (first.status, first.started_at) == ("failed", None)
    assert (second.status, second.effect) == ("awaiting_review", "once")
    assert notes(ledger) == []
    nothing_is_violated()
