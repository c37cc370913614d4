"""The compliance agent's part, from the facts to the letter, and where people step in."""

from __future__ import annotations

import json
from typing import Any

from tests.rehearsal.story import Decision, Edited, Rejected, Story
from tests.rehearsal_server import RehearsalServer

AGENT = "compliance_document_generator"
GIVEN = {"customer_id": "C-1001", "regulation_code": "AML-6"}
WRITE, FILE, TELL = "generate_compliance_document", "submit_to_regulator", "send_email"
READS = ["read_customer_record", "lookup_regulation", "list_customer_documents"]


def test_it_gathers_writes_files_and_tells(server: RehearsalServer, api: str) -> None:
    told = Story(server, api, AGENT).play(**GIVEN)
    assert told.order == [READS, ["read_document"] * 3, [WRITE], [FILE], [TELL]]
    made = told.of(WRITE)[0]
    assert {one["status"] for one in made.arguments["findings"]} <= {"met", "not_met", "unclear"}
    assert len(made.arguments["findings"]) == 6
    filing = told.of(FILE)[0].arguments
    assert filing["document_id"] == made.output["document_id"]
    assert filing["document_sha256"] == made.output["sha256"]
    assert filing["regulator_id"] == "REG-NFSA"
    letter = told.of(TELL)[0].arguments
    assert letter["to"] == ["ana.duarte@marlowe-shipping.example"]
    assert letter["attach_document_ids"] == [made.output["document_id"]]
    assert told.answer["filing_id"] == "F-1"
    assert told.answer["receipt"] == "NFSA/2026/1"
    assert told.answer["document_id"] == made.output["document_id"]
    assert "informed" in told.answer["summary"]


def test_a_finding_is_judged_by_the_records(server: RehearsalServer, api: str) -> None:
    told = Story(server, api, AGENT).play(customer_id="C-1002", regulation_code="AML-6")
    findings = {f["requirement_id"]: f for f in told.of(WRITE)[0].arguments["findings"]}
    assert findings["AML-6.1"]["status"] == "met"
    assert findings["AML-6.1"]["source"].startswith("DOC-")
    assert findings["AML-6.3"]["status"] == "not_met"
    assert "Jan Novák, 60 % (CZ)" in findings["AML-6.2"]["finding"]
    assert findings["AML-6.2"]["source"] == "C-1002"


def test_a_rejected_document_is_mended_where_the_reason_says(
    server: RehearsalServer, api: str
) -> None:
    reason = "AML-6.4 is unclear: nobody asked the owners."
    told = Story(server, api, AGENT, decisions={WRITE: [Rejected(reason)]}).play(**GIVEN)
    first, second = (call.proposed for call in told.of(WRITE))
    changed = [(a, b) for a, b in zip(first["findings"], second["findings"], strict=True) if a != b]
    assert [b["requirement_id"] for _, b in changed] == ["AML-6.4"]
    assert changed[0][1]["status"] == "unclear"
    assert reason in changed[0][1]["finding"]
    assert told.answer["filing_id"] == "F-1"


def test_the_next_request_holds_the_reason_for_that_call(server: RehearsalServer, api: str) -> None:
    reason = f"Say more about the fleet ({api})."
    told = Story(server, api, AGENT, decisions={WRITE: [Rejected(reason)]}).play(**GIVEN)
    rejected = told.of(WRITE)[0]
    request = server.log(reason)[0]["body"]
    answer = json.loads(_answer_to(request, rejected.wire_id))
    assert (answer["status"], answer["reason"], answer["by"]) == ("rejected", reason, "omar")


def _answer_to(request: dict[str, Any], call_id: str) -> str:
    """Return what a logged request (either API's) answers a call with."""
    if "messages" in request:
        found = [m["content"] for m in request["messages"] if m.get("tool_call_id") == call_id]
    else:
        found = [
            item["output"]
            for item in request["input"]
            if item.get("type") == "function_call_output" and item["call_id"] == call_id
        ]
    assert len(found) == 1
    return str(found[0])


def test_a_reason_that_names_a_title_gives_the_title(server: RehearsalServer, api: str) -> None:
    reason = Rejected("Use the title “Due diligence report 2026”.")
    told = Story(server, api, AGENT, decisions={WRITE: [reason]}).play(**GIVEN)
    assert told.of(WRITE)[1].proposed["title"] == "Due diligence report 2026"


def test_any_other_reason_changes_the_summary(server: RehearsalServer, api: str) -> None:
    told = Story(server, api, AGENT, decisions={WRITE: [Rejected("Too thin.")]}).play(**GIVEN)
    assert "Too thin." in told.of(WRITE)[1].proposed["summary"]


def test_after_a_second_rejection_it_stops_and_says_so(server: RehearsalServer, api: str) -> None:
    rejections = [Rejected("Too thin."), Rejected("Still too thin.")]
    told = Story(server, api, AGENT, decisions={WRITE: [*rejections]}).play(**GIVEN)
    assert len(told.of(WRITE)) == 2
    assert not told.of(FILE)
    assert not told.of(TELL)
    assert told.answer["document_id"] is None
    assert told.answer["summary"] == (
        "No document was made: a reviewer rejected it: Still too thin."
    )


