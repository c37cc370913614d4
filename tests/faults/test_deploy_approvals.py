"""What people approved is tied to the tool as they saw it."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentops.accounts.models import User
from executions.models import AgentReviewVote
from tests.faults.checking import nothing_is_violated
from tests.faults.deploying import approve, drive, launch
from tests.rehearsal_server import RehearsalServer
from tests.support.noting import form, note, notes
from tests.support.rehearsed_agent import calls, text
from tests.support.releases import Release


def test_an_approval_of_old_code_is_asked_again_before_new_code_runs(
    release: Release, rehearsal: RehearsalServer, reviewers: list[User], ledger: Path
) -> None:
    """V5: the tool's version is raised between the approval and the start."""
    old, new = form("gated", version=1), form("gated", version=2)
    release.has_tool(old)
    execution = drive(rehearsal, launch(calls(note("first")), text()))
    first = approve(execution, reviewers[0])
    release.has_tool(new)

    drive(rehearsal, execution)

    assert execution.status == "awaiting_review", execution.error
    assert notes(ledger) == []
    first.refresh_from_db()
    assert first.status == "void"
    again = execution.reviews.get(status="open")
    assert again.version == 2
    assert f"has changed since {reviewers[0]} approved" in again.reason
    approve(execution, reviewers[1])
    drive(rehearsal, execution)
    assert execution.status == "completed", execution.error
    assert len(notes(ledger)) == 1
    versions = AgentReviewVote.objects.order_by("created_at").values_list("tool_version", flat=True)
    assert list(versions) == [old.fingerprint, new.fingerprint]
    nothing_is_violated()


def test_a_deploy_before_the_approval_asks_nobody_twice(
    release: Release, rehearsal: RehearsalServer, reviewers: list[User], ledger: Path
) -> None:
    """V5: what counts is the tool the voter saw, not the one it was proposed under."""
    release.has_tool(form("gated", version=1))
    execution = drive(rehearsal, launch(calls(note("first")), text()))
    release.has_tool(form("gated", version=2))

    approve(execution, reviewers[0])
    drive(rehearsal, execution)

    assert execution.status == "completed", execution.error
    assert execution.reviews.count() == 1
    assert len(notes(ledger)) == 1


def test_a_vote_that_names_no_version_is_not_enough(
    release: Release, rehearsal: RehearsalServer, reviewers: list[User], ledger: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """V5: approved by a web process whose code does not have the tool at all."""
    release.has_tool(form("gated"))
    execution = drive(rehearsal, launch(calls(note("first")), text()))
    with monkeypatch.context() as patch:
        Release(patch).lost_tool("leave_note")
        approve(execution, reviewers[0])

    drive(rehearsal, execution)

    assert execution.status == "awaiting_review", execution.error
    assert notes(ledger) == []


def test_the_fingerprint_changes_with_what_people_should_look_at_again() -> None:
    same, other = form("gated"), form("gated")

    assert same.fingerprint == other.fingerprint
    assert len({one.fingerprint for one in (
        form("gated"), form("gated", version=2), form("read"),
    )}) == 3  # fmt: skip
