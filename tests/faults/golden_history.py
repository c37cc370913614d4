"""Saved histories of real executions: their rows, and what the code of then decided about them.

`golden/<name>.json` is one history; `golden/definitions.json` holds the definitions they run by,
each once. `record_golden.py` writes them, `test_golden_replay.py` drives them again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from executions.core import decide
from executions.core import limits as limit_rules
from executions.core.limits import Spent
from executions.core.row_format import ROW_FORMAT
from executions.core.states import CallStatus
from executions.engine import loading
from executions.engine.definitions import from_body
from executions.engine.driven import Driven, HeldCall
from executions.models import AgentExecution

FOLDER = Path(__file__).parent / "golden"
DEFINITIONS = FOLDER / "definitions.json"
NOBODY = UUID(int=0)

History = dict[str, Any]

OF_STEPS = ("step_number", "response", "finish_reason", "problem", "total_tokens", "request_digest")
OF_CALLS = (
    *("step_number", "call_index", "provider_call_id", "tool_name", "status", "effect", "gated"),
    *("proposed_input", "tool_input", "input_digest", "tool_output", "error", "target_version"),
)


def recorded(execution: AgentExecution, *, api: str, about: str) -> History:
    """Return an execution's rows, with what this code decides at each of its steps."""
    calls = execution.tool_calls.order_by("step_number", "call_index")
    history: History = {
        "about": about,
        "api": api,
        "row_format": ROW_FORMAT,
        "definition": execution.definition_id,
        "execution": {
            "agent_type": execution.agent_type,
            "input_data": execution.input_data,
            "limits": execution.limits,
            "status": execution.status,
            "stop_reason": execution.stop_reason,
            "cancel_requested": execution.cancel_requested_at is not None,
        },
        "steps": list(execution.steps.order_by("step_number").values(*OF_STEPS)),
        "calls": [
            {**call, "started": began is not None, "review": review is not None}
            for call, began, review in zip(
                calls.values(*OF_CALLS),
                calls.values_list("started_at", flat=True),
                calls.values_list("review_id", flat=True),
                strict=True,
            )
        ],
    }
    assert execution.definition is not None
    definition = execution.definition.body
    history["decisions"] = decisions(history, definition)
    return history


def decisions(history: History, definition: Any) -> list[list[str]]:
    """Return, after each number of steps, what is next: as proposed, and as the calls are now."""
    return [
        [said(decide.next_step(held(history, definition, number, fresh=fresh).snapshot()))
         for fresh in (True, False)]
        for number in range(len(history["steps"]) + 1)
    ]  # fmt: skip


def held(history: History, definition: Any, steps: int, *, fresh: bool = False) -> Driven:
    """Return what a runner would hold after `steps` steps; `fresh`: with the last one's calls as
    they were proposed."""
    row = history["execution"]
    made = [step for step in history["steps"] if step["step_number"] <= steps]
    return Driven(
        id=NOBODY,
        token=1,
        agent_type=row["agent_type"],
        user_id=NOBODY,
        attempts=1,
        input_data=row["input_data"],
        state={},
        limits=limit_rules.from_json(row["limits"]),
        spent=Spent(steps=steps, tokens=sum(step["total_tokens"] for step in made)),
        definition=from_body(definition),
        cancel_requested=row["cancel_requested"] and steps == len(history["steps"]),
        steps=[
            loading._step(
                step["step_number"], step["response"], step["finish_reason"], step["problem"]
            )
            for step in made
        ],
        calls=[
            _call(call, fresh=fresh and call["step_number"] == steps)
            for call in history["calls"]
            if call["step_number"] <= steps
        ],
    )


def proposed_status(call: dict[str, Any]) -> CallStatus:
    """Return what the call was when its step was committed."""
    if call["review"]:
        return CallStatus.AWAITING_REVIEW
    if not call["started"]:
        return CallStatus.FAILED if call["status"] == "failed" else CallStatus.PENDING
    return CallStatus.RUNNING if call["effect"] == "read" else CallStatus.PENDING


def said(step: decide.NextStep) -> str:
    """Return a decision as text, with its calls' places."""
    ids = getattr(step, "ids", ())
    places = ", ".join(str(int(str(id).rpartition("-")[2], 16)) for id in ids)
    return f"{type(step).__name__}({getattr(step, 'reason', places)})"


def _call(call: dict[str, Any], *, fresh: bool) -> HeldCall:
    given = call["proposed_input"]
    return HeldCall(
        id=UUID(int=call["call_index"]),
        wire_id=call["provider_call_id"],
        step_number=call["step_number"],
        call_index=call["call_index"],
        tool_name=call["tool_name"],
        status=proposed_status(call) if fresh else CallStatus(call["status"]),
        effect=call["effect"],
        gated=call["gated"],
        proposed=given,
        arguments=given if fresh else call["tool_input"],
        output=None if fresh else call["tool_output"],
        error=None if fresh and call["started"] else call["error"],
        review_id=uuid5(NOBODY, call["provider_call_id"]) if call["review"] else None,
        target_version=call["target_version"],
        started=time.monotonic() if call["started"] and not fresh else None,
    )


def histories() -> Iterator[tuple[str, History]]:
    for path in sorted(FOLDER.glob("*.json")):
        if path != DEFINITIONS:
            yield path.stem, json.loads(path.read_text(encoding="utf-8"))


def definitions() -> dict[str, Any]:
    return dict(json.loads(DEFINITIONS.read_text(encoding="utf-8")))


def write(path: Path, value: Any) -> None:
    text = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"), default=str)
    path.write_text(text + "\n", encoding="utf-8")
