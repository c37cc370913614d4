"""Histories saved by earlier code, driven again by the code of today.

The same decisions, arguments, gates and LLM requests must come out. Where a change is meant, raise
ROW_FORMAT if older code would misread the rows, and record the histories anew (record_golden.py).
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.db import connection

from executions.core.row_format import ROW_FORMAT
from executions.core.transcript import Finish, Reply, RequestedCall
from executions.engine import proposing
from executions.engine.driven import Driven
from executions.engine.thinking import request_of
from executions.llm import body, chat, responses
from tests.faults.golden_history import (
    FOLDER,
    History,
    decisions,
    definitions,
    held,
    histories,
    proposed_status,
)
from tools.base import Target, Tool, ToolError

HISTORIES = dict(histories())
DEFINITIONS = definitions()
DIALECTS = {"responses": responses, "chat": chat}
ENOUGH, ROOM_BYTES = 30, 1_000_000

each_history = pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES.keys())


def definition_of(history: History) -> Any:
    return DEFINITIONS[history["definition"]]


def test_there_are_enough_of_all_kinds_and_they_stay_small() -> None:
    kinds = {call["status"] for history in HISTORIES.values() for call in history["calls"]}
    ends = {history["execution"]["status"] for history in HISTORIES.values()}

    assert len(HISTORIES) >= ENOUGH
    assert {"awaiting_review", "rejected", "expired", "in_doubt", "succeeded", "failed"} <= kinds
    assert {"completed", "awaiting_review", "failed", "cancelled"} <= ends
    assert {history["api"] for history in HISTORIES.values()} == set(DIALECTS)
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < ROOM_BYTES


@each_history
def test_the_next_llm_request_is_the_one_that_was_sent(history: History) -> None:
    """M19, V1: rebuilt from the rows before each step, byte for byte by its digest."""
    wire = DIALECTS[history["api"]].wire
    for number, step in enumerate(history["steps"]):
        one = held(history, definition_of(history), number)
        assert body.digest(wire(request_of(one))) == step["request_digest"], f"step {number + 1}"


@each_history
def test_the_decisions_are_those_of_then(history: History) -> None:
    """M19, V1: what is next after each step, before and after its calls were answered."""
    assert history["row_format"] <= ROW_FORMAT
    assert decisions(history, definition_of(history)) == history["decisions"]


@each_history
def test_what_the_llm_asked_for_becomes_the_same_calls(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M19, V1: arguments, effect, gate and refusals, from the recorded replies."""
    for step in history["steps"]:
        then = [c for c in history["calls"] if c["step_number"] == step["step_number"]]
        monkeypatch.setattr(proposing, "_prepared", _recorded_look(then))
        one = held(history, definition_of(history), step["step_number"] - 1)
        made = asyncio.run(proposing.propose(one, _reply(step), None))  # type: ignore[arg-type]
        now = [(m.call.wire_id, m.call.proposed, m.call.effect, m.call.gated, m.call.status,
                m.call.error) for m in made]  # fmt: skip
        assert now == [
            (c["provider_call_id"], c["proposed_input"], c["effect"],
             c["gated"] and c["review"], proposed_status(c),
             c["error"] if proposed_status(c) == "failed" else None)
            for c in then
        ]  # fmt: skip


@pytest.mark.django_db
def test_the_arguments_have_the_digests_that_people_approved() -> None:
    """M19, V1: the database's own function, over all arguments of all histories."""
    calls = [call for history in HISTORIES.values() for call in history["calls"]]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT agentops_digest(c -> 'tool_input') = c ->> 'input_digest'"
            " FROM jsonb_array_elements(%s::jsonb) c",
            [body.encode({"all": calls}).decode()[len('{"all":') : -1]],
        )
        same = [row[0] for row in cursor.fetchall()]
    assert same == [True] * len(calls)


def _reply(step: dict[str, Any]) -> Reply:
    said = step["response"]
    return Reply(
        text=said["text"],
        calls=tuple(RequestedCall(**call) for call in said["calls"]),
        finish=Finish(step["finish_reason"]),
    )


def _recorded_look(then: list[dict[str, Any]]) -> Any:
    """Return what stands in for the tools' look at the database: what they found when recorded."""

    async def look(
        one: Driven, tool: Tool, parsed: Any, threads: Any
    ) -> tuple[Target | None, str | None]:
        given = parsed.model_dump(mode="json")
        (call, *_) = [
            c for c in then if (c["tool_name"], c["proposed_input"]) == (tool.name, given)
        ]
        if proposed_status(call) == "failed":
            raise ToolError(call["error"])
        version = call["target_version"]
        return version and Target("record", "it", version, "it"), None

    return look
