"""The Responses API, used statelessly: each request carries the whole conversation."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from executions.core.transcript import (
    AssistantMessage,
    Finish,
    Item,
    Reply,
    RequestedCall,
    ToolAnswer,
    Usage,
)
from executions.llm.body import sendable_name, strict_schema
from executions.llm.errors import bad_reply, from_status
from executions.llm.port import LLMError, Request, ToolSpec
from executions.llm.usage import read_usage

PATH = "/responses"
LEAST_OUTPUT_TOKENS = 16

# Our one mark in a stored reasoning item: how many of the reply's other items came before it.
# Absent when none did, which is the rule; taken off again before the item is sent back.
POSITION = "agentops_position"
# A message's phase (commentary or final answer) is wanted back too; it is kept as an item of this
# type among the reasoning.
PHASE = "agentops_phase"
_STATUSES = {"server_error": 500, "vector_store_timeout": 500, "rate_limit_exceeded": 429}


def wire(request: Request) -> dict[str, Any]:
    """Return the request body."""
    body: dict[str, Any] = {
        "model": request.llm,
        "instructions": request.instructions,
        "input": [wired for item in request.items for wired in _items(item)],
        "store": False,
        "include": ["reasoning.encrypted_content"],
    }
    if request.tools:
        body["tools"] = [_tool(spec) for spec in request.tools]
    if request.output_schema is not None:
        schema, strict = strict_schema(request.output_schema)
        kind = {"type": "json_schema", "name": "final_answer"}
        body["text"] = {"format": {**kind, "schema": schema, "strict": strict}}
    if request.max_output_tokens is not None:
        body["max_output_tokens"] = max(LEAST_OUTPUT_TOKENS, request.max_output_tokens)
    return body


def read(response: Any, *, request_chars: int = 0) -> Reply:
    """Return the Reply in a response body; raises LLMError(BAD_REPLY) when there is none in it."""
    if not isinstance(response, dict):
        raise bad_reply("is not a JSON object", response)
    output = response.get("output")
    usage = read_usage(
        response.get("usage"), request_chars=request_chars, reply_chars=len(_dumped(output))
    )
    if response.get("status") == "failed" or response.get("error"):
        raise _failed(response, usage)
    if not isinstance(output, list) or not all(isinstance(item, dict) for item in output):
        raise bad_reply("has no list of output items", response, usage=usage)
    text, refusal = _said(output, "output_text", "text"), _said(output, "refusal", "refusal")
    calls = tuple(_call(item) for item in output if item.get("type") == "function_call")
    finish = _finish(response, calls=calls, refusal=refusal)
    if finish is Finish.STOP and not text:
        raise bad_reply("has neither text nor tool calls", response, usage=usage)
    llm = response.get("model")
    return Reply(
        text=text,
        calls=calls,
        reasoning=_reasoning(output),
        finish=finish,
        refusal=refusal,
        usage=usage,
        llm=llm if isinstance(llm, str) else "",
    )


def _items(item: Item) -> list[dict[str, Any]]:
    if isinstance(item, ToolAnswer):
        return [{"type": "function_call_output", "call_id": item.call_id, "output": item.text}]
    if not isinstance(item, AssistantMessage):
        return [{"role": "user", "content": item.text}]
    others: list[dict[str, Any]] = []
    if item.text:
        others.append({"role": "assistant", "content": item.text, **_phase(item.reasoning)})
    others += [
        {
            "type": "function_call",
            "call_id": call.id,
            "name": sendable_name(call.name),
            "arguments": call.arguments,
        }
        for call in item.calls
    ]
    thoughts = [thought for thought in item.reasoning if thought.get("type") != PHASE]
    return _woven(others, thoughts)


def _phase(reasoning: Sequence[dict[str, Any]]) -> dict[str, Any]:
    for thought in reasoning:
        if thought.get("type") == PHASE:
            return {"phase": thought["phase"]}
    return {}


def _woven(
    others: list[dict[str, Any]], reasoning: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the items with each reasoning item before the one it led to: the API insists."""
    if not others:
        return []
    before: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for thought in reasoning:
        place = min(int(thought.get(POSITION, 0)), len(others) - 1)
        before[place].append({key: thought[key] for key in thought if key != POSITION})
    return [piece for place, other in enumerate(others) for piece in (*before[place], other)]


def _tool(spec: ToolSpec) -> dict[str, Any]:
    schema, strict = strict_schema(spec.schema)
    return {
        "type": "function",
        "name": spec.name,
        "description": spec.description,
        "parameters": schema,
        # Said also when false: this API takes silence for true.
        "strict": strict,
    }


def _reasoning(output: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Return the reasoning items as they came, marked where something came before them."""
    kept, others = [], 0
    for item in output:
        if item.get("type") == "reasoning":
            kept.append(item | {POSITION: others} if others else item)
        elif item.get("type") in ("message", "function_call"):
            others += 1
        if item.get("type") == "message" and item.get("phase"):
            kept.append({"type": PHASE, "phase": item["phase"]})
    return tuple(kept)


def _failed(response: dict[str, Any], usage: Usage) -> LLMError:
    error = response.get("error")
    code = str(error.get("code")) if isinstance(error, dict) else ""
    if isinstance(error, dict) and (code or error.get("message")):
        found = from_status(_STATUSES.get(code, 400), error)
        # It came inside a 200; the status is only how the code is understood.
        found.status, found.usage = 200, usage
        return found
    return bad_reply("says that it failed", response, usage=usage)


def _finish(
    response: dict[str, Any], *, calls: tuple[RequestedCall, ...], refusal: str | None
) -> Finish:
    """Return why it stopped. An unfinished response never counts as a finished one."""
    if response.get("status") not in (None, "completed"):
        details = response.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, dict) else None
        return Finish.CONTENT_FILTER if reason == "content_filter" else Finish.LENGTH
    if refusal and not calls:
        return Finish.REFUSAL
    return Finish.TOOL_CALLS if calls else Finish.STOP


def _said(output: list[dict[str, Any]], kind: str, field: str) -> str | None:
    """Return the joined text of all message parts of `kind`; None when there is nothing in it."""
    parts = [
        part[field]
        for item in output
        if item.get("type") == "message" and isinstance(item.get("content"), list)
        for part in item["content"]
        if isinstance(part, dict) and part.get("type") == kind and isinstance(part.get(field), str)
    ]
    text = "".join(parts)
    return text if text.strip() else None


def _call(item: dict[str, Any]) -> RequestedCall:
    arguments = item.get("arguments")
    return RequestedCall(
        id=_string(item.get("call_id")),
        name=_string(item.get("name")),
        arguments=arguments if isinstance(arguments, str) else _dumped(arguments or {}),
    )


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
