"""What the outside answers, and how honestly it is told: in parts, later, or of something else."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from executions.core import idempotency
from tests.faults.checking import nothing_is_violated
from tests.faults.outward import ANA, LENA, OMAR, asked, drive, files_with, filing, keys
from tests.faults.world import Outside, Report
from tests.sandbox_authority import SandboxAuthority, sandbox_authority
from tests.support.rehearsed_agent import calls
from tests.support.trial import asking, launched, only_call
from tools import filings
from tools.deadline import Deadline
from tools.models import Regulator


def test_another_filing_under_our_key_is_an_alarm_and_not_a_reason_to_try_again(
    beyond: Outside, report: Report, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """T7: as after a restore of an older database, which hands out the same keys again."""
    with sandbox_authority(tmp_path) as authority:
        files_with(authority)
        one = asking("submit_now", **filing(report))
        key = idempotency.key(execution_id=str(one.pk), step_number=1, call_index=0)
        _file_another(authority, key)
        caplog.set_level(logging.CRITICAL)

        drive(beyond, one)

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


def test_a_letter_that_some_recipients_got_says_which(beyond: Outside, report: Report) -> None:
    """T6: in the row, and to the LLM."""
    one = asking("send_now", to=[ANA, LENA, OMAR], subject="Partly", body="x")

    drive(beyond, one)

    call = only_call(one)
    assert call.status == "succeeded"
    assert call.tool_output["accepted"] == [ANA, OMAR]
    refused = [{"address": LENA, "reason": "550 5.1.1 no such mailbox"}]
    assert call.tool_output["refused"] == refused
    (letter,) = beyond.letters.new()
    assert letter["to"] == [ANA, OMAR]
    last = beyond.llm.log(containing=str(call.provider_call_id))[-1]
    assert "550 5.1.1 no such mailbox" in str(last["body"]["input"])
    nothing_is_violated()


def test_received_is_not_accepted_and_the_verdict_is_asked_for(
    beyond: Outside, report: Report, tmp_path: Path
) -> None:
    """T11: 202 first, a rejection later; each is told as what it is."""
    number = f"FIL-{datetime.now(UTC):%Y}-000001"
    ask = calls(("read_filing", {"regulator_id": "REG-NFSA", "filing_id": number}))
    with sandbox_authority(tmp_path, "--verdict", "rejected", "--verdict-asks", "2") as authority:
        files_with(authority)
        one = launched(calls(("submit_now", filing(report))), ask, ask)

        drive(beyond, one)

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
    beyond: Outside, report: Report, tmp_path: Path
) -> None:
    """T11: and neither is taken for one."""
    with sandbox_authority(tmp_path) as authority:
        files_with(authority)
        unknown = asking("read_filing", regulator_id="REG-NFSA", filing_id="FIL-1")
        drive(beyond, unknown)
        authority.process.stop()
        away = asking("read_filing", regulator_id="REG-NFSA", filing_id="FIL-2")
        drive(beyond, away)
    assert "no such filing" in (only_call(unknown).error or "")
    assert "could not be asked" in (only_call(away).error or "")
    nothing_is_violated()
