"""Tools that act outside, and an outside that misbehaves: its own ledgers say what happened."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now

from agentops.accounts.models import User
from executions import operations
from executions.core import idempotency
from executions.invariants import Ledger
from executions.models import AgentExecution, AgentToolCall
from tests import factories
from tests.factories import change, fresh
from tests.faults import world
from tests.faults.checking import nothing_is_violated
from tests.faults.world import Outside, Report
from tests.sandbox_authority import SandboxAuthority, sandbox_authority
from tests.support.rehearsed_agent import calls, text
from tests.support.standing_runner import run_until_idle
from tests.support.trial import TRIAL, asking, launched, only_call, trial
from tools import filings
from tools.base import Effect, Tool, ToolContext, never, tool
from tools.deadline import Deadline
from tools.models import Customer, Regulator
from tools.registry import TOOLS

ANA, OMAR = "ana.duarte@marlowe-shipping.example", "omar@hallberg.example"
LENA = "refused.lena@hallberg.example"


def at_once(name: str, alias: str) -> Tool:
    """The site's own tool, under another name and without its gate."""
    return replace(TOOLS[name], name=alias, approval=never())


class Broke(Exception):
    """After the effect."""


@tool(effect=Effect.TRANSACTIONAL, approval=never())
def change_and_break(*, customer_id: str) -> None:
    """Change a record, then break."""
    Customer.objects.filter(pk=customer_id).update(phone="+31 10 555 0199")
    raise Broke("after the change")


@tool(effect=Effect.ONCE, approval=never())
def send_and_break(*, subject: str, context: ToolContext) -> None:
    """Send a letter, then break."""
    sent = {"to": [ANA], "subject": subject, "body": "x", "attach_document_ids": []}
    TOOLS["send_email"].function(**sent, context=context)
    raise Broke("after the letter")


@tool(effect=Effect.READ)
def read_and_break(*, word: str) -> None:
    """Read, then break."""
    raise Broke("after the look")


@pytest.fixture
def outside(committed_db: None, around: Outside, settings: Any) -> Iterator[Outside]:
    settings.AGENTOPS_MAIL_ALLOWED_DOMAINS = ["hallberg.example"]
    own = (change_and_break, send_and_break, read_and_break)
    site = (at_once("send_email", "send_now"), at_once("submit_to_regulator", "submit_now"))
    with world.quickly(around), trial(*own, *site):
        around.letters.new()
        yield around


@pytest.fixture
def report(outside: Outside) -> Report:
    return world.lay_down()


def drive(outside: Outside, *executions: AgentExecution) -> None:
    run_until_idle(base_url=outside.llm.base_url)
    for one in executions:
        one.refresh_from_db()


def filing(report: Report) -> dict[str, Any]:
    return {
        "regulator_id": "REG-NFSA",
        "document_id": report.document_id,
        "document_sha256": report.sha256,
        "subject": "Due diligence",
    }


def misbehaving(folder: Path, *options: str) -> Any:
    return sandbox_authority(folder, *options)


def files_with(authority: SandboxAuthority) -> None:
    Regulator.objects.update(endpoint=f"{authority.url}/filings")


def asked(authority: SandboxAuthority) -> int:
    """How often anybody filed, by the authority's own log."""
    return authority.process.log().count("asked: /filings")


def keys(authority: SandboxAuthority) -> Ledger:
    seen = tuple(entry["idempotency_key"] for entry in authority.filings())
    return Ledger(tool="submit_now", keys=seen)


def test_a_letter_that_left_before_the_trouble_is_in_doubt_and_never_sent_again(
    outside: Outside, report: Report
) -> None:
    """T5: `once`; an answer that came makes it certain, one that did not leaves it to people."""
    sent = {"to": [ANA], "body": "x"}
    late = asking("send_now", subject="[late drop] answered", **sent)
    lost = asking("send_now", subject="[drop] unanswered", **sent)
    broken = asking("send_and_break", subject="then the tool broke")

    drive(outside, late, lost, broken)

    assert [only_call(one).status for one in (late, lost, broken)] == [
        "succeeded",
        "in_doubt",
        "in_doubt",
    ]
    letters = [letter["subject"] for letter in outside.letters.new()]
    assert sorted(letters) == ["[drop] unanswered", "[late drop] answered", "then the tool broke"]
    doubt = lost.reviews.get(status="open")
    operations.settle(
        review_id=doubt.pk,
        person=User.objects.create_superuser("boss"),
        verdict="happened",
        seen_digest=doubt.input_digest,
        reason="it stands in the mail server's log",
    )
    drive(outside, lost)
    assert (lost.status, only_call(lost).status) == ("completed", "succeeded")
    assert outside.letters.new() == []
    nothing_is_violated()


def test_what_left_nothing_behind_has_simply_failed(outside: Outside, report: Report) -> None:
    """T5: `read` and `transactional`; the change is rolled back with its outcome."""
    before = Customer.objects.get(pk="C-1001")
    changed = asking("change_and_break", customer_id="C-1001")
    looked = asking("read_and_break", word="x")

    drive(outside, changed, looked)

    for one, said in ((changed, "after the change"), (looked, "after the look")):
        assert one.status == "completed"
        assert only_call(one).status == "failed"
        assert f"Broke: {said}" in (only_call(one).error or "")
    now = Customer.objects.get(pk="C-1001")
    assert (now.phone, now.version) == (before.phone, before.version)
    nothing_is_violated()


