"""Tools that act outside, and an outside that misbehaves: its own ledgers say what happened."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models.functions import Now

from agentops.accounts.models import User
from executions import operations
from executions.core import idempotency
from executions.models import AgentToolCall
from tests import factories
from tests.factories import change, fresh
from tests.faults.checking import nothing_is_violated
from tests.faults.outward import ANA, asked, drive, files_with, filing, keys
from tests.faults.world import Outside, Report
from tests.sandbox_authority import sandbox_authority
from tests.support.rehearsed_agent import text
from tests.support.trial import TRIAL, asking, only_call
from tools.models import Customer


def test_a_letter_that_left_before_the_trouble_is_in_doubt_and_never_sent_again(
    beyond: Outside, report: Report
) -> None:
    """T5: `once`; an answer that came makes it certain, one that did not leaves it to people."""
    sent = {"to": [ANA], "body": "x"}
    late = asking("send_now", subject="[late drop] answered", **sent)
    lost = asking("send_now", subject="[drop] unanswered", **sent)
    broken = asking("send_and_break", subject="then the tool broke")

    drive(beyond, late, lost, broken)

    assert [only_call(one).status for one in (late, lost, broken)] == [
        "succeeded",
        "in_doubt",
        "in_doubt",
    ]
    letters = [letter["subject"] for letter in beyond.letters.new()]
    assert sorted(letters) == ["[drop] unanswered", "[late drop] answered", "then the tool broke"]
    doubt = lost.reviews.get(status="open")
    operations.settle(
        review_id=doubt.pk,
        person=User.objects.create_superuser("boss"),
        verdict="happened",
        seen_digest=doubt.input_digest,
        reason="it stands in the mail server's log",
    )
    drive(beyond, lost)
    assert (lost.status, only_call(lost).status) == ("completed", "succeeded")
    assert beyond.letters.new() == []
    nothing_is_violated()


def test_what_left_nothing_behind_has_simply_failed(beyond: Outside, report: Report) -> None:
    """T5: `read` and `transactional`; the change is rolled back with its outcome."""
    before = Customer.objects.get(pk="C-1001")
    changed = asking("change_and_break", customer_id="C-1001")
    looked = asking("read_and_break", word="x")

    drive(beyond, changed, looked)

    for one, said in ((changed, "after the change"), (looked, "after the look")):
        assert one.status == "completed"
        assert only_call(one).status == "failed"
        assert f"Broke: {said}" in (only_call(one).error or "")
    now = Customer.objects.get(pk="C-1001")
    assert (now.phone, now.version) == (before.phone, before.version)
    nothing_is_violated()


@pytest.mark.parametrize(("times", "ends"), [("1", "succeeded"), ("99", "in_doubt")])
def test_a_filing_whose_answer_was_lost_is_filed_again_under_its_key_and_stands_once(
    beyond: Outside, report: Report, tmp_path: Path, times: str, ends: str
) -> None:
    """T5: `idempotent`; without an answer in the end a person says what became of it."""
    with sandbox_authority(
        tmp_path, "--fault", "drop-after-recording", "--fault-times", times
    ) as authority:
        files_with(authority)
        one = asking("submit_now", **filing(report))

        drive(beyond, one)

        assert only_call(one).status == ends
        assert asked(authority) > 1
        assert len(authority.filings()) == 1
        nothing_is_violated(keys(authority))


def started(report: Report, *, ago: timedelta) -> AgentToolCall:
    """A filing that started so long ago, under a runner that has died since."""
    one = factories.running(agent_type=TRIAL, input_data={"rehearse": [text()]})
    call = factories.call(
        one, tool_name="submit_now", tool_input=filing(report), effect="idempotent"
    )
    key = idempotency.key(execution_id=str(one.pk), step_number=1, call_index=0)
    change(call, status="running", started_at=Now() - ago, idempotency_key=key)
    return call


def test_a_filing_cut_off_and_then_out_of_reach_is_not_told_as_not_filed(
    beyond: Outside, report: Report, tmp_path: Path
) -> None:
    """T5: the second life learns nothing of the first one's try."""
    with sandbox_authority(tmp_path) as authority:
        files_with(authority)
        authority.process.stop()
        call = started(report, ago=timedelta(seconds=20))

        drive(beyond, call.execution)

    assert fresh(call).status == "in_doubt"
    assert "an earlier try was cut off" in call.error
    assert "out of reach" in call.error


@pytest.mark.parametrize(("ago", "ends"), [(19, "succeeded"), (20, "in_doubt"), (72, "in_doubt")])
def test_a_filing_is_not_repeated_once_its_key_may_be_forgotten(
    beyond: Outside, report: Report, tmp_path: Path, ago: int, ends: str
) -> None:
    """T8: a key counts for 24 hours there; from 80 % of that on a person decides."""
    with sandbox_authority(tmp_path) as authority:
        files_with(authority)
        call = started(report, ago=timedelta(hours=ago))

        drive(beyond, call.execution)

        assert fresh(call).status == ends, call.error
        assert asked(authority) == (1 if ends == "succeeded" else 0)
    if ends == "in_doubt":
        assert "may have forgotten its idempotency key" in call.error
        assert call.execution.reviews.get().kind == "doubt"
