"""The code changes while executions wait for days: each ends by what it was launched with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pydantic import BaseModel

from agentops.accounts.models import User
from executions.models import AgentDefinition, AgentExecution
from tests import factories
from tests.faults.checking import nothing_is_violated
from tests.faults.deploying import (
    approve,
    died_inside,
    drive,
    heard,
    held_by_a_dead_runner,
    launch,
)
from tests.rehearsal_server import RehearsalServer
from tests.support.noting import AGENT, NAME, NOTER, asking_for_more, form, note, notes
from tests.support.rehearsed_agent import calls, text
from tests.support.releases import Release
from tools.base import Effect

GATED = form("gated")
NEW_WORDS = "You are somebody else now. " * 20
OTHER = replace(
    NOTER,
    instructions=NEW_WORDS,
    tools=(NAME, "lookup_regulation"),
    llm="another-llm",
    limits=replace(NOTER.limits, max_steps=1),
)


class Finding(BaseModel):
    """What an agent with a shaped answer says."""

    verdict: str
    score: int = 0


class Stricter(BaseModel):
    verdict: bool
    evidence: list[str]


def waits_for_people(
    release: Release, rehearsal: RehearsalServer, *then: dict[str, Any]
) -> AgentExecution:
    release.has_tool(GATED)
    execution = drive(rehearsal, launch(calls(note("first")), *then))
    assert execution.status == "awaiting_review"
    return execution


def test_an_execution_in_flight_keeps_what_it_was_launched_with(
    release: Release, rehearsal: RehearsalServer, reviewers: list[User], ledger: Any
) -> None:
    """V1: instructions, tools, limits and LLM change while it waits for people."""
    execution = waits_for_people(
        release, rehearsal, calls(("find_customers", {"name": "Ana"})), text()
    )
    before = rehearsal.log()[-1]["body"]
    release.has_agent(OTHER)

    approve(execution, reviewers[0])
    drive(rehearsal, execution)

    after = rehearsal.log()[-1]["body"]
    assert execution.status == "completed", execution.error
    assert execution.step_count == 3
    for part in ("instructions", "tools", "model"):
        assert after[part] == before[part]
    drive(rehearsal, launch(text()))
    assert rehearsal.log()[-1]["body"]["instructions"] == NEW_WORDS
    nothing_is_violated()


def test_its_pages_say_which_definition_it_runs_by_and_what_changed_since(
    release: Release, rehearsal: RehearsalServer, reviewers: list[User], client: Client
) -> None:
    """V1: the story and the review tell of the older definition."""
    execution = waits_for_people(release, rehearsal, text())
    rita = reviewers[0]
    rita.user_permissions.add(
        factories.person("o", may=["view_agentexecution"]).user_permissions.get()
    )
    client.force_login(User.objects.get(pk=rita.pk))
    pages = [
        reverse("execution", args=[execution.pk]),
        reverse("review", args=[execution.reviews.get().pk]),
    ]
    for page in pages:
        assert "older definition" not in client.get(page).content.decode()
    release.has_agent(OTHER)

    for page in pages:
        shown = client.get(page).content.decode()
        assert "Runs by an older definition, number 1 (now 2)" in shown
        for what in ("instructions", "tool lookup_regulation", "tool find_customers",
                     "limit max_steps", "another-llm"):  # fmt: skip
            assert what in shown
    release.lost_agent(AGENT)
    for page in pages:
        assert "no longer in the code" in client.get(page).content.decode()


@pytest.mark.parametrize("change", ["agent gone", "answer of another shape"])
def test_the_answers_shape_is_that_of_the_launch(
    release: Release, rehearsal: RehearsalServer, reviewers: list[User], ledger: Any, change: str
) -> None:
    """V1, V2: the agent's output model changes, or the agent goes, while it waits."""
    release.has_agent(replace(NOTER, output_model=Finding))
    execution = waits_for_people(
        release, rehearsal, text('{"verdict": 7}'), text('{"verdict": "clean", "score": 3}')
    )
    if change == "agent gone":
        release.lost_agent(AGENT)
    else:
        release.has_agent(replace(NOTER, output_model=Stricter))

    approve(execution, reviewers[0])
    drive(rehearsal, execution)

    assert execution.status == "completed", execution.error
    assert execution.result == {"verdict": "clean", "score": 3}
    assert "verdict: must be string" in (execution.steps.get(step_number=2).problem or "")
    assert len(notes(ledger)) == 1
    nothing_is_violated()