def test_a_filing_that_people_do_not_want_is_not_made_and_nobody_is_told_it_was(
    server: RehearsalServer, api: str
) -> None:
    reason = Rejected("Do not file this, the customer has left.")
    told = Story(server, api, AGENT, decisions={FILE: [reason]}).play(**GIVEN)
    assert len(told.of(FILE)) == 1
    assert not told.of(TELL)
    assert told.answer["document_id"] == told.of(WRITE)[0].output["document_id"]
    assert told.answer["filing_id"] is None
    assert "not filed" in told.answer["summary"]
    assert "the customer has left" in told.answer["summary"]


def test_a_filing_can_be_put_under_another_subject(server: RehearsalServer, api: str) -> None:
    reason = Rejected("The subject should be 'Annual report, Marlowe'.")
    told = Story(server, api, AGENT, decisions={FILE: [reason]}).play(**GIVEN)
    assert told.of(FILE)[1].proposed["subject"] == "Annual report, Marlowe"
    assert told.answer["filing_id"] == "F-1"


def test_a_rejected_letter_leaves_the_filing_standing(server: RehearsalServer, api: str) -> None:
    reason = Rejected("Do not write to this customer.")
    told = Story(server, api, AGENT, decisions={TELL: [reason]}).play(**GIVEN)
    assert len(told.of(TELL)) == 1
    assert told.answer["filing_id"] == "F-1"
    assert "not informed" in told.answer["summary"]


def test_a_letter_is_written_anew_when_its_tone_is_wrong(server: RehearsalServer, api: str) -> None:
    told = Story(server, api, AGENT, decisions={TELL: [Rejected("Too long.")]}).play(**GIVEN)
    first, second = (call.proposed["body"] for call in told.of(TELL))
    assert len(second) < len(first)


def test_what_a_person_edited_is_not_proposed_again_but_built_upon(
    server: RehearsalServer, api: str
) -> None:
    decisions: dict[str, list[Decision]] = {
        WRITE: [Edited({"title": "As Omar wants it"})],
        TELL: [Edited({"body": "Hi."})],
    }
    told = Story(server, api, AGENT, decisions=decisions).play(**GIVEN)
    assert told.order[2:] == [[WRITE], [FILE], [TELL]]
    assert told.of(FILE)[0].proposed["subject"] == "As Omar wants it"
    assert "As Omar wants it" in told.of(TELL)[0].proposed["body"]
    assert told.of(WRITE)[0].output["document_id"] == told.of(FILE)[0].proposed["document_id"]


def test_a_tool_that_fails_once_is_tried_once_more(server: RehearsalServer, api: str) -> None:
    told = Story(server, api, AGENT, errors={FILE: ["The regulator is closed."]}).play(**GIVEN)
    assert len(told.of(FILE)) == 2
    assert told.answer["filing_id"] == "F-1"


def test_after_the_second_error_it_gives_up_and_says_why(server: RehearsalServer, api: str) -> None:
    errors = {FILE: ["The regulator is closed.", "The regulator is still closed."]}
    told = Story(server, api, AGENT, errors=errors).play(**GIVEN)
    assert len(told.of(FILE)) == 2
    assert told.answer["filing_id"] is None
    assert "it failed: The regulator is still closed." in told.answer["summary"]


def test_an_unknown_regulation_ends_in_a_plain_answer(server: RehearsalServer, api: str) -> None:
    told = Story(server, api, AGENT).play(customer_id="C-1001", regulation_code="XYZ-99")
    assert not told.of(WRITE)
    assert "There is no regulation XYZ-99" in told.answer["summary"]


def test_a_misspelt_regulation_is_corrected_from_the_tools_error(
    server: RehearsalServer, api: str
) -> None:
    told = Story(server, api, AGENT).play(customer_id="C-1001", regulation_code="AML-66")
    assert [call.proposed["code"] for call in told.of("lookup_regulation")] == ["AML-66", "AML-6"]
    assert told.answer["filing_id"] == "F-1"


def test_an_unknown_customer_is_searched_for_and_then_given_up(
    server: RehearsalServer, api: str
) -> None:
    told = Story(server, api, AGENT).play(customer_id="C-9999", regulation_code="AML-6")
    assert len(told.of("find_customers")) == 1
    assert not told.of(WRITE)
    assert "There is no customer C-9999" in told.answer["summary"]


def test_the_only_customer_that_a_search_finds_is_taken(server: RehearsalServer, api: str) -> None:
    found = {"customers": [{"customer_id": "C-1002", "name": "Ostrava Metals s.r.o."}]}
    story = Story(server, api, AGENT, tools={"find_customers": lambda _: found})
    told = story.play(customer_id="C-9999", regulation_code="AML-6")
    assert told.of(WRITE)[0].proposed["customer_id"] == "C-1002"
    assert told.of("list_customer_documents")[-1].proposed["customer_id"] == "C-1002"
