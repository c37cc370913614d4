"""Replies laid down in advance: in the execution's input, or in the file given at the start.

`{"rehearse": [{"calls": [{"name": "find_customers", "arguments": {"query": "Ana"}}]},
{"text": "done"}]}` in the input plays those replies in order. Which one is next is read off the
conversation (how often the assistant has spoken), so a repeated request gets the same reply.
`{"obey": true}` does what the latest answer of a tool orders (see obedient.py).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import Any

from agentops.rehearsal.conversation import Asked, BadRequest, Conversation, Turn
from agentops.rehearsal.obedient import order_in
from agentops.rehearsal.shapes import final_text

LAST_WORDS = "Done."


def next_turn(replies: Sequence[Any], talk: Conversation) -> Turn:
    """Return the reply whose turn it is; after the last one, a plain final answer."""
    if talk.turns >= len(replies):
        return Turn(text=final_text(talk, LAST_WORDS))
    reply = replies[talk.turns]
    if reply == {"obey": True}:
        return _obeyed(talk)
    if not isinstance(reply, dict) or not reply.keys() <= {"text", "calls", "refusal", "finish"}:
        raise BadRequest(f"Not a reply to rehearse: {json.dumps(reply)[:200]}")
    text = reply.get("text")
    return Turn(
        text=text if text is None or isinstance(text, str) else json.dumps(text),
        calls=tuple(_call(call) for call in reply.get("calls") or ()),
        refusal=reply.get("refusal"),
        finish=reply.get("finish"),
    )


def _obeyed(talk: Conversation) -> Turn:
    order = order_in(talk.outcomes[-1].output) if talk.outcomes else None
    if order is None:
        return Turn(text=final_text(talk, "There is nothing to obey."))
    return Turn(calls=(asked(*order),))


def asked(name: str, arguments: Any, *, call_id: str | None = None) -> Asked:
    """Return a call with an id of its own; arguments that are text already are sent as they are."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return Asked(new_call_id() if call_id is None else call_id, name, text)


def new_call_id() -> str:
    return f"call_{secrets.token_hex(12)}"


def _call(given: Any) -> Asked:
    if not isinstance(given, dict) or "name" not in given:
        raise BadRequest(f"Not a call to rehearse: {json.dumps(given)[:200]}")
    return asked(given["name"], given.get("arguments", {}), call_id=given.get("id"))