def test_an_approved_call_of_a_removed_tool_is_an_error_the_llm_hears(
    release: Release, rehearsal: RehearsalServer, reviewers: list[User], ledger: Any
) -> None:
    """V2: the tool is removed between the approval and the start."""
    execution = waits_for_people(release, rehearsal, calls(note("again")), text("sorry"))
    approve(execution, reviewers[0])
    release.lost_tool(NAME)

    drive(rehearsal, execution)

    assert execution.status == "completed", execution.error
    first, second = execution.tool_calls.order_by("step_number")
    assert (first.status, second.status) == ("failed", "failed")
    assert first.started_at is second.started_at is None
    assert "There is no tool" in heard(rehearsal, first)
    assert notes(ledger) == []
    nothing_is_violated()


def test_approved_arguments_that_do_not_fit_any_more_fail_before_any_effect(
    release: Release, rehearsal: RehearsalServer, reviewers: list[User], ledger: Any
) -> None:
    """V2: the tool's schema gains a required field between the approval and the start."""
    execution = waits_for_people(release, rehearsal, text("sorry"))
    approve(execution, reviewers[0])
    release.has_tool(asking_for_more())

    drive(rehearsal, execution)

    assert execution.status == "completed", execution.error
    call = execution.tool_calls.get()
    assert (call.status, call.started_at) == ("failed", None)
    assert "place" in heard(rehearsal, call)
    assert notes(ledger) == []
    nothing_is_violated()


@pytest.mark.parametrize("effect", [Effect.ONCE, Effect.IDEMPOTENT])
def test_a_call_that_may_have_happened_is_in_doubt_when_its_tool_is_gone(
    release: Release, rehearsal: RehearsalServer, reviewers: list[User], effect: Effect
) -> None:
    """V2: the runner dies inside a call, and the code that takes over lacks the tool."""
    release.has_tool(form("gated", effect=effect))
    execution = drive(rehearsal, launch(calls(note("first")), text()))
    approve(execution, reviewers[0])
    call = died_inside(execution)
    release.lost_tool(NAME)

    drive(rehearsal, execution)

    assert execution.status == "awaiting_review", execution.error
    assert factories.fresh(call).status == "in_doubt"
    assert execution.reviews.filter(kind="doubt", status="open").count() == 1
    nothing_is_violated()


def test_one_definition_that_cannot_be_read_ends_only_its_own_execution(
    release: Release, rehearsal: RehearsalServer
) -> None:
    """V3: a definition that makes no sense does not take down the runner that meets it."""
    AgentDefinition.objects.create(sha256="0" * 64, agent_type=AGENT, body={"agent": AGENT})
    whole = launch(text())
    broken = factories.execution(agent_type=AGENT, definition_id="0" * 64)

    drive(rehearsal, whole)

    assert whole.status == "completed", whole.error
    assert factories.fresh(broken).stop_reason == "UNREADABLE"
    assert "definition" in broken.error


def test_a_plain_launch_of_an_agent_that_is_gone_says_so(
    release: Release, rehearsal: RehearsalServer
) -> None:
    """V2: without a snapshot there is nothing to go on by."""
    release.lost_agent(AGENT)
    execution = factories.execution(agent_type=AGENT, input_data={"rehearse": []})

    drive(rehearsal, execution)

    assert (execution.status, execution.stop_reason) == ("failed", "DEFINITION_REMOVED")


def test_an_execution_left_by_a_dead_runner_goes_on_without_its_agent(
    release: Release, rehearsal: RehearsalServer
) -> None:
    """V2: the agent goes while a runner drives it, and that runner dies."""
    execution = launch(text("well then"))
    held_by_a_dead_runner(execution)
    release.lost_agent(AGENT)

    drive(rehearsal, execution)

    assert execution.status == "completed", execution.error
