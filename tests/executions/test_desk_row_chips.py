"""What a row of the list says beside its headline, and that it is read for all rows at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agentops.accounts.models import User
from executions.desk.row_chips import row_chips
from executions.models import AgentReview
from executions.pages.wording import Action, action
from tests.executions import desk
from tests.executions.test_desk_confirm import go_live
from tests.executions.test_desk_past import sent
from tests.executions.test_desk_review import document
from tools.decisions import Listed
from tools.models import Customer
from tools.registry import TOOLS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sample_data")]

CHANGED = "record changed since proposed"
GIVEN: dict[str, dict[str, Any]] = {
    "update_customer_record": desk.CHANGE,
    "generate_compliance_document": document(),
    "submit_to_regulator": desk.FILING,
    "send_email": desk.LETTER,
}


Row = tuple[AgentReview, Action]


def row(tool: str, version: str | None = None, kind: str = "approval", **other: Any) -> Row:
    """A call that was put before people when its target was at that version."""
    review = AgentReview(id=uuid4(), tool_name=tool, kind=kind, target_version=version)
    return review, action(tool, {**GIVEN[tool], **other})


def chips(*rows: Row) -> list[list[str]]:
    found = row_chips(rows)
    return [[chip.words for chip in found[review.pk]] for review, _ in rows]


def test_a_filing_says_that_it_is_a_test_or_live_and_that_the_authority_changed() -> None:
    rows = row("submit_to_regulator", "1"), row("submit_to_regulator", "0", "doubt")
    assert chips(*rows) == [["TEST"], ["TEST"]]
    go_live()
    assert chips(*rows, row("submit_to_regulator", "2")) == [["LIVE", CHANGED], ["LIVE"], ["LIVE"]]


@pytest.mark.parametrize("tool", ["update_customer_record", "generate_compliance_document"])
def test_a_record_that_moved_on_is_told(tool: str) -> None:
    now = str(Customer.objects.get(pk=GIVEN[tool]["customer_id"]).version)
    assert chips(row(tool, now), row(tool, "0"), row(tool)) == [[], [CHANGED], []]
    assert chips(row(tool, f"{now}+0a1b"), row(tool, "0+0a1b")) == [[], [CHANGED]]
    assert chips(row(tool, "0", customer_id="C-9999")) == [[]]


def test_a_letter_to_whom_none_went_before_is_told() -> None:
    letter, doubt = row("send_email"), row("send_email", kind="doubt")
    assert chips(letter, doubt) == [["new recipient"], []]
    sent(customer="C-1002")
    more = row("send_email", to=[*desk.LETTER["to"], "omar@hallberg.example"])
    assert chips(letter, more) == [[], ["new recipient"]]


def test_two_statements_are_enough_for_all_and_none_where_nothing_is_named(
    client: Client, rita: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.proposed()
    assert '<span class="chip warn">new recipient</span>' in desk.listed(client)
    rows = [row(tool) for tool in GIVEN for _ in range(2)]
    with CaptureQueriesContext(connection) as queries:
        chips(*rows)
    assert len(queries) == 2
    monkeypatch.setitem(TOOLS, "send_email", replace(TOOLS["send_email"], listed=Listed()))
    with CaptureQueriesContext(connection) as queries:
        assert chips(row("send_email")) == [[]]
    assert len(queries) == 0


def test_a_tool_that_fails_over_it_takes_nothing_else_down(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(arguments: Any) -> list[str]:
        raise ZeroDivisionError

    broken = replace(TOOLS["send_email"], listed=Listed(recipients=fails))
    monkeypatch.setitem(TOOLS, "send_email", broken)
    assert chips(row("send_email"), row("update_customer_record", "0")) == [[], [CHANGED]]
