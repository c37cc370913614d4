"""What people are told of two definitions."""

from __future__ import annotations

from typing import Any

from executions.core.definition_changes import changes

TOOL = {"name": "send", "description": "Send.", "schema": {}, "effect": "once", "votes": 1}


def body(**parts: Any) -> dict[str, Any]:
    whole = {"instructions": "Work.", "llm": "one", "tools": [TOOL], "limits": {"max_steps": 25}}
    return {**whole, "output_schema": None, **parts}


def told(**parts: Any) -> list[tuple[str, str | None, str | None]]:
    return [(one.what, one.before, one.after) for one in changes(body(), body(**parts))]


def test_equal_definitions_have_no_changes() -> None:
    assert told() == []


def test_each_part_is_named_with_what_it_was_and_is() -> None:
    assert told(instructions="Rest.") == [("instructions", "Work.", "Rest.")]
    assert told(llm="two") == [("LLM", "one", "two")]
    assert told(limits={"max_steps": 3}) == [("limit max_steps", "25", "3")]
    assert told(limits={}) == [("limit max_steps", "25", None)]
    assert told(tools=[]) == [("tool send", "allowed", None)]
    assert told(tools=[TOOL, {"name": "file"}]) == [("tool file", None, "allowed")]
    assert told(tools=[{**TOOL, "votes": 2}]) == [("votes of send", "1", "2")]
    assert told(output_schema={"type": "object"}) == [
        ("shape of the answer", None, '{"type":"object"}')
    ]


def test_long_texts_begin_shortly_before_the_first_difference() -> None:
    same = "as before " * 100
    (one,) = changes(body(instructions=same + "old"), body(instructions=same + "new"))

    assert (one.before or "").startswith("… ")
    assert (one.before or "").endswith("before old")
    assert (one.after or "").endswith("before new")
    assert len(one.before or "") < 60


def test_what_is_longer_than_a_page_has_room_for_is_cut() -> None:
    (one,) = changes(body(), body(instructions="x" * 5000))

    assert len(one.after or "") < 310
