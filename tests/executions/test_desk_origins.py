"""The page of a review tells where the figures of its call come from."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from agentops.accounts.models import User
from executions import operations
from executions.core.origins import Origin
from executions.desk import earlier, origins
from executions.models import AgentReview
from executions.pages.story import reviews_by_call
from tests import factories
from tests.executions import desk
from tests.executions.test_desk_review import document, shown

pytestmark = pytest.mark.django_db

OUTSIDE = "Only in an outsider\u2019s own words:"
NOWHERE = "In nothing the agent read:"
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
    return desk.origins_told(shown(client, review))


def change(**more: Any) -> AgentReview:
    given = {"read": [MESSAGE, RECORD], **more}
    return desk.proposed("update_customer_record", CHANGE, **given)


def traced(review: AgentReview) -> dict[str, tuple[Origin, list[str]]]:
    """Each figure with its origin and what says so, like "2 read document"."""
    found = told(review).traced
    return {
        one.figure.text: (one.origin, [f"{each.step} {each.name}" for each in one.sources])
        for one in found
    }


def told(review: AgentReview) -> origins.Origins:
    before = earlier.earlier(review.execution_id, review.call.step_number)
    return origins.origins_of(review, before, reviews_by_call(review.execution_id))


def test_what_an_outsider_wrote_and_what_nobody_did_come_first(
    client: Client, sample_data: None
) -> None:
    client.force_login(factories.person("vera", may=["approve_*", "view_agentexecution"]))
    review = change()
    page = shown(client, review)
    said = desk.origins_told(page)
    outside, nowhere, rest = (said.index(one) for one in (OUTSIDE, NOWHERE, "2 more stand in our"))
    assert outside < said.index("New@Evil.example in changes email: step 1, read customer message")
    assert outside < said.index("2026-03-03 in reason: step 1") < nowhere
    assert nowhere < said.index("+44 20 7946 0001 in changes phone") < rest
    assert rest < said.index("C-1002 in customer id: step 1, read customer message")
    assert rest < said.index("M-2001 in reason: the launch\u2019s input")
    assert "2 figures only in an outsider\u2019s words" in page
    assert "1 in nothing the agent read" in page
    message = review.execution.tool_calls.get(step_number=1)
    assert f'href="#answer-{message.pk}"' in page.split('id="origins"')[1]


def test_when_all_of_it_is_ours_one_quiet_line_says_so(
    client: Client, rita: User, sample_data: None
) -> None:
    letter = {**desk.LETTER, "body": "Your number is +420 596 555 018.", "to": ["k@o.example"]}
    record = {"customer": {"email": "K@o.example", "phone": "+420596555018"}}
    review = desk.proposed(arguments=letter, read=[("read_customer_record", {}, record)])
    page = shown(client, review)
    said = desk.origins_told(page)
    assert "All 2 figures stand in our records, the launch, or a person\u2019s words" in said
    assert "in to 1: step 1, read customer record" in said
    assert OUTSIDE not in said
    assert NOWHERE not in said
    assert "only in an outsider\u2019s" not in page
    assert "#step-1" not in page, "no links for who may not follow them"


def test_each_of_several_alike_ones_says_what_deserves_a_look(
    client: Client, rita: User, sample_data: None
) -> None:
    quiet = {**desk.LETTER, "body": "Thank you."}
    record = {"customer": {"email": desk.LETTER["to"][0]}}
    desk.proposed(arguments=quiet, read=[("read_customer_record", {}, record)], risk="low")
    said = [("read_customer_message", {}, {"message": {"body": desk.LETTER["body"]}})]
    desk.proposed(read=[("read_customer_record", {}, record), *said], risk="low")
    page = client.get("/reviews/together/send_email/").content.decode()
    assert page.count('id="origins') == 2, "one of them, with its title"
    assert page.count(OUTSIDE) == 1
    assert "https://portal.example/reports" in page.split(OUTSIDE)[1].split("</section>")[0]
    assert NOWHERE not in page


def test_hostile_figures_and_names_stay_text(client: Client, rita: User) -> None:
    name = "<img src=x onerror=alert(1)>"
    letter = {**desk.LETTER, "body": "https://evil.example/\u202e-<script>alert(1)</script>"}
    page = shown(client, desk.proposed(arguments=letter, read=[(name, {}, {"a": letter["body"]})]))
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "U+202E" in page.split('id="origins"')[1]


def test_of_what_is_too_much_the_latest_is_looked_at_and_the_page_says_so(
    client: Client, rita: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(earlier, "ANSWERS", 1)  # the record
    monkeypatch.setattr(origins, "FIGURES", 2)
    said = part(client, change())
    assert "In nothing that could be looked at here: 2026-03-03" in said
    assert "3 more figures were not looked up." in said
    assert "The agent has read more than is looked at here" in said


@pytest.mark.parametrize(("name", "place"), [("ANSWER_CHARS", earlier), ("ALL_CHARS", origins)])
def test_of_a_long_answer_the_beginning_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, name: str, place: Any
) -> None:
    monkeypatch.setattr(place, name, 60)
    found = told(change())
    assert found.is_partial
    assert "2026-03-03" in {one.figure.text for one in found.nowhere}


def test_of_a_long_input_the_beginning_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    review = desk.proposed(arguments={**desk.LETTER, "subject": "M-2001"})
    assert not told(review).is_partial
    monkeypatch.setattr(origins, "ALL_CHARS", 20)
    assert told(review).is_partial
    assert traced(review)["M-2001"] == (Origin.NOWHERE, [])


def test_an_answer_that_is_cut_off_is_an_outsiders_if_any_of_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(earlier, "ANSWER_CHARS", 142)
    origin, said_by = traced(change())["C-1002"]
    assert (origin, said_by[0]) == (Origin.OUTSIDE, "1 read customer message M-2001")


def test_what_a_report_found_is_traced_too() -> None:
    report = document()
    report["findings"][0]["finding"] = "Registered under 61203844, capital EUR 90,000."
    text = "Registration number 61203844. Issued capital EUR 90,000"
    extract = {"document": {"kind": "register_extract", "text": text}}
    record = {"customer": {"customer_id": "C-1001", "registration_number": "KvK 61203844"}}
    reading = [
        ("read_document", {"document_id": "DOC-0123456789ab"}, extract),
        ("read_customer_record", {"customer_id": "C-1001"}, record),
    ]
    found = traced(desk.proposed("generate_compliance_document", report, read=reading))
    assert found["EUR 90,000"] == (Origin.OUTSIDE, ["1 read document DOC-0123456789ab"])
    assert found["61203844"] == (Origin.RECORDS, ["2 read customer record C-1001"])
    assert found["C-1001"] == (Origin.FOUND, ["2 read customer record C-1001"])


def test_a_document_of_our_own_is_no_outsiders_words() -> None:
    note = {"document": {"kind": "screening_note", "text": "No hits as of 24 June 2026."}}
    letter = {**desk.LETTER, "to": [], "body": "Screened on 24 June 2026."}
    found = traced(desk.proposed(arguments=letter, read=[("read_document", {}, note)]))
    assert found == {"24 June 2026": (Origin.RECORDS, ["1 read document"])}


def test_an_answer_of_a_tool_that_is_gone_is_an_outsiders() -> None:
    (address,) = desk.LETTER["to"]
    found = traced(desk.proposed(read=[("gone", {}, {"a": address})]))
    assert found[address] == (Origin.OUTSIDE, ["1 gone"])


def test_what_a_person_edited_in_or_said_is_a_persons(sample_data: None) -> None:
    omar = factories.reviewer("omar")
    review = change()
    better = {**CHANGE, "changes": {"phone": "+44 20 7946 0002"}, "version": None}
    newer = operations.edit(
        review_id=review.pk, person=omar, seen_digest=review.input_digest, arguments=better
    )
    found = traced(factories.fresh(newer))
    assert found["+44 20 7946 0002"] == (Origin.PERSON, ["None a person\u2019s edit"])
    assert found["2026-03-03"][0] is Origin.OUTSIDE
    operations.ask(
        review_id=newer.pk,
        person=omar,
        question="Is it not +44 20 7946 0003?",
        seen_digest=newer.input_digest,
    )
    again = {**better, "changes": {"phone": "+44 20 7946 0003"}}
    one = newer.execution
    factories.change(one, status="pending")
    factories.change(one, status="running", lease_owner=one.pk, lease_token=one.lease_token + 1)
    factories.change(one, step_count=one.step_count + 1)
    proposed = factories.gated(one, tool_name=newer.tool_name, tool_input=again)
    phone = traced(proposed)["+44 20 7946 0003"]
    assert phone == (Origin.PERSON, ["None omar\u2019s words"])
