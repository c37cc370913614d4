"""Newer code wrote, then older code came back: it leaves alone what it might misread."""

from __future__ import annotations

import logging

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from agentops.accounts.models import User
from executions import operations
from executions.core.row_format import ROW_FORMAT
from executions.engine.recovery import recover
from executions.models import AgentDefinition, AgentExecution
from tests import factories
from tests.faults.checking import nothing_is_violated
from tests.faults.deploying import approve, drive, held_by_a_dead_runner, launch
from tests.rehearsal_server import RehearsalServer
from tests.support.noting import form, note, notes
from tests.support.rehearsed_agent import calls, text
from tests.support.releases import Release

UNTOUCHED = ("status", "lease_token", "attempts", "limits", "state", "definition_id", "row_format",
             "updated_at")  # fmt: skip


def by_newer_code(execution: AgentExecution) -> AgentExecution:
    """Make its rows those of code that is one format ahead, with keys this code has never seen."""
    body = {"format": ROW_FORMAT + 1, "agents": ["several", "at", "once"]}
    AgentDefinition.objects.get_or_create(sha256="f" * 64, agent_type="noter", body=body)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE agent_executions DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE agent_executions SET row_format = %s, definition_id = %s,"
            """ limits = limits || '{"max_steps": "twelve", "max_thoughts": 3}',"""
            """ state = '{"plan": {"next": 2}}' WHERE id = %s""",
            [ROW_FORMAT + 1, "f" * 64, execution.pk],
        )
        cursor.execute("ALTER TABLE agent_executions ENABLE TRIGGER USER")
    execution.refresh_from_db()
    return execution


def untouched(execution: AgentExecution) -> dict[str, object]:
    return AgentExecution.objects.filter(pk=execution.pk).values(*UNTOUCHED).get()


def test_what_newer_code_wrote_stays_untouched_beside_what_older_code_drives(
    release: Release, rehearsal: RehearsalServer, caplog: pytest.LogCaptureFixture
) -> None:
    """V3: unknown keys in limits, state and definition; pending, and under a dead runner."""
    pending, running = by_newer_code(launch(text())), launch(text())
    held_by_a_dead_runner(running)
    by_newer_code(running)
    before = untouched(pending), untouched(running)
    ours = launch(text())

    with caplog.at_level(logging.ERROR):
        found = recover()
    drive(rehearsal, ours)

    assert ours.status == "completed", ours.error
    assert (untouched(pending), untouched(running)) == before
    assert found["newer"] == 2
    assert "2 executions were written by newer code" in caplog.text
    assert recover().get("rang") is None  # nobody is rung for what nobody here may take


def test_newer_code_goes_on_where_older_code_stood_back(
    release: Release, rehearsal: RehearsalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """V3: the same row is driven by the runner that knows its format."""
    execution = launch(text())
    AgentExecution.objects.filter(pk=execution.pk).update(row_format=ROW_FORMAT + 1)
    drive(rehearsal, execution)
    assert execution.status == "pending"

    AgentExecution.objects.filter(pk=execution.pk).update(row_format=ROW_FORMAT)
    drive(rehearsal, execution)

    assert execution.status == "completed"
    nothing_is_violated()


def test_people_see_it_and_may_cancel_it(
    release: Release, rehearsal: RehearsalServer, client: Client
) -> None:
    """V3: its page opens with rows this code cannot read, and says what it waits for."""
    may = ["view_agentexecution", "cancel_execution"]
    olga = factories.person("olga", may=may, is_staff=True)
    client.force_login(olga)
    execution = by_newer_code(launch(text()))

    page = client.get(reverse("execution", args=[execution.pk]))

    assert page.status_code == 200
    assert "Waits for newer code" in page.content.decode()
    operations.cancel(execution_id=execution.pk, person=olga, reason="not needed")
    assert factories.fresh(execution).status == "cancelled"


def test_a_review_of_newer_code_can_be_decided_and_starts_nothing_in_older_code(
    release: Release, rehearsal: RehearsalServer, reviewers: list[User], ledger: object,
    client: Client,
) -> None:  # fmt: skip
    """V3: approved while only older code stands: the call waits for the newer one."""
    release.has_tool(form("gated"))
    execution = drive(rehearsal, launch(calls(note("first")), text()))
    by_newer_code(execution)
    client.force_login(reviewers[0])
    assert client.get(reverse("review", args=[execution.reviews.get().pk])).status_code == 200

    approve(execution, reviewers[0])
    drive(rehearsal, execution)

    assert execution.status == "pending"
    assert execution.tool_calls.get().status == "approved"
    assert notes(ledger) == []  # type: ignore[arg-type]
