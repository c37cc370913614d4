"""Old and new workers stand together while a tool comes to need people: real processes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from agentops.accounts.models import User
from executions import operations
from executions.invariants.rule import Ledger
from executions.models import AgentExecution, AgentReview, AgentToolCall
from tests.faults.checking import nothing_is_violated
from tests.faults.deploying import launch
from tests.faults.releasing import Sites
from tests.support.effort import Effort
from tests.support.noting import NAME, form, note, notes
from tests.support.rehearsed_agent import calls, text
from tests.support.releases import Release, gated_by_the_database
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.slow]

FIND = ("find_customers", {"name": "Ana"})


def scripts(number: int) -> list[dict[str, object]]:
    """Return what the LLM says: one or two notes, between reads."""
    first, second = note(f"{number} first"), note(f"{number} second")
    return [
        [calls(FIND), calls(first), text()],
        [calls(first, second), calls(FIND), text()],
        [calls(first), calls(FIND), calls(second), text()],
    ][number % 3]


def decide_what_is_open(people: list[User]) -> None:
    """Approve two of three, reject the third."""
    for number, review in enumerate(AgentReview.objects.open().filter(kind="approval")):
        approve = bool(number % 3)
        for person in people[: review.required_votes if approve else 1]:
            operations.decide(
                review_id=review.pk, person=person, approve=approve,
                seen_digest=review.input_digest, reason="" if approve else "not this one",
            )  # fmt: skip


def test_no_order_of_old_and_new_lets_an_ungated_note_through_once_the_gate_is_closed(
    sites: Sites, release: Release, reviewers: list[User], ledger: Path, effort: Effort
) -> None:
    """V4: half of it is under way when the new release comes and its migration closes the gate."""
    count = effort.times(short=60, long=500)
    sites.agents("free", AGENTOPS_RUNNER_CAPACITY="8")
    early = [launch(*scripts(number)) for number in range(count // 2)]
    wait_until(lambda: len(notes(ledger)) >= count // 8, within_s=60, what="free notes")

    with gated_by_the_database(NAME):
        release.has_tool(form("gated"))  # what the web process runs
        late = [launch(*scripts(number)) for number in range(count // 2, count)]
        sites.agents("gated", AGENTOPS_RUNNER_CAPACITY="8")

        def all_ended() -> bool:
            decide_what_is_open(reviewers)
            return not AgentExecution.objects.unfinished().exists()

        wait_until(all_ended, within_s=effort.times(short=120, long=600), what="the end of all")
        for one in (*early, *late):
            one.refresh_from_db()
        left_free = [line for line in notes(ledger) if line["rule"] == "free"]
        left_gated = [line for line in notes(ledger) if line["rule"] == "gated"]
        gated = AgentToolCall.objects.filter(tool_name=NAME, gated=True)

        assert Counter(one.status for one in (*early, *late)) == {"completed": count}
        assert left_free
        assert left_gated
        started = AgentToolCall.objects.filter(tool_name=NAME, started_at__isnull=False)
        asked = AgentReview.objects.order_by("created_at")[0].created_at
        assert not started.filter(gated=False, started_at__gt=asked).exists()
        assert started.count() == len(notes(ledger))
        assert not AgentToolCall.objects.filter(status="pending").exists()
        assert {one.status for one in gated} <= {"succeeded", "rejected", "failed"}
        keys = [line["key"] for line in notes(ledger)]
        assert len(keys) == len(set(keys))
        nothing_is_violated(Ledger(tool=NAME, keys=tuple(keys)))