@pytest.mark.parametrize(("times", "ends"), [("1", "succeeded"), ("99", "in_doubt")])
def test_a_filing_whose_answer_was_lost_is_filed_again_under_its_key_and_stands_once(
    outside: Outside, report: Report, tmp_path: Path, times: str, ends: str
) -> None:
    """T5: `idempotent`; without an answer in the end a person says what became of it."""
    with misbehaving(
        tmp_path, "--fault", "drop-after-recording", "--fault-times", times
    ) as authority:
        files_with(authority)
        one = asking("submit_now", **filing(report))

        drive(outside, one)

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
    outside: Outside, report: Report, tmp_path: Path
) -> None:
    """T5: the second life learns nothing of the first one's try."""
    with misbehaving(tmp_path) as authority:
        files_with(authority)
        authority.process.stop()
        call = started(report, ago=timedelta(seconds=20))

        drive(outside, call.execution)

    assert fresh(call).status == "in_doubt"
    assert "an earlier try was cut off" in call.error
    assert "out of reach" in call.error


@pytest.mark.parametrize(("ago", "ends"), [(19, "succeeded"), (20, "in_doubt"), (72, "in_doubt")])
def test_a_filing_is_not_repeated_once_its_key_may_be_forgotten(
    outside: Outside, report: Report, tmp_path: Path, ago: int, ends: str
) -> None:
    """T8: a key counts for 24 hours there; from 80 % of that on a person decides."""
    with misbehaving(tmp_path) as authority:
        files_with(authority)
        call = started(report, ago=timedelta(hours=ago))

        drive(outside, call.execution)

        assert fresh(call).status == ends, call.error
        assert asked(authority) == (1 if ends == "succeeded" else 0)
    if ends == "in_doubt":
        assert "may have forgotten its idempotency key" in call.error
        assert call.execution.reviews.get().kind == "doubt"


def test_another_filing_under_our_key_is_an_alarm_and_not_a_reason_to_try_again(
    outside: Outside, report: Report, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """T7: as after a restore of an older database, which hands out the same keys again."""
    with misbehaving(tmp_path) as authority:
        files_with(authority)
        one = asking("submit_now", **filing(report))
        key = idempotency.key(execution_id=str(one.pk), step_number=1, call_index=0)
        _file_another(authority, key)
        caplog.set_level(logging.CRITICAL)

        drive(outside, one)

        call = only_call(one)
        assert (one.status, call.status) == ("awaiting_review", "in_doubt")
        assert "holds another filing under this call's idempotency key" in (call.error or "")
        assert one.reviews.get(status="open").reason == call.error
        assert [record.levelname for record in caplog.records].count("CRITICAL") == 1
        assert str(call.pk) in caplog.text
        assert asked(authority) == 2, "the other one, and ours once"
        assert len(authority.filings()) == 1


def _file_another(authority: SandboxAuthority, key: str) -> None:
    row = Regulator.objects.get(pk="REG-NFSA")
    other = filings.Filing(
        authority=row.name,
        where=filings.desk_of(row),
        body=b'{"subject": "other", "sender": "x", "regulation": "AML-6", "document": {"id": "D",'
        b'"content_base64": "", "sha256":'
        b'"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}',
        key=key,
    )
    assert filings.hand_in(other, Deadline(10))["status"] == "accepted"


def test_a_letter_that_some_recipients_got_says_which(outside: Outside, report: Report) -> None:
    """T6: in the row, and to the LLM."""
    one = asking("send_now", to=[ANA, LENA, OMAR], subject="Partly", body="x")

    drive(outside, one)

    call = only_call(one)
    assert call.status == "succeeded"
    assert call.tool_output["accepted"] == [ANA, OMAR]
    refused = [{"address": LENA, "reason": "550 5.1.1 no such mailbox"}]
    assert call.tool_output["refused"] == refused
    (letter,) = outside.letters.new()
    assert letter["to"] == [ANA, OMAR]
    last = outside.llm.log(containing=str(call.provider_call_id))[-1]
    assert "550 5.1.1 no such mailbox" in str(last["body"]["input"])
    nothing_is_violated()


def test_received_is_not_accepted_and_the_verdict_is_asked_for(
    outside: Outside, report: Report, tmp_path: Path
) -> None:
    """T11: 202 first, a rejection later; each is told as what it is."""
    number = f"FIL-{datetime.now(UTC):%Y}-000001"
    ask = calls(("read_filing", {"regulator_id": "REG-NFSA", "filing_id": number}))
    with misbehaving(tmp_path, "--verdict", "rejected", "--verdict-asks", "2") as authority:
        files_with(authority)
        one = launched(calls(("submit_now", filing(report))), ask, ask)

        drive(outside, one)

        assert one.status == "completed", one.error
        handed, first, second = (
            call.tool_output for call in one.tool_calls.order_by("step_number")
        )
        assert (handed["status"], handed["filing_id"]) == ("received", number)
        assert "accepted_at" not in handed
        assert handed["received_at"]
        assert first["status"] == "received"
        assert (second["status"], second["reason"]) == ("rejected", "a section is missing")
        assert len(authority.filings()) == 1
        nothing_is_violated(keys(authority))


def test_an_authority_that_knows_no_such_filing_or_is_away_gives_no_verdict(
    outside: Outside, report: Report, tmp_path: Path
) -> None:
    """T11: and neither is taken for one."""
    with misbehaving(tmp_path) as authority:
        files_with(authority)
        unknown = asking("read_filing", regulator_id="REG-NFSA", filing_id="FIL-1")
        drive(outside, unknown)
        authority.process.stop()
        away = asking("read_filing", regulator_id="REG-NFSA", filing_id="FIL-2")
        drive(outside, away)
    assert "no such filing" in (only_call(unknown).error or "")
    assert "could not be asked" in (only_call(away).error or "")
    nothing_is_violated()
