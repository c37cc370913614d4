"""What the server refuses, as the real APIs do."""

from __future__ import annotations

from typing import Any

import pytest

from agentops.rehearsal import chat_api, responses_api
from agentops.rehearsal.conversation import AssistantSaid, BadRequest, Conversation
from agentops.rehearsal.rules import check

CLOSED = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


def user(text: str = "hello") -> dict[str, Any]:
    return {"role": "user", "content": text}


def chat_call(*ids: str) -> dict[str, Any]:
    calls = [{"id": one, "function": {"name": "find", "arguments": "{}"}} for one in ids]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def chat_answer(call_id: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": "{}"}


def call(call_id: str, name: str = "find") -> dict[str, Any]:
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": "{}"}


def answer(call_id: str) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": "{}"}


def heard_chat(*messages: Any, **fields: Any) -> Conversation:
    talk = chat_api.hear({"model": "m", "messages": list(messages), **fields}, size=100)
    check(talk)
    return talk


def heard_responses(*items: Any, **fields: Any) -> Conversation:
    talk = responses_api.hear({"model": "m", "input": list(items), **fields}, size=100)
    check(talk)
    return talk


def test_both_apis_are_heard_as_the_same_conversation() -> None:
    chat = heard_chat(user(), chat_call("a", "b"), chat_answer("a"), chat_answer("b"), user("and?"))
    responses = heard_responses(
        user(), call("a"), call("b"), answer("a"), answer("b"), user("and?")
    )
    assert chat.pieces == responses.pieces
    assert chat.turns == 1
    said = [piece for piece in chat.pieces if isinstance(piece, AssistantSaid)]
    assert [one.id for one in said[0].calls] == ["a", "b"]


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        ((), "empty"),
        ((user(), chat_call("a"), user()), "No tool output found"),
        ((user(), chat_call("a")), "No tool output found"),
        ((user(), chat_call("a", "b"), chat_answer("a"), user()), "No tool output found"),
        ((user(), chat_answer("a")), "No tool call found"),
        ((user(), chat_call("a"), chat_answer("a"), chat_answer("a")), "No tool call found"),
        ((user(), chat_call("a", "a"), chat_answer("a")), "Duplicate call ids"),
        ((user(), chat_call("")), "Invalid call id"),
        ((user(), chat_call("x" * 65)), "Invalid call id"),
        (({"role": "robot"},), "role"),
        (("text",), "role"),
        ((user(), {"role": "assistant", "tool_calls": [{}]}), "needs a function"),
        (({"role": "user", "content": 5},), "content must be"),
    ],
)
def test_a_broken_chat_is_refused(messages: tuple[Any, ...], complaint: str) -> None:
    with pytest.raises(BadRequest, match=complaint):
        heard_chat(*messages)


@pytest.mark.parametrize(
    ("items", "complaint"),
    [
        ((), "empty"),
        ((user(), call("a"), user()), "No tool output found"),
        ((user(), answer("a")), "No tool call found"),
        ((user(), call("a", name="no such name")), "Invalid tool name"),
        (("text",), "must be an object"),
        (({"type": "image"},), "type"),
        ((user(), {"type": "reasoning", "id": "rs_1"}), "could not be verified"),
    ],
)
def test_a_broken_response_input_is_refused(items: tuple[Any, ...], complaint: str) -> None:
    with pytest.raises(BadRequest, match=complaint):
        heard_responses(*items)


def test_reasoning_needs_the_item_it_led_to() -> None:
    thought = responses_api._thought()
    heard_responses(user(), thought, call("a"), answer("a"))
    with pytest.raises(BadRequest, match="without its following item"):
        heard_responses(user(), call("a"), answer("a"), thought)


@pytest.mark.parametrize(
    ("schema", "complaint"),
    [
        ({**CLOSED, "additionalProperties": True}, "additionalProperties"),
        ({**CLOSED, "properties": {"a": {"type": "string"}}}, "required"),
        ({**CLOSED, "default": {}}, "'default' is not permitted"),
        ({**CLOSED, "anyOf": [{"minLength": 1}]}, "'minLength' is not permitted"),
    ],
)
def test_a_schema_sent_as_strict_must_be_strict(schema: dict[str, Any], complaint: str) -> None:
    function = {"name": "find", "parameters": schema}
    with pytest.raises(BadRequest, match=complaint):
        heard_chat(user(), tools=[{"type": "function", "function": {**function, "strict": True}}])
    with pytest.raises(BadRequest, match=complaint):
        heard_responses(user(), tools=[{"type": "function", **function}])
    heard_chat(user(), tools=[{"type": "function", "function": function}])
    heard_responses(user(), tools=[{"type": "function", **function, "strict": False}])


def test_a_model_is_required() -> None:
    with pytest.raises(BadRequest, match="model"):
        heard_chat(user(), model="")
