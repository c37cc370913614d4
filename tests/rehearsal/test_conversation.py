"""What the server makes of a tool's answer, and of the shapes it is asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agentops.rehearsal.conversation import (
    Answered,
    Asked,
    AssistantSaid,
    Conversation,
    Outcome,
    Turn,
    UserSaid,
    read_outcome,
)
from agentops.rehearsal.players.common import is_final, quoted
from agentops.rehearsal.players.wishes import value_for, wishes
from agentops.rehearsal.shapes import emptiest, final_text, fitted
from agentops.rehearsal.tokens import count

CALL = Asked("c", "send_email", '{"to": ["a@b.example"]}')


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"customers": []}, {"status": "succeeded", "output": {"customers": []}}),
        ([1, 2], {"status": "succeeded", "output": [1, 2]}),
        ({"status": "accepted"}, {"status": "succeeded", "output": {"status": "accepted"}}),
        (
            {"status": "rejected", "by": "omar", "reason": "Too long.", "note": "Not executed."},
            {"status": "rejected", "reason": "Too long."},
        ),
        (
            {"status": "not executed", "by": "omar", "question": "Why?", "note": "Answer it."},
            {"status": "asked", "reason": "Why?"},
        ),
        ({"status": "failed", "error": "No."}, {"status": "failed", "reason": "No."}),
        ({"status": "expired", "note": "Late."}, {"status": "expired", "reason": "Late."}),
        (
            {"status": "succeeded", "edited_by_person": {"to": []}, "output": {"ok": 1}},
            {"status": "succeeded", "output": {"ok": 1}, "edited": {"to": []}},
        ),
        (
            {"status": "failed", "error": "No.", "edited_by_person": {"to": ["x"]}},
            {"status": "failed", "reason": "No.", "edited": {"to": ["x"]}},
        ),
    ],
)
def test_a_tool_message_says_what_became_of_its_call(answer: Any, expected: dict[str, Any]) -> None:
    found = read_outcome(CALL, json.dumps(answer))
    assert found == Outcome(call=CALL, **expected)
    assert read_outcome(CALL, json.dumps(answer) + "\n\nNote: again") == found


def test_an_answer_that_is_no_json_counts_as_done() -> None:
    assert read_outcome(CALL, "[… 9 characters left out …]").status == "succeeded"


def test_the_arguments_that_count_are_the_edited_ones() -> None:
    assert read_outcome(CALL, "{}").arguments == {"to": ["a@b.example"]}
    edited = json.dumps({"status": "succeeded", "edited_by_person": {"to": ["x"]}})
    assert read_outcome(CALL, edited).arguments == {"to": ["x"]}


def test_a_final_answer_takes_the_shape_asked_for() -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {
            "summary": {"type": "string"},
            "filing_id": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "count": {"type": "integer"},
            "kind": {"enum": ["a", "b"]},
            "inner": {"$ref": "#/$defs/Inner"},
            "extra": {"type": "string"},
        },
        "required": ["summary", "filing_id", "count", "kind", "inner"],
        "$defs": {
            "Inner": {
                "type": "object",
                "properties": {"ok": {"type": "boolean"}},
                "required": ["ok"],
            }
        },
    }
    talk = Conversation(
        api="chat", llm="m", instructions="", pieces=(UserSaid("x"),), output_schema=schema
    )
    assert json.loads(final_text(talk, "Said.", count=3, unknown=1)) == {
        "summary": "Said.",
        "filing_id": None,
        "count": 3,
        "kind": "a",
        "inner": {"ok": False},
    }
    assert fitted({"items": {"type": "string"}}, ["a"]) == ["a"]
    assert emptiest({"type": "array"}, {}) == []


@pytest.mark.parametrize(
    ("reason", "final"),
    [
        ("Do not send this.", True),
        ("Stop, wrong customer", True),
        ("", True),
        ("Too long.", False),
        ("The amount is wrong", False),
    ],
)
def test_some_reasons_end_a_matter_and_others_ask_for_better(reason: str, final: bool) -> None:
    assert is_final(reason) is final


def test_words_in_quotation_marks_are_found() -> None:
    assert quoted("Use the title “A  new\nname”.") == "A new name"
    assert quoted("nothing here") is None


def test_a_new_value_follows_the_old_one() -> None:
    body = "My phone was +31 20 555 0101 and is now +31 20 555 0199. My e-mail is n@b.example."
    record = {"phone": "+31 20 555 0101", "email": "n@b.example"}
    assert wishes(body, record) == {"phone": "+31 20 555 0199"}
    assert value_for("address", "We moved to Oak Street 5, Delft. Bye.") == "Oak Street 5, Delft"


def test_tokens_follow_the_length_of_the_text_and_old_text_is_cached() -> None:
    opening = UserSaid("x" * 8000)
    first = Conversation(api="chat", llm="m", instructions="", pieces=(opening,), size=8200)
    pieces = (opening, AssistantSaid("", (CALL,)), Answered("c", "y" * 400))
    second = Conversation(api="chat", llm="m", instructions="", pieces=pieces, size=8700)
    asking = count(Turn(calls=(CALL,)), first)
    assert (asking.read, asking.cached) == (2050, 0)
    assert asking.written > asking.thought > 0
    ending = count(Turn(text="z" * 40), second)
    assert (ending.read, ending.written, ending.thought) == (2175, 10, 0)
    assert ending.cached == 2048
