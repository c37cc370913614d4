"""One answer as each API words it, and a conversation to ask about."""

from __future__ import annotations

from typing import Any

from executions.core.transcript import (
    AssistantMessage,
    RequestedCall,
    ToolAnswer,
    UserMessage,
)
from executions.llm.port import Request, ToolSpec

STRICT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"query": {"type": "string"}},
    "required": ["query"],
    "additionalProperties": False,
}
LOOSE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"code": {"type": "string", "default": "AML-6"}},
}
FIND = ToolSpec(name="find_customers", description="Find customers.", schema=STRICT_SCHEMA)
LOOKUP = ToolSpec(name="lookup_regulation", description="Look it up.", schema=LOOSE_SCHEMA)
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "c2VjcmV0"}

CALLS = (
    RequestedCall(id="call_1", name="find_customers", arguments='{"query": "Ana"}'),
    RequestedCall(id="call_2", name="lookup_regulation", arguments='{"code":"AML-6"}'),
)
REQUEST = Request(
    llm="gpt-5-mini",
    instructions="You keep records.",
    items=(
        UserMessage(text='{"customer": "Ana"}'),
        AssistantMessage(text="First I look.", calls=CALLS, reasoning=(THOUGHT,)),
        ToolAnswer(call_id="call_1", text='{"customers":[]}'),
        ToolAnswer(call_id="call_2", text='{"status":"failed","error":"unknown"}'),
    ),
    tools=(FIND, LOOKUP),
    max_output_tokens=500,
    output_schema=STRICT_SCHEMA,
)

CHAT_USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "total_tokens": 120,
    "prompt_tokens_details": {"cached_tokens": 64},
    "completion_tokens_details": {"reasoning_tokens": 8},
}
RESPONSES_USAGE = {
    "input_tokens": 100,
    "output_tokens": 20,
    "total_tokens": 120,
    "input_tokens_details": {"cached_tokens": 64},
    "output_tokens_details": {"reasoning_tokens": 8},
}


def chat_body(
    text: str | None = None,
    calls: tuple[RequestedCall, ...] = (),
    *,
    refusal: str | None = None,
    finish: str | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """A Chat Completions response; `finish` length or content_filter cuts it off."""
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": refusal}
    if calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in calls
        ]
    reason = finish or ("tool_calls" if calls else "stop")
    body = {
        "id": "chatcmpl-1",
        "model": "gpt-5-mini",
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": CHAT_USAGE,
    }
    return {**body, **changes}


def responses_body(
    text: str | None = None,
    calls: tuple[RequestedCall, ...] = (),
    *,
    refusal: str | None = None,
    finish: str | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """The same answer as a Responses API response."""
    parts: list[dict[str, Any]] = []
    if text is not None:
        parts.append({"type": "output_text", "text": text, "annotations": []})
    if refusal is not None:
        parts.append({"type": "refusal", "refusal": refusal})
    output: list[dict[str, Any]] = []
    if parts:
        output.append({"type": "message", "id": "msg_1", "role": "assistant", "content": parts})
    output += [
        {
            "type": "function_call",
            "id": f"fc_{call.id}",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
            "status": "completed",
        }
        for call in calls
    ]
    why = "max_output_tokens" if finish == "length" else finish
    body = {
        "id": "resp_1",
        "model": "gpt-5-mini",
        "status": "incomplete" if finish else "completed",
        "incomplete_details": {"reason": why} if finish else None,
        "error": None,
        "output": output,
        "usage": RESPONSES_USAGE,
    }
    return {**body, **changes}
