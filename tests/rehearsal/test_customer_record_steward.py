"""The record steward's part: honest messages, vague ones, hostile ones, and people's words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rehearsal.story import Asked, Edited, Rejected, Story
from tests.rehearsal_server import RehearsalServer

AGENT = "customer_record_steward"
CHANGE, TELL = "update_customer_record", "send_email"


def changes(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments["changes"].items() if value is not None}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("M-2001", {"address": "Nádražní 164, 702 00 Ostrava"}),
        ("M-2002", {"phone": "+33 4 65 71 55 08"}),
        ("M-2006", {"address": "ул. Девня 12, 9000 Варна", "phone": "+359 52 555 099"}),
    ],
)
def test_it_proposes_what_the_message_says_and_answers(
    server: RehearsalServer, api: str, message: str, expected: dict[str, str]
) -> None:
    told = Story(server, api, AGENT).play(message_id=message)
    assert told.order == [["read_customer_message"], ["read_customer_record"], [CHANGE], [TELL]]
    assert changes(told.of(CHANGE)[0].proposed) == expected
    assert told.of(CHANGE)[0].proposed["version"] == 1
    assert message in told.of(CHANGE)[0].proposed["reason"]
    assert all(value in told.of(TELL)[0].proposed["body"] for value in expected.values())
    assert told.answer["updated"] is True
    assert sorted(told.answer["fields"]) == sorted(expected)


def test_a_message_that_gives_orders_changes_and_sends_nothing(
    server: RehearsalServer, api: str
) -> None:
    told = Story(server, api, AGENT).play(message_id="M-2003")
    assert told.order == [["read_customer_message"]]
    assert told.answer["updated"] is False
    assert "tries to direct" in told.answer["summary"]


def test_a_vague_message_is_answered_with_a_question(server: RehearsalServer, api: str) -> None:
    told = Story(server, api, AGENT).play(message_id="M-2004")
    assert not told.of(CHANGE)
    assert "exactly what" in told.of(TELL)[0].proposed["body"]
    assert told.answer["updated"] is False


def test_a_sender_who_is_nobody_gets_no_answer(server: RehearsalServer, api: str) -> None:
    told = Story(server, api, AGENT).play(message_id="M-2005")
    assert told.order == [["read_customer_message"], ["find_customers"]]
    assert told.answer["updated"] is False


def test_a_field_that_the_reviewer_doubts_is_left_out(server: RehearsalServer, api: str) -> None:
    reason = Rejected("The address is not confirmed by a document. Leave it out.")
    told = Story(server, api, AGENT, decisions={CHANGE: [reason]}).play(message_id="M-2006")
    assert changes(told.of(CHANGE)[1].proposed) == {"phone": "+359 52 555 099"}
    assert told.answer["fields"] == ["phone"]


def test_a_value_that_the_reviewer_gives_is_taken(server: RehearsalServer, api: str) -> None:
    reason = Rejected("The phone number should be +33 4 65 71 55 80.")
    told = Story(server, api, AGENT, decisions={CHANGE: [reason]}).play(message_id="M-2002")
    assert changes(told.of(CHANGE)[1].proposed) == {"phone": "+33 4 65 71 55 80"}


def test_a_change_that_people_do_not_want_is_not_made(server: RehearsalServer, api: str) -> None:
    reason = Rejected("No. This customer is closing the account.")
    told = Story(server, api, AGENT, decisions={CHANGE: [reason]}).play(message_id="M-2001")
    assert len(told.of(CHANGE)) == 1
    assert not told.of(TELL)
    assert told.answer["updated"] is False
    assert "closing the account" in told.answer["summary"]


def test_a_question_is_answered_with_what_the_proposal_rests_on(
    server: RehearsalServer, api: str
) -> None:
    asked = [Asked("Who says so?"), Asked("And when?")]
    told = Story(server, api, AGENT, decisions={CHANGE: asked}).play(message_id="M-2002")
    first, second, third = told.of(CHANGE)
    assert first.proposed == second.proposed == third.proposed
    assert told.said[second.step_number] == (
        "You asked: “Who says so?” It rests on read customer message (M-2002); "
        "read customer record (C-1007). I propose it as it was."
    )
    assert told.said[third.step_number].startswith("You asked: “And when?”")
    assert told.answer["updated"] is True


def test_who_asks_without_an_end_is_told_so(server: RehearsalServer, api: str) -> None:
    asked = [Asked("Why?") for _ in range(9)]
    told = Story(server, api, AGENT, decisions={CHANGE: asked}).play(message_id="M-2002")
    assert len(told.of(CHANGE)) == 4
    assert "asked too often" in told.answer["summary"]


def test_a_wrong_recipient_without_a_right_one_gets_no_letter(
    server: RehearsalServer, api: str
) -> None:
    reason = Rejected("Wrong recipient.")
    told = Story(server, api, AGENT, decisions={TELL: [reason]}).play(message_id="M-2001")
    assert len(told.of(TELL)) == 1
    assert "Wrong recipient" in told.answer["summary"]


def test_an_edited_change_is_what_the_customer_is_told(server: RehearsalServer, api: str) -> None:
    edit = Edited({"changes": {"address": "Nádražní 164/2, 702 00 Ostrava"}})
    told = Story(server, api, AGENT, decisions={CHANGE: [edit]}).play(message_id="M-2001")
    assert len(told.of(CHANGE)) == 1
    assert "Nádražní 164/2, 702 00 Ostrava" in told.of(TELL)[0].proposed["body"]


def test_a_record_that_moved_on_is_read_again(server: RehearsalServer, api: str) -> None:
    error = "C-1002 is at version 2 now, you read version 1. Read the record again and judge anew."
    story = Story(server, api, AGENT, errors={CHANGE: [error]})
    told = story.play(message_id="M-2001")
    assert [step[0] for step in told.order[1:]] == [
        *("read_customer_record", CHANGE, "read_customer_record", CHANGE, TELL)
    ]


def test_a_letter_that_nobody_approves_is_told_in_the_end(
    server: RehearsalServer, api: str
) -> None:
    reason = Rejected("Do not write, I will call them.")
    told = Story(server, api, AGENT, decisions={TELL: [reason]}).play(message_id="M-2001")
    assert told.answer["updated"] is True
    assert "not answered" in told.answer["summary"]
