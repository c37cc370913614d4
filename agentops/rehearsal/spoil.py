"""Spoiling an answer: what broken, hostile and unlucky LLMs send."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from agentops.rehearsal.conversation import Asked, Conversation, Turn
from agentops.rehearsal.faults import Fault
from agentops.rehearsal.script import asked, new_call_id

UNKNOWN_TOOL = "launch_rockets"


def spoil_turn(fault: Fault, turn: Turn, talk: Conversation) -> Turn:
    """Return what is said instead of `turn`; most faults leave it alone."""
    spoil = _TURNS.get(fault.fault)
    return spoil(fault, turn, talk) if spoil else turn


def spoil_body(fault: Fault, body: dict[str, Any]) -> dict[str, Any]:
    """Return the response body as it is sent instead of `body` (either API's)."""
    spoil = _BODIES.get(fault.fault)
    return spoil(body) if spoil else body


def encode(fault: Fault | None, body: dict[str, Any]) -> bytes:
    """Return the bytes of a response body."""
    text = json.dumps(body, separators=(",", ":"))
    if fault is None:
        return text.encode()
    if fault.fault == "deep":
        text = text[:-1] + ',"extra":' + "[" * 100_000 + "]" * 100_000 + "}"
    if fault.fault == "truncated":  # by a proxy that then says how much is left: nothing looks cut
        text = text[: len(text) * 2 // 3]
    if fault.fault == "streamed":  # events that nobody asked for, one twice, the last broken off
        text = f"data: {text}\n\n" * 2 + f"data: {text[: len(text) // 2]}"
    return text.encode()


def _length(fault: Fault, turn: Turn, talk: Conversation) -> Turn:
    return cut(turn)


def cut(turn: Turn) -> Turn:
    """Return the turn broken off in the middle of its text or of its last call's arguments."""
    if not turn.calls:
        text = turn.text or ""
        return replace(turn, text=text[: len(text) // 2], finish="length")
    last = turn.calls[-1]
    broken = Asked(last.id, last.name, last.arguments[: len(last.arguments) // 2])
    return replace(turn, calls=(*turn.calls[:-1], broken), finish="length")


def _bad_json(fault: Fault, turn: Turn, talk: Conversation) -> Turn:
    return _with_calls(turn, talk, lambda call: f"{{'broken': {call.arguments},}}")


def _nan(fault: Fault, turn: Turn, talk: Conversation) -> Turn:
    return _with_calls(turn, talk, lambda call: _with_extra(call, '"amount": NaN'))


def _many(fault: Fault, turn: Turn, talk: Conversation) -> Turn:
    first = _calls(turn, talk)[0]
    calls = [Asked(new_call_id(), first.name, first.arguments) for _ in range(fault.count)]
    return Turn(text=turn.text, calls=tuple(calls))


def _twins(fault: Fault, turn: Turn, talk: Conversation) -> Turn:
    calls = _calls(turn, talk)
    if len(calls) < 2:
        calls = (calls[0], calls[0])
    return Turn(text=turn.text, calls=tuple(replace(call, id=calls[0].id) for call in calls))


def _poison(char: str) -> Callable[[Fault, Turn, Conversation], Turn]:
    """Put `char` into the first text of every call, or into the final answer."""

    def spoil(fault: Fault, turn: Turn, talk: Conversation) -> Turn:
        if turn.calls:
            return _with_calls(turn, talk, lambda call: _poisoned(call.arguments, char))
        return replace(turn, text=_poisoned(turn.text or "", char))

    return spoil


def _huge(fault: Fault, turn: Turn, talk: Conversation) -> Turn:
    return _poison("x" * fault.size)(fault, turn, talk)


def _poisoned(text: str, poison: str) -> str:
    try:
        value = json.loads(text)
    except ValueError:
        return text + poison
    if not isinstance(value, dict):
        return text + poison
    for key, inner in value.items():
        if isinstance(inner, str):
            return json.dumps({**value, key: inner + poison})
    return json.dumps({**value, "note": poison})


def _with_calls(turn: Turn, talk: Conversation, arguments: Callable[[Asked], str]) -> Turn:
    calls = [Asked(call.id, call.name, arguments(call)) for call in _calls(turn, talk)]
    return replace(turn, text=None, calls=tuple(calls))


def _with_extra(call: Asked, extra: str) -> str:
    inner = call.arguments.strip()[1:-1].strip()
    return "{" + (f"{inner}, " if inner else "") + extra + "}"


def _calls(turn: Turn, talk: Conversation) -> tuple[Asked, ...]:
    """Return the turn's calls; where it made none, one to the first tool there is."""
    return turn.calls or (asked(next(iter(talk.tools), UNKNOWN_TOOL), {}),)


def _no_answer(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "choices": []} if "choices" in body else {**body, "output": []}


def _null_message(body: dict[str, Any]) -> dict[str, Any]:
    if "choices" in body:
        return {**body, "choices": [{**body["choices"][0], "message": None}]}
    return {**body, "output": [None]}


def _null_content(body: dict[str, Any]) -> dict[str, Any]:
    if "choices" in body:
        message = {"role": "assistant", "content": None}
        choice = {**body["choices"][0], "message": message, "finish_reason": "stop"}
        return {**body, "choices": [choice]}
    said: dict[str, Any] = {"type": "message", "id": "msg_0", "role": "assistant", "content": []}
    return {**body, "output": [said]}


def _failed(body: dict[str, Any]) -> dict[str, Any]:
    error = {"code": "server_error", "message": "The server had an error while responding."}
    if "choices" in body:
        return {"error": {**error, "code": 502}}
    return {**body, "status": "failed", "output": [], "error": error}


def _usage(**counts: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Overwrite the three counts that both APIs have, under either name."""

    def spoil(body: dict[str, Any]) -> dict[str, Any]:
        usage = {**body["usage"]}
        for name in usage:
            kind = {"prompt_tokens": "input_tokens", "completion_tokens": "output_tokens"}
            if kind.get(name, name) in counts:
                usage[name] = counts[kind.get(name, name)]
        return {**body, "usage": usage}

    return spoil


def _no_usage(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != "usage"}


_TURNS: dict[str, Callable[[Fault, Turn, Conversation], Turn]] = {
    "length": _length,
    "refusal": lambda fault, turn, talk: Turn(refusal="I cannot help with that."),
    "content_filter": lambda fault, turn, talk: Turn(text=None, finish="content_filter"),
    "bad_json_arguments": _bad_json,
    "unknown_tool": lambda fault, turn, talk: Turn(calls=(asked(UNKNOWN_TOOL, {"count": 3}),)),
    "duplicate_call_ids": _twins,
    "many_calls": _many,
    "nul": _poison("\x00"),
    "surrogate": _poison("\ud800"),
    "nan": _nan,
    "huge": _huge,
}
_BODIES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "no_choices": _no_answer,
    "null_message": _null_message,
    "null_content": _null_content,
    "failed_response": _failed,
    "missing_usage": _no_usage,
    "negative_usage": _usage(input_tokens=-5, output_tokens=-1, total_tokens=-6),
    "absurd_usage": _usage(input_tokens=10**15, output_tokens=10**15, total_tokens=2 * 10**15),
    "nan_body": _usage(total_tokens=float("nan")),
}
