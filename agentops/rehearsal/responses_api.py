"""The Responses API as the server hears and says it."""

from __future__ import annotations

import base64
import hashlib
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
    given = body.get("input")
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    if not isinstance(given, list):
        raise BadRequest("Missing required parameter: 'input'.")
    if body.get("previous_response_id"):
        raise BadRequest("This server stores nothing; send the whole conversation.")
    _check_reasoning(given)
    wanted = (body.get("text") or {}).get("format") or {}
    if wanted.get("strict"):
        check_strict("text.format", wanted.get("schema") or {})
    return Conversation(
        api="responses",
        llm=str(body.get("model") or ""),
        instructions=str(body.get("instructions") or ""),
        pieces=merge([_piece(item) for item in given if item.get("type") != "reasoning"]),
        tools=dict(_tool(tool) for tool in body.get("tools") or []),
        output_schema=wanted.get("schema"),
        max_output_tokens=body.get("max_output_tokens"),
        size=size,
    )


def say(turn: Turn, talk: Conversation, tokens: Tokens) -> dict[str, Any]:
    """Return the response body. Before a tool call there is a reasoning item."""
    details = {"length": "max_output_tokens", "content_filter": "content_filter"}
    return {
        "id": _id("resp"),
        "object": "response",
        "created_at": int(time.time()),
        "status": "incomplete" if turn.finish else "completed",
        "error": None,
        "incomplete_details": {"reason": details[turn.finish]} if turn.finish else None,
        "model": talk.llm,
        "output": _output(turn),
        "store": False,
        "usage": {
            "input_tokens": tokens.read,
            "input_tokens_details": {"cached_tokens": tokens.cached},
            "output_tokens": tokens.written,
            "output_tokens_details": {"reasoning_tokens": tokens.thought},
            "total_tokens": tokens.read + tokens.written,
        },
    }


def _output(turn: Turn) -> list[dict[str, Any]]:
    output: list[dict[str, Any]] = [_thought()] if turn.calls else []
    if turn.text is not None or turn.refusal is not None:
        output.append(_message(turn))
    return output + [
        {
            "type": "function_call",
            "id": _id("fc"),
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
            "status": "completed",
        }
        for call in turn.calls
    ]


def _message(turn: Turn) -> dict[str, Any]:
    part: dict[str, Any] = {"type": "output_text", "text": turn.text, "annotations": []}
    if turn.refusal is not None:
        part = {"type": "refusal", "refusal": turn.refusal}
    return {
        "type": "message",
        "id": _id("msg"),
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }


def _thought() -> dict[str, Any]:
    """Return a reasoning item whose content betrays any change made to it."""
    name = _id("rs")
    return {"type": "reasoning", "id": name, "summary": [], "encrypted_content": _sealed(name)}


def _check_reasoning(items: list[Any]) -> None:
    """Raise BadRequest for a changed reasoning item, or one without the item it led to."""
    for place, item in enumerate(items):
        if not isinstance(item, dict):
            raise BadRequest("Every item of 'input' must be an object.")
        if item.get("type") != "reasoning":
            continue
        name = str(item.get("id"))
        if item.get("encrypted_content") != _sealed(name) or item.keys() - _THOUGHT_KEYS:
            raise BadRequest(f"The encrypted content of item {name!r} could not be verified.")
        following = items[place + 1] if place + 1 < len(items) else {}
        if following.get("type") not in ("function_call", "reasoning") and (
            following.get("role") != "assistant"
        ):
            raise BadRequest(
                f"Item {name!r} of type 'reasoning' was provided without its following item."
            )


_THOUGHT_KEYS = {"type", "id", "summary", "encrypted_content"}


def _piece(item: dict[str, Any]) -> Piece:
    kind = item.get("type", "message")
    if kind == "function_call":
        call = Asked(str(item.get("call_id")), str(item.get("name")), str(item.get("arguments")))
        return AssistantSaid("", (call,))
    if kind == "function_call_output":
        return Answered(str(item.get("call_id")), _text(item.get("output")))
    if kind != "message":
        raise BadRequest(f"Invalid value for an input item's type: {kind!r}.")
    said = _text(item.get("content"))
    return AssistantSaid(said) if item.get("role") == "assistant" else UserSaid(said)


def _tool(tool: Any) -> tuple[str, dict[str, Any]]:
    if not isinstance(tool, dict) or tool.get("type") != "function":
        raise BadRequest("Invalid value: 'tools[].type' must be 'function'.")
    name, schema = check_name(tool.get("name")), tool.get("parameters") or {}
    # This API takes silence for strict.
    if tool.get("strict") is not False:
        check_strict(name, schema)
    return name, schema


def _text(content: Any) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if isinstance(part, dict))
    raise BadRequest("Content must be a string or a list of parts.")


def _sealed(name: str) -> str:
    seal = hashlib.sha256(f"rehearsal:{name}".encode()).digest()
    return base64.b64encode(seal * 4).decode()


def _id(kind: str) -> str:
    return f"{kind}_{secrets.token_hex(16)}"
