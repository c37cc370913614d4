"""What a decision turns on stands open on its page, and every figure leads to it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from agentops.accounts.models import User
from executions.models import AgentReview
from tests.executions import desk
from tests.executions.test_desk_review import shown

pytestmark = pytest.mark.django_db

Call = tuple[str, dict[str, Any], dict[str, Any]]
SAID = "Our number is\n+420 555 010 203 now."
MESSAGE: Call = (
    "read_customer_message",
    {"message_id": "M-2001"},
    {"message": {"message_id": "M-2001", "customer_id": "C-1002", "body": SAID}},
)
RECORD: Call = (
    "read_customer_record",
    {"customer_id": "C-1002"},
    {"customer": {"customer_id": "C-1002", "phone": "+420 596 555 018"}},
)


def paper(number: int, *, text: str = "Nothing.", kind: str = "statement") -> Call:
    key = f"DOC-00000000000{number}"
    told = {"document_id": key, "title": f"Statement {number}", "kind": kind, "text": text}
    return "read_document", {"document_id": key}, {"document": told}


def change(*read: Call) -> AgentReview:
    return desk.proposed("update_customer_record", desk.CHANGE, read=read)


def open_steps(page: str) -> list[int]:
    """The steps whose answers stand open in the trail around the call."""
    trail = page.split('<ol class="trail">')[1].split("</ol>", maxsplit=1)[0]
    rows = re.findall(r'<span class="no">(\d+)</span>(.*?)</li>', trail, re.DOTALL)
    return [int(number) for number, row in rows if 'class="told"' in row]


def test_the_message_that_decides_stands_open_as_it_reads(client: Client, rita: User) -> None:
    page = shown(client, change(MESSAGE, RECORD))
    assert open_steps(page) == [1]
    assert SAID in page, "with its lines, not as JSON"


def test_also_when_all_of_its_figures_are_ours(client: Client, rita: User) -> None:
    known = {"customer": {"phone": "+420 555 010 203", "customer_id": "C-1002"}}
    page = shown(client, change(MESSAGE, ("read_customer_record", {}, known)))
    assert "Only in an outsider" not in page
    assert open_steps(page) == [1]


def test_of_several_papers_the_one_that_says_it_is_named_led_to_and_open(
    client: Client, rita: User
) -> None:
    review = change(paper(1), paper(2, text=SAID), paper(3))
    page = shown(client, review)
    assert open_steps(page) == [2]
    assert "step 2, read document DOC-000000000002 “Statement 2”" in desk.origins_told(page)
    key = review.execution.tool_calls.get(step_number=2).pk
    assert f'<a href="#answer-{key}">' in page.split('id="origins"')[1]
    assert page.count(f'id="answer-{key}"') == 1


def test_our_own_papers_and_what_nobody_wrote_stay_folded(client: Client, rita: User) -> None:
    filed = "read_filing", {"filing_id": "F-1"}, {"status": "accepted", "reason": None}
    page = shown(client, change(paper(1, kind="guidance"), RECORD, filed))
    assert open_steps(page) == []


def test_a_very_long_one_stays_folded_and_is_led_to(client: Client, rita: User) -> None:
    review = change(paper(1, text=f"{SAID}\n" + "and so on\n" * 1000))
    page = shown(client, review)
    assert open_steps(page) == []
    key = review.execution.tool_calls.get(step_number=1).pk
    assert f'<a href="#answer-{key}">' in page
    assert f'id="answer-{key}"' in page


def test_what_was_read_further_back_is_led_to_in_its_execution(client: Client, rita: User) -> None:
    review = change(MESSAGE, RECORD, RECORD, RECORD, RECORD)
    page = shown(client, review)
    assert open_steps(page) == []
    assert "#answer-" not in page
    assert "step 1, read customer message M-2001" in desk.origins_told(page)


def test_a_title_of_somebody_outside_stays_text(client: Client, rita: User) -> None:
    tool, given, answer = paper(1, text=SAID)
    answer["document"]["title"] = "<img src=x>\u202e" + "long " * 100
    page = shown(client, change((tool, given, answer)))
    assert "<img" not in page
    assert "\u202e" not in page
