"""The page of a review tells where the figures of its call come from."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from agentops.accounts.models import User
from executions import operations
from executions.desk import earlier, origins
from executions.models import AgentReview
from tests import factories
from tests.executions import desk
from tests.executions.test_desk_review import document, shown

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sample_data")]

OUTSIDE = "Only in an outsider\u2019s own words:"
NOWHERE = "In nothing the agent read:"
PARTLY = "In nothing that could be looked at here:"
SAID = "Please use new@evil.example and +44 20 7946 0000 from 3 March 2026 on."
MESSAGE = (
    "read_customer_message",
    {"message_id": "M-2001"},
    {"message": {"message_id": "M-2001", "customer_id": "C-1002", "body": SAID}},
)  # fmt: skip
RECORD = (
    "read_customer_record",
    {"customer_id": "C-1002"},
    {"customer": {"customer_id": "C-1002", "phone": "+420 596 555 018", "version": 3}},
)
CHANGE = {
    "customer_id": "C-1002",
    "changes": {"email": "New@Evil.example", "phone": "+44 20 7946 0001"},
    "reason": "M-2001: from 2026-03-03 on",
    "version": 3,
}


def part(client: Client, review: AgentReview) -> str:
    """What the part says, in words."""
    page = shown(client, review).split('id="origins"')[1].split("</section>")[0]
    words = " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())
    return re.sub(r" ([,:;])", r"\1", words)


def change(**more: Any) -> AgentReview:
    given = {"read": [MESSAGE, RECORD], **more}
    return desk.proposed("update_customer_record", CHANGE, **given)


def test_what_an_outsider_wrote_and_what_nobody_did_come_first(client: Client, rita: User) -> None:
    review = change()
    told = part(client, review)
    outside, nowhere, rest = (
        told.index(one) for one in (OUTSIDE, NOWHERE, "2 more stand in our records")
    )
    assert outside < told.index("New@Evil.example in changes email: step 1, read customer message")
    assert outside < told.index("2026-03-03 in reason: step 1") < nowhere
    assert nowhere < told.index("+44 20 7946 0001 in changes phone") < rest
    assert rest < told.index("C-1002 in customer id: step 1, read customer message")
    assert rest < told.index("M-2001 in reason: the launch\u2019s input")
    page = shown(client, review)
    assert "2 figures only in an outsider\u2019s words" in page
    assert "1 in nothing the agent read" in page


def test_when_all_of_it_is_ours_one_quiet_line_says_so(client: Client, rita: User) -> None:
    letter = {**desk.LETTER, "body": "Your number is +420 596 555 018.", "to": ["k@o.example"]}
    record = {
        "customer": {"customer_id": "C-1002", "email": "K@o.example", "phone": "+420596555018"}
    }
    reading = [("read_customer_record", {"customer_id": "C-1002"}, record)]
    told = part(client, desk.proposed(arguments=letter, read=reading))
    assert "All 2 figures stand in our records, the launch, or a person\u2019s words" in told
    assert OUTSIDE not in told
    assert NOWHERE not in told
    assert "only in an outsider\u2019s" not in shown(client, desk.proposed(arguments=letter))


def test_a_call_without_figures_says_that(client: Client, rita: User) -> None:
    told = part(client, desk.proposed(arguments={**desk.LETTER, "to": [], "body": "Hello."}))
    assert "No addresses, ids, amounts or dates in it." in told


def test_steps_are_links_for_who_may_look_there(client: Client, rita: User) -> None:
    review = change()
    link = f'href="/executions/{review.execution_id}/#step-1"'
    assert link not in shown(client, review).split('id="origins"')[1]
    client.force_login(factories.person("vera", may=["approve_*", "view_agentexecution"]))
    assert link in shown(client, review).split('id="origins"')[1]


def test_what_a_report_found_is_traced_too(client: Client, rita: User) -> None:
    report = document()
    report["findings"][0]["finding"] = "Registered under 61203844, capital EUR 90,000."
    text = "Registration number 61203844. Issued capital EUR 90,000"
    extract = {"document": {"kind": "register_extract", "text": text}}
    record = {"customer": {"customer_id": "C-1001", "registration_number": "KvK 61203844"}}
    reading = [
        ("read_document", {"document_id": "DOC-0123456789ab"}, extract),
        ("read_customer_record", {"customer_id": "C-1001"}, record),
    ]
    told = part(client, desk.proposed("generate_compliance_document", report, read=reading))
    assert "EUR 90,000 in findings 1 finding: step 1, read document" in told.split(OUTSIDE)[1]
    assert (
        "61203844 in findings 1 finding: step 2, read customer record; first in an outsider" in told
    )


def test_a_document_of_our_own_is_no_outsiders_words(client: Client, rita: User) -> None:
    note = {"document": {"kind": "screening_note", "text": "No hits as of 24 June 2026."}}
    letter = {**desk.LETTER, "to": [], "body": "Screened on 24 June 2026."}
    told = part(client, desk.proposed(arguments=letter, read=[("read_document", {}, note)]))
    assert OUTSIDE not in told


def test_what_a_person_edited_in_or_said_is_a_persons(client: Client, rita: User) -> None:
    review = change()
    better = {**CHANGE, "changes": {"phone": "+44 20 7946 0002"}, "version": None}
    newer = operations.edit(
        review_id=review.pk,
        person=factories.reviewer("omar"),
        seen_digest=review.input_digest,
        arguments=better,
    )
    told = part(client, newer)
    assert "+44 20 7946 0002 in changes phone: a person\u2019s edit" in told
    assert "2026-03-03 in reason: step 1" in told.split(OUTSIDE)[1]


def test_an_answer_of_a_tool_that_is_gone_is_an_outsiders(client: Client, rita: User) -> None:
    told = part(client, desk.proposed(read=[("gone", {}, {"a": desk.LETTER["to"][0]})]))
    assert f"{desk.LETTER['to'][0]} in to 1: step 1, gone" in told.split(OUTSIDE)[1]


def test_hostile_figures_and_names_stay_text(client: Client, rita: User) -> None:
    name = "<img src=x onerror=alert(1)>"
    letter = {**desk.LETTER, "body": "https://evil.example/\u202e-<script>alert(1)</script>"}
    reading = [(name, {}, {"a": letter["body"]})]
    page = shown(client, desk.proposed(arguments=letter, read=reading))
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "U+202E" in page.split('id="origins"')[1]


def test_of_much_that_was_read_the_latest_is_looked_at_and_the_page_says_so(
    client: Client, rita: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(earlier, "ANSWERS", 1)  # the record
    monkeypatch.setattr(origins, "FIGURES", 2)
    told = part(client, change())
    assert f"{PARTLY} 2026-03-03" in told
    assert "3 more figures were not looked up." in told
    assert "The agent has read more than is looked at here" in told


@pytest.mark.parametrize(("name", "place"), [("ANSWER_CHARS", earlier), ("ALL_CHARS", origins)])
def test_of_a_long_answer_the_beginning_is_looked_at_and_the_page_says_so(
    client: Client, rita: User, monkeypatch: pytest.MonkeyPatch, name: str, place: Any
) -> None:
    monkeypatch.setattr(place, name, 60)
    told = part(client, change())
    assert f"{PARTLY} 2026-03-03" in told
    assert "The agent has read more than is looked at here" in told
