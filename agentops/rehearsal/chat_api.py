"""Chat Completions as the server hears and says it."""

from __future__ import annotations

import secrets
import time
from typing import Any

from agentops.rehearsal.conversation import (
    Answered,
    Asked,
    AssistantSaid,
    BadRequest,
    Conversation,
    Piece,
    Turn,
    UserSaid,
)
from agentops.rehearsal.rules import check_name, check_strict, merge
from agentops.rehearsal.tokens import Tokens


def hear(body: dict[str, Any], *, size: int) -> Conversation:
    """Return the conversation in a request body; raises BadRequest."""
    messages = body.get("messages")
    if not isinstance(messages, list):
        raise BadRequest("Missing required parameter: 'messages'.")
    system = [m for m in messages if isinstance(m, dict) and m.get("role") in _SYSTEM]
    pieces = [_piece(message) for message in messages if message not in system]
    wanted = (body.get("response_format") or {}).get("json_schema") or {}
    if wanted.get("strict"):
        check_strict("response_format", wanted.get("schema") or {})
    return Conversation(
        api="chat",
        llm=str(body.get("model") or ""),
        instructions="\n".join(_text(message.get("content")) for message in system),
        pieces=merge(pieces),
        tools=dict(_tool(tool) for tool in body.get("tools") or []),
        output_schema=wanted.get("schema"),
        max_output_tokens=body.get("max_completion_tokens"),
        size=size,
    )


_SYSTEM = ("system", "developer")


def say(turn: Turn, talk: Conversation, tokens: Tokens) -> dict[str, Any]:
    """Return the response body."""
    message: dict[str, Any] = {"role": "assistant", "content": turn.text, "refusal": turn.refusal}
    if turn.calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in turn.calls
        ]
    finish = turn.finish or ("tool_calls" if turn.calls else "stop")
    return {
        "id": f"chatcmpl-{secrets.token_hex(12)}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": talk.llm,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
        "usage": {
            "prompt_tokens": tokens.read,
            "completion_tokens": tokens.written,
            "total_tokens": tokens.read + tokens.written,
            "prompt_tokens_details": {"cached_tokens": tokens.cached},
            "completion_tokens_details": {"reasoning_tokens": tokens.thought},
        },
    }


def _piece(message: Any) -> Piece:
    role = message.get("role") if isinstance(message, dict) else None
    if role == "user":
        return UserSaid(_text(message.get("content")))
    if role == "tool":
        return Answered(str(message.get("tool_call_id")), _text(message.get("content")))
    if role == "assistant":
        calls = tuple(_call(call) for call in message.get("tool_calls") or [])
        return AssistantSaid(_text(message.get("content")), calls)
    raise BadRequest(f"Invalid value for a message's role: {role!r}.")


def _call(call: Any) -> Asked:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("arguments"), str):
        raise BadRequest("A tool call needs a function with a name and arguments.")
    return Asked(str(call.get("id")), str(function.get("name")), function["arguments"])


def _tool(tool: Any) -> tuple[str, dict[str, Any]]:
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict):
        raise BadRequest("Missing required parameter: 'tools[].function'.")
    name, schema = check_name(function.get("name")), function.get("parameters") or {}
    if function.get("strict"):
        check_strict(name, schema)
    return name, schema


def _text(content: Any) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if isinstance(part, dict))
    raise BadRequest("A message's content must be a string or a list of parts.")
