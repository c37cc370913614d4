"""The request bodies, key by key."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from executions.core.transcript import AssistantMessage, RequestedCall, ToolAnswer, UserMessage
from executions.llm import body as bodies
from executions.llm import chat, responses
from executions.llm.port import Request
from tests.llm.bodies import CALLS, LOOSE_SCHEMA, REQUEST, STRICT_SCHEMA, THOUGHT


def test_chat_writes_the_conversation_message_by_message() -> None:
    assert chat.wire(REQUEST)["messages"] == [
        {"role": "system", "content": "You keep records."},
        {"role": "user", "content": '{"customer": "Ana"}'},
        {
            "role": "assistant",
            "content": "First I look.",
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "find_customers", "arguments": '{"query": "Ana"}'},
                },
                {
                    "id": "call_2",
                    "type": "function",
                    "function": {"name": "lookup_regulation", "arguments": '{"code":"AML-6"}'},
                },
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": '{"customers":[]}'},
        {
            "role": "tool",
            "tool_call_id": "call_2",
            "content": '{"status":"failed","error":"unknown"}',
        },
    ]


def test_chat_asks_for_a_shape_and_a_length() -> None:
    body = chat.wire(REQUEST)
    assert body["max_completion_tokens"] == 500
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "final_answer", "schema": STRICT_SCHEMA, "strict": True},
    }


def test_responses_writes_the_conversation_item_by_item_and_stores_nothing() -> None:
    body = responses.wire(REQUEST)
    assert body["store"] is False
    assert body["include"] == ["reasoning.encrypted_content"]
    assert body["instructions"] == "You keep records."
    assert body["input"] == [
        {"role": "user", "content": '{"customer": "Ana"}'},
        THOUGHT,
        {"role": "assistant", "content": "First I look."},
        {
            "type": "function_call",
            "call_id": "call_1",
            "name": "find_customers",
            "arguments": '{"query": "Ana"}',
        },
        {
            "type": "function_call",
            "call_id": "call_2",
            "name": "lookup_regulation",
            "arguments": '{"code":"AML-6"}',
        },
        {"type": "function_call_output", "call_id": "call_1", "output": '{"customers":[]}'},
        {
            "type": "function_call_output",
            "call_id": "call_2",
            "output": '{"status":"failed","error":"unknown"}',
        },
    ]


def test_responses_asks_for_a_shape_and_a_length() -> None:
    body = responses.wire(REQUEST)
    assert body["max_output_tokens"] == 500
    assert body["text"]["format"]["type"] == "json_schema"
    assert body["text"]["format"]["schema"] == STRICT_SCHEMA


def test_a_schema_that_strict_mode_refuses_is_not_sent_as_strict() -> None:
    find, lookup = (tool["function"] for tool in chat.wire(REQUEST)["tools"])
    assert find["strict"] is True
    assert "strict" not in lookup
    assert [tool["strict"] for tool in responses.wire(REQUEST)["tools"]] == [True, False]


@pytest.mark.parametrize("dialect", [chat, responses])
def test_what_was_not_asked_for_is_not_sent(dialect: Any) -> None:
    plain = Request(llm="m", instructions="i", items=(UserMessage(text="hello"),))
    assert not dialect.wire(plain).keys() & {
        *("tools", "response_format", "text", "max_completion_tokens", "max_output_tokens"),
    }


def test_responses_puts_each_thought_before_the_call_it_led_to() -> None:
    second = {**THOUGHT, "id": "rs_2"}
    output = [THOUGHT, _function_call("a"), second, _function_call("b")]
    reply = responses.read({"status": "completed", "output": output})
    said = AssistantMessage(text=reply.text, calls=reply.calls, reasoning=reply.reasoning)
    answers = tuple(ToolAnswer(call_id=call.id, text="{}") for call in reply.calls)
    request = Request(llm="m", instructions="i", items=(UserMessage(text="u"), said, *answers))
    sent = responses.wire(request)["input"][1:5]
    assert [item.get("id", item.get("call_id")) for item in sent] == ["rs_1", "a", "rs_2", "b"]
    assert sent[0] == THOUGHT
    assert sent[2] == second


def test_responses_gives_a_message_its_phase_back() -> None:
    said = {"type": "output_text", "text": "Looking."}
    output = [
        THOUGHT,
        {"type": "message", "role": "assistant", "phase": "commentary", "content": [said]},
        _function_call("a"),
    ]
    reply = responses.read({"status": "completed", "output": output})
    item = AssistantMessage(text=reply.text, calls=reply.calls, reasoning=reply.reasoning)
    sent = responses.wire(Request(llm="m", instructions="i", items=(item,)))["input"]
    assert sent[0] == THOUGHT
    assert sent[1] == {"role": "assistant", "content": "Looking.", "phase": "commentary"}


@pytest.mark.parametrize("dialect", [chat, responses])
def test_a_reply_without_words_or_calls_is_not_sent_back(dialect: Any) -> None:
    empty = AssistantMessage(text=None, reasoning=(THOUGHT,))
    items = (UserMessage(text="a"), empty, UserMessage(text="b"))
    with_it = dialect.wire(Request(llm="m", instructions="i", items=items))
    without = dialect.wire(Request(llm="m", instructions="i", items=(items[0], items[2])))
    assert with_it == without


@pytest.mark.parametrize("dialect", [chat, responses])
def test_a_name_the_llm_made_up_is_sent_back_in_a_form_that_is_accepted(dialect: Any) -> None:
    odd = RequestedCall(id="c", name="functions.find customers!" + "x" * 80, arguments="{}")
    item = AssistantMessage(text=None, calls=(odd,))
    text = json.dumps(dialect.wire(Request(llm="m", instructions="i", items=(item,))))
    assert f'"functions_find_customers_{"x" * 39}"' in text


def test_chat_wraps_arguments_that_servers_would_choke_on() -> None:
    broken = RequestedCall(id="c", name="find_customers", arguments="{'query': 'Ana',}")
    item = AssistantMessage(text=None, calls=(broken,))
    body = chat.wire(Request(llm="m", instructions="i", items=(item,)))
    sent = body["messages"][1]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(sent) == {"not_valid_json": "{'query': 'Ana',}"}


def test_the_body_keeps_the_order_of_a_schema_and_the_digest_does_not_mind_it() -> None:
    first, second = {"b": 1, "a": {"d": 2, "c": 3}}, {"a": {"c": 3, "d": 2}, "b": 1}
    assert bodies.encode(first) == b'{"b":1,"a":{"d":2,"c":3}}'
    assert bodies.digest(first) == bodies.digest(second)
    assert bodies.digest(first) != bodies.digest({"b": 1})


def test_a_lone_surrogate_does_not_stop_a_request() -> None:
    request = replace(REQUEST, items=(UserMessage(text="bad \ud800 text \x00"),))
    sent = json.loads(bodies.encode(chat.wire(request)))
    assert sent["messages"][1]["content"] == "bad ? text \x00"
    assert len(bodies.digest(chat.wire(request))) == 64


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (STRICT_SCHEMA, True),
        (LOOSE_SCHEMA, False),
        ({**STRICT_SCHEMA, "additionalProperties": True}, False),
        ({**STRICT_SCHEMA, "required": []}, False),
        ({**STRICT_SCHEMA, "properties": {"query": {"type": "string", "minLength": 1}}}, False),
        ({**STRICT_SCHEMA, "properties": {"query": {"type": "array", "items": {}}}}, True),
        ({**STRICT_SCHEMA, "properties": {"query": LOOSE_SCHEMA}}, False),
        ({**STRICT_SCHEMA, "properties": {"query": {"anyOf": [LOOSE_SCHEMA]}}}, False),
        ({**STRICT_SCHEMA, "properties": {"query": {"$ref": "#/x", "title": "t"}}}, False),
        ({**STRICT_SCHEMA, "$defs": {"x": LOOSE_SCHEMA}}, False),
    ],
)
def test_strict_mode_is_only_claimed_for_schemas_it_takes(
    schema: dict[str, Any], strict: bool
) -> None:
    assert bodies.is_strict(schema) is strict


def test_a_length_is_said_in_words_where_strict_mode_refuses_it() -> None:
    narrow = {"type": "string", "maxLength": 9, "default": "x", "description": "A word."}
    schema = {**STRICT_SCHEMA, "properties": {"query": narrow}}
    sent, strict = bodies.strict_schema(schema)
    assert strict
    assert sent["properties"]["query"] == {
        "type": "string",
        "description": "A word. At most 9 characters.",
    }
    assert bodies.strict_schema(LOOSE_SCHEMA) == (LOOSE_SCHEMA, False)


def test_a_property_that_is_named_like_a_schema_word_is_kept() -> None:
    schema = {
        "type": "object",
        "properties": {"default": {"type": "string"}, "maxLength": {"type": "integer"}},
        "required": ["default", "maxLength"],
        "additionalProperties": False,
        "examples": [],
    }
    sent, strict = bodies.strict_schema(schema)
    assert strict
    assert sent["properties"] == schema["properties"]


def _function_call(call_id: str) -> dict[str, Any]:
    return {"type": "function_call", "call_id": call_id, "name": "find", "arguments": "{}"}


def test_the_whole_request_is_json_in_both_apis() -> None:
    for dialect in (chat, responses):
        assert json.loads(bodies.encode(dialect.wire(REQUEST))) == dialect.wire(REQUEST)
    assert CALLS[0].arguments in json.dumps(responses.wire(REQUEST)).replace('\\"', '"')
