"""What the real APIs refuse: a conversation that breaks these rules is answered with a 400."""

from __future__ import annotations

import re
from typing import Any

from agentops.rehearsal.conversation import (
    Answered,
    AssistantSaid,
    BadRequest,
    Conversation,
    Piece,
)

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_MAX_ID_CHARS = 64
_STRICT_KEYS = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf"}
    | {"description", "title", "pattern", "format", "minimum", "maximum", "exclusiveMinimum"}
    | {"exclusiveMaximum", "multipleOf", "minItems", "maxItems", "$defs", "$ref"}
)


def check(talk: Conversation) -> None:
    """Raise BadRequest unless every tool call is answered exactly once, right after it."""
    if not talk.llm:
        raise BadRequest("you must provide a model parameter")
    if not talk.pieces:
        raise BadRequest("the conversation is empty")
    unanswered: list[str] = []
    for piece in talk.pieces:
        if isinstance(piece, Answered):
            _settle(unanswered, piece)
            continue
        _nothing_open(unanswered)
        if isinstance(piece, AssistantSaid):
            unanswered = _opened(piece)
    _nothing_open(unanswered)


def check_name(name: Any) -> str:
    """Return a tool's name, or raise BadRequest."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadRequest(f"Invalid tool name {str(name)[:80]!r}: expected [a-zA-Z0-9_-]{{1,64}}.")
    return name


def check_strict(name: str, schema: dict[str, Any]) -> None:
    """Raise BadRequest when a schema sent as strict is not."""
    fault = _strict_fault(schema)
    if fault:
        raise BadRequest(
            f"Invalid schema for {name!r}: {fault}", code="invalid_function_parameters"
        )


def merge(pieces: list[Piece]) -> tuple[Piece, ...]:
    """Return the pieces with what the assistant said in one go as one piece."""
    merged: list[Piece] = []
    for piece in pieces:
        last = merged[-1] if merged else None
        if isinstance(piece, AssistantSaid) and isinstance(last, AssistantSaid):
            merged[-1] = AssistantSaid(last.text + piece.text, last.calls + piece.calls)
        else:
            merged.append(piece)
    return tuple(merged)


def _opened(piece: AssistantSaid) -> list[str]:
    ids = [call.id for call in piece.calls]
    for call in piece.calls:
        check_name(call.name)
        if not call.id or len(call.id) > _MAX_ID_CHARS:
            raise BadRequest(f"Invalid call id {call.id[:80]!r}.")
    if len(set(ids)) < len(ids):
        raise BadRequest("Duplicate call ids in one assistant message.")
    return ids


def _settle(unanswered: list[str], piece: Answered) -> None:
    if piece.call_id not in unanswered:
        raise BadRequest(
            f"No tool call found for function call output with call_id {piece.call_id}."
        )
    unanswered.remove(piece.call_id)


def _nothing_open(unanswered: list[str]) -> None:
    if unanswered:
        raise BadRequest(f"No tool output found for function call {', '.join(unanswered)}.")


def _strict_fault(schema: Any) -> str | None:
    if not isinstance(schema, dict):
        return "a schema must be an object"
    unknown = schema.keys() - _STRICT_KEYS
    if unknown:
        return f"{sorted(unknown)[0]!r} is not permitted"
    properties = schema.get("properties", {})
    if schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            return "'additionalProperties' is required to be supplied and to be false"
        if set(schema.get("required", [])) != set(properties):
            return "'required' must include every key in properties"
    parts = [*properties.values(), *schema.get("$defs", {}).values(), *schema.get("anyOf", [])]
    parts += [schema["items"]] if "items" in schema else []
    return next((fault for part in parts if (fault := _strict_fault(part))), None)
