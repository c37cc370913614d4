"""Both adapters against every fault the rehearsal server can play, over real HTTP."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from executions.core.transcript import Finish, Reply
from tests.llm.asking import APIS, PATIENT_S, asked, conversing, fault, refused
from tests.rehearsal_server import RehearsalServer


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("429", ("LLM_RATE_LIMITED", True, 429)),
        ("500", ("LLM_UNAVAILABLE", True, 500)),
        ("502", ("LLM_UNAVAILABLE", True, 502)),
        ("503", ("LLM_UNAVAILABLE", True, 503)),
        ("529", ("LLM_UNAVAILABLE", True, 529)),
        ("408", ("LLM_UNAVAILABLE", True, 408)),
        ("409", ("LLM_UNAVAILABLE", True, 409)),
        ("400", ("LLM_BAD_REQUEST", False, 400)),
        ("401", ("LLM_AUTH", False, 401)),
        ("403", ("LLM_AUTH", False, 403)),
        ("404", ("LLM_NOT_FOUND", False, 404)),
        ("quota", ("LLM_QUOTA", False, 429)),
        ("reset", ("LLM_UNAVAILABLE", True, None)),
        ("cut", ("LLM_UNAVAILABLE", True, None)),
        ("html", ("BAD_REPLY", True, None)),
        ("empty", ("BAD_REPLY", True, None)),
        ("not_json", ("BAD_REPLY", True, None)),
        ("truncated", ("BAD_REPLY", True, None)),
        ("streamed", ("BAD_REPLY", True, None)),
        ("nan_body", ("BAD_REPLY", True, None)),
        ("deep", ("BAD_REPLY", True, None)),
        ("no_choices", ("BAD_REPLY", True, None)),
        ("null_message", ("BAD_REPLY", True, None)),
        ("null_content", ("BAD_REPLY", True, None)),
        ("huge", ("BAD_REPLY", True, None)),
        ("failed_response", ("LLM_UNAVAILABLE", True, None)),
    ],
)
def test_a_fault_becomes_an_error_with_a_code(
    server: RehearsalServer, api: str, name: str, expected: tuple[str, bool, int | None]
) -> None:
    """M1, M2, M4, M5, M6, M16: tried again or not, with what the server said."""
    code, retryable, status = expected
    request = conversing()
    fault(server, request, name)
    error = refused(server, api, request)
    assert server.fired() == [1]
    assert (error.code, error.retryable) == (code, retryable)
    assert status is None or error.status == status
    assert len(str(error)) < 2048
    assert asked(server, api, request).text, "the next try must find the connection usable"


@pytest.mark.parametrize("api", APIS)
def test_an_html_page_with_an_error_status_is_not_quoted(server: RehearsalServer, api: str) -> None:
    request = conversing()
    fault(server, request, "html", status=502)
    error = refused(server, api, request)
    assert (error.code, error.status) == ("LLM_UNAVAILABLE", 502)
    assert "<" not in str(error)


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("name", ["timeout", "drip"])
def test_the_deadline_holds_against_silence_and_against_a_drip(
    server: RehearsalServer, api: str, name: str
) -> None:
    """M3: whatever trickles in, the deadline is one for the whole answer."""
    request = conversing()
    fault(server, request, name, delay_s=0.05 if name == "drip" else 60)
    began = time.monotonic()
    error = refused(server, api, request, timeout_s=0.4)
    assert (error.code, error.retryable) == ("LLM_TIMEOUT", True)
    assert "within 0.4 s" in str(error)
    assert time.monotonic() - began < PATIENT_S
    assert server.fired() == [1]


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(("given", "low", "high"), [(7, 7, 7), ("date:30", 25, 31)])
def test_retry_after_reaches_the_caller(
    server: RehearsalServer, api: str, given: Any, low: float, high: float
) -> None:
    """M1: in seconds, or as a date."""
    request = conversing()
    fault(server, request, "429", retry_after=given)
    error = refused(server, api, request)
    assert error.retry_after_s is not None
    assert low <= error.retry_after_s <= high


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    ("name", "finish"),
    [
        ("length", Finish.LENGTH),
        ("refusal", Finish.REFUSAL),
        ("content_filter", Finish.CONTENT_FILTER),
    ],
)
def test_an_answer_that_broke_off_is_told_as_such(
    server: RehearsalServer, api: str, name: str, finish: Finish
) -> None:
    request = conversing()
    fault(server, request, name)
    assert asked(server, api, request).finish is finish


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    ("name", "in_arguments"),
    [
        ("bad_json_arguments", "{'broken'"),
        ("unknown_tool", '{"count": 3}'),
        ("nul", "\\u0000"),
        ("surrogate", "\\ud800"),
        ("nan", "NaN"),
    ],
)
def test_calls_come_through_raw_however_broken(
    server: RehearsalServer, api: str, name: str, in_arguments: str
) -> None:
    request = conversing(rehearse=[{"calls": [{"name": "find_customers", "arguments": {"q": ""}}]}])
    fault(server, request, name)
    reply: Reply = asked(server, api, request)
    assert reply.finish is Finish.TOOL_CALLS
    assert in_arguments in reply.calls[0].arguments
    assert server.fired() == [1]


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("char", ["nul", "surrogate"])
def test_hostile_characters_in_a_text_come_through_for_the_boundary_to_judge(
    server: RehearsalServer, api: str, char: str
) -> None:
    request = conversing()
    fault(server, request, char)
    reply: Reply = asked(server, api, request)
    assert reply.text is not None
    assert reply.text[-1] in ("\x00", "\ud800")


@pytest.mark.parametrize("api", APIS)
def test_two_hundred_calls_and_twin_ids_come_through(server: RehearsalServer, api: str) -> None:
    request = conversing()
    fault(server, request, "many_calls", count=200)
    fault(server, request, "duplicate_call_ids")
    assert len(asked(server, api, request).calls) == 200
    twins = asked(server, api, request).calls
    assert len(twins) == 2
    assert twins[0].id == twins[1].id


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("name", ["missing_usage", "negative_usage", "absurd_usage"])
def test_usage_that_makes_no_sense_is_estimated(
    server: RehearsalServer, api: str, name: str
) -> None:
    """M17: missing, negative or absurd."""
    request = conversing()
    fault(server, request, name)
    usage = asked(server, api, request).usage
    assert usage.estimated
    assert 0 < usage.total_tokens < 1000


@pytest.mark.parametrize("api", APIS)
def test_an_answer_is_cut_where_the_request_allows_no_more(
    server: RehearsalServer, api: str
) -> None:
    request = replace(conversing(padding="x" * 900), max_output_tokens=16)
    assert asked(server, api, request).finish is Finish.LENGTH
