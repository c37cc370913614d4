"""Whatever tools and people answer, a player says something sensible and comes to an end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentops.rehearsal import players
from agentops.rehearsal.conversation import (
    Answered,
    AssistantSaid,
    Conversation,
    Piece,
    UserSaid,
)
from agentops.rehearsal.rules import check
from tests.rehearsal.story import SAMPLE_TOOLS
from tools.base import ToolError

MOST_TURNS = 20
COMPLIANCE = {"customer_id": "C-1001", "regulation_code": "AML-6"}
STEWARD = {"message_id": "M-2006"}
TOOLS = {
    "compliance": (COMPLIANCE, set(SAMPLE_TOOLS) - {"update_customer_record"}),
    "steward": (STEWARD, set(SAMPLE_TOOLS) - {"submit_to_regulator"}),
}
words = st.text(max_size=20) | st.sampled_from(
    ["C-1001", "title “x”", "address", "AML-6.1 is unclear", "a@b.example", "version", "\x00"]
)
KEYS = (
    *("customer", "customers", "regulation", "requirements", "documents", "document", "message"),
    *("body", "from", "field", "id", "customer_id", "changes", "email", "x"),
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
REAL = "as the real tool"
answers = st.one_of(
    # Several times, so that most conversations get far.
    *(st.just(REAL) for _ in range(10)),
    anything.map(json.dumps),
    words,
    words.map(lambda reason: json.dumps({"status": "rejected", "reason": reason, "note": "no"})),
    words.map(lambda asked: json.dumps({"status": "not executed", "question": asked})),
    words.map(lambda error: json.dumps({"status": "failed", "error": error})),
    anything.map(
        lambda value: json.dumps(
            {"status": "succeeded", "edited_by_person": {"changes": value}, "output": value}
        )
    ),
    st.just(json.dumps({"status": "expired", "note": "late"})),
)


def answered(name: str, arguments: dict[str, Any], answer: str) -> str:
    if answer != REAL:
        return answer
    try:
        return json.dumps(SAMPLE_TOOLS[name](arguments))
    except (ToolError, KeyError, ValueError, TypeError, AttributeError) as error:
        return json.dumps({"status": "failed", "error": str(error)})


@pytest.mark.parametrize("part", list(TOOLS))
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_player_always_comes_to_an_end(part: str, data: st.DataObject) -> None:
    opening, tools = TOOLS[part]
    pieces: list[Piece] = [UserSaid(json.dumps(opening))]
    for _ in range(MOST_TURNS):
        talk = Conversation(
            api="chat",
            llm="m",
            instructions="",
            pieces=tuple(pieces),
            tools={name: {} for name in tools},
        )
        check(talk)
        turn = players.play(talk)
        if not turn.calls:
            assert turn.text
            return
        pieces.append(AssistantSaid(turn.text or "", turn.calls))
        for call in turn.calls:
            text = answered(call.name, call.values, data.draw(answers))
            pieces.append(Answered(call.id, text))
    raise AssertionError(f"no end: {[outcome.call.name for outcome in talk.outcomes]}")


def test_an_agent_nobody_wrote_a_part_for_answers_plainly() -> None:
    talk = Conversation(
        api="chat", llm="m", instructions="", pieces=(UserSaid("Hello there"),), tools={"find": {}}
    )
    assert "Hello there" in (players.play(talk).text or "")
