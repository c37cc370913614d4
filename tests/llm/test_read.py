"""Answers read: the same one over both APIs gives the same Reply, a useless one an error."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from executions.core.transcript import Finish, Reply, RequestedCall, Usage
from executions.llm import chat, responses
from executions.llm.port import LLMError
from tests.llm.bodies import CALLS, THOUGHT, chat_body, responses_body

USAGE = Usage(
    input_tokens=100, cached_tokens=64, output_tokens=20, reasoning_tokens=8, total_tokens=120
)
ODD = RequestedCall(id="", name="", arguments="{'a': NaN,}")
TWINS = (CALLS[0], replace(CALLS[1], id=CALLS[0].id))


def reply(**fields: Any) -> Reply:
    return Reply(**{"text": None, "usage": USAGE, "llm": "gpt-5-mini", **fields})


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"text": "Done."}, reply(text="Done.")),
        ({"calls": CALLS}, reply(calls=CALLS, finish=Finish.TOOL_CALLS)),
        (
            {"text": "I look.", "calls": CALLS},
            reply(text="I look.", calls=CALLS, finish=Finish.TOOL_CALLS),
        ),
        ({"calls": (ODD,)}, reply(calls=(ODD,), finish=Finish.TOOL_CALLS)),
        ({"calls": TWINS}, reply(calls=TWINS, finish=Finish.TOOL_CALLS)),
        ({"refusal": "No."}, reply(refusal="No.", finish=Finish.REFUSAL)),
        ({"text": "Half a", "finish": "length"}, reply(text="Half a", finish=Finish.LENGTH)),
        ({"finish": "length"}, reply(finish=Finish.LENGTH)),
        (
            {"calls": CALLS, "finish": "length"},
            reply(calls=CALLS, finish=Finish.LENGTH),
        ),
        ({"finish": "content_filter"}, reply(finish=Finish.CONTENT_FILTER)),
        ({"text": "\x00\ud800 ok"}, reply(text="\x00\ud800 ok")),
    ],
)
def test_an_answer_reads_the_same_over_both_apis(answer: dict[str, Any], expected: Reply) -> None:
    assert chat.read(chat_body(**answer)) == expected
    assert responses.read(responses_body(**answer)) == expected


@pytest.mark.parametrize(
    ("dialect", "body", "what"),
    [
        (chat, [], "not a JSON object"),
        (chat, "text", "not a JSON object"),
        (chat, {}, "no choices"),
        (chat, {"choices": []}, "no choices"),
        (chat, {"choices": None}, "no choices"),
        (chat, {"choices": [{"message": None}]}, "no message"),
        (chat, chat_body(), "neither text nor tool calls"),
        (chat, chat_body(text="  \n"), "neither text nor tool calls"),
        (chat, {"choices": [{"message": {"tool_calls": "x"}}]}, "malformed tool calls"),
        (chat, {"choices": [{"message": {"tool_calls": [{}]}}]}, "malformed tool call"),
        (chat, {"choices": [{"message": {"content": {"a": 1}}}]}, "neither text nor"),
        (chat, {"error": {"message": "oh"}}, "no choices"),
        (responses, [], "not a JSON object"),
        (responses, {}, "no list of output items"),
        (responses, responses_body(output=None), "no list of output items"),
        (responses, responses_body(output=[None]), "no list of output items"),
        (responses, responses_body(output=[]), "neither text nor tool calls"),
        (responses, responses_body(output=[THOUGHT]), "neither text nor tool calls"),
        (responses, responses_body(status="failed"), "says that it failed"),
        (responses, {"output": [{"type": "message", "content": None}]}, "neither text nor"),
    ],
)
def test_a_useless_answer_is_a_bad_reply_that_may_be_asked_for_again(
    dialect: Any, body: Any, what: str
) -> None:
    with pytest.raises(LLMError) as caught:
        dialect.read(body)
    assert caught.value.code == "BAD_REPLY"
    assert caught.value.retryable
    assert what in str(caught.value)


@pytest.mark.parametrize("dialect", [chat, responses])
def test_a_bad_reply_shows_at_most_two_kilobytes_and_no_key(dialect: Any) -> None:
    with pytest.raises(LLMError) as caught:
        dialect.read({"choices": [], "note": "sk-secret12345 \x00" + "x" * 100_000})
    assert len(str(caught.value).encode()) <= 2048
    assert "secret" not in str(caught.value)
    assert "\x00" not in str(caught.value)


@pytest.mark.parametrize(
    ("dialect", "body"), [(chat, chat_body()), (responses, responses_body(output=[]))]
)
def test_a_bad_reply_tells_what_it_cost(dialect: Any, body: dict[str, Any]) -> None:
    with pytest.raises(LLMError) as caught:
        dialect.read(body)
    assert caught.value.usage == USAGE


def test_a_gateway_that_puts_its_error_into_a_200_is_understood() -> None:
    with pytest.raises(LLMError) as caught:
        chat.read({"error": {"code": 429, "message": "slow down"}})
    assert caught.value.code == "LLM_RATE_LIMITED"


@pytest.mark.parametrize(
    ("code", "expected", "retryable"),
    [
        ("server_error", "LLM_UNAVAILABLE", True),
        ("rate_limit_exceeded", "LLM_RATE_LIMITED", True),
        ("invalid_prompt", "LLM_BAD_REQUEST", False),
        ("insufficient_quota", "LLM_QUOTA", False),
    ],
)
def test_a_response_that_failed_is_read_by_its_code(
    code: str, expected: str, retryable: bool
) -> None:
    error = {"code": code, "message": "It went wrong."}
    with pytest.raises(LLMError, match="It went wrong") as caught:
        responses.read(responses_body(status="failed", output=[], error=error))
    assert (caught.value.code, caught.value.retryable) == (expected, retryable)
    assert caught.value.usage == USAGE


@pytest.mark.parametrize("status", ["in_progress", "cancelled", "queued", "incomplete"])
def test_an_unfinished_response_never_counts_as_an_answer(status: str) -> None:
    body = responses_body(text="Half", calls=CALLS, status=status, incomplete_details=None)
    assert responses.read(body).finish is Finish.LENGTH


def test_reasoning_is_kept_as_it_came() -> None:
    body = responses_body(calls=CALLS)
    body["output"].insert(0, THOUGHT)
    assert responses.read(body).reasoning == (THOUGHT,)


def test_chat_reads_the_odd_forms_of_other_servers() -> None:
    body = chat_body(text="x")
    message = body["choices"][0]["message"]
    message["content"] = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    message["reasoning_content"] = "thinking"
    assert chat.read(body).text == "ab"
    message["tool_calls"] = [{"function": {"name": "f", "arguments": {"a": 1}}}]
    body["choices"][0]["finish_reason"] = "stop"
    read = chat.read(body)
    assert read.calls == (RequestedCall(id="", name="f", arguments='{"a": 1}'),)
    assert read.finish is Finish.TOOL_CALLS


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        "many",
        {"input_tokens": -1, "output_tokens": 5, "prompt_tokens": -1},
        {"input_tokens": 10**12, "output_tokens": 5},
        {"input_tokens": 5.5, "output_tokens": 5},
        {"input_tokens": True, "output_tokens": 5},
        {"prompt_tokens": "12", "completion_tokens": 3},
    ],
)
@pytest.mark.parametrize(
    ("dialect", "body"),
    [(chat, chat_body(text="Done.")), (responses, responses_body(text="Done."))],
)
def test_usage_that_is_missing_or_absurd_is_estimated_and_says_so(
    dialect: Any, body: dict[str, Any], usage: Any
) -> None:
    read = dialect.read({**body, "usage": usage}, request_chars=4001).usage
    assert read.estimated
    assert read.input_tokens == 1001
    assert read.output_tokens > 0
    assert read.total_tokens == read.input_tokens + read.output_tokens


def test_details_of_usage_never_exceed_what_they_are_part_of() -> None:
    usage = {
        "input_tokens": 10,
        "output_tokens": 5,
        "total_tokens": 3,
        "input_tokens_details": {"cached_tokens": 50},
        "output_tokens_details": {"reasoning_tokens": -3},
    }
    read = responses.read(responses_body(text="x", usage=usage)).usage
    assert read == Usage(input_tokens=10, cached_tokens=10, output_tokens=5, total_tokens=15)
