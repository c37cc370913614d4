"""What a failed request means, and for whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import aiohttp
import httpx2
import openai
import pytest

from executions.llm.errors import from_exception, from_status, retry_after, scrub


@pytest.mark.parametrize(
    ("status", "error", "code", "retryable"),
    [
        (400, {}, "LLM_BAD_REQUEST", False),
        (400, {"code": "context_length_exceeded"}, "LLM_CONTEXT_TOO_LONG", False),
        (401, {}, "LLM_AUTH", False),
        (402, {}, "LLM_QUOTA", False),
        (403, {}, "LLM_AUTH", False),
        (404, {}, "LLM_NOT_FOUND", False),
        (405, {}, "LLM_NOT_FOUND", False),
        (408, {}, "LLM_UNAVAILABLE", True),
        (409, {}, "LLM_UNAVAILABLE", True),
        (413, {}, "LLM_CONTEXT_TOO_LONG", False),
        (418, {}, "LLM_BAD_REQUEST", False),
        (422, {}, "LLM_BAD_REQUEST", False),
        (429, {}, "LLM_RATE_LIMITED", True),
        (429, {"code": "rate_limit_exceeded"}, "LLM_RATE_LIMITED", True),
        (429, {"code": "insufficient_quota"}, "LLM_QUOTA", False),
        (429, {"type": "insufficient_quota"}, "LLM_QUOTA", False),
        (500, {}, "LLM_UNAVAILABLE", True),
        (503, {}, "LLM_UNAVAILABLE", True),
        (529, {}, "LLM_UNAVAILABLE", True),
    ],
)
def test_a_status_says_whether_trying_again_can_help(
    status: int, error: dict[str, Any], code: str, retryable: bool
) -> None:
    found = from_status(status, {"error": error})
    assert (found.code, found.retryable, found.status) == (code, retryable, status)
    assert f"({status})" in str(found) or code in ("LLM_QUOTA", "LLM_CONTEXT_TOO_LONG")


def test_an_error_is_a_sentence_that_says_what_to_check() -> None:
    found = from_status(401, {"error": {"message": "Bad sk-proj-abcdef12"}}, endpoint="llm:80")
    assert str(found) == (
        "The LLM endpoint llm:80 does not accept the key in OPENAI_API_KEY (401). "
        "It said: Bad [key]"
    )
    assert "AGENTOPS_LLM_MODEL" in str(from_status(404, None))


@pytest.mark.parametrize("body", ["<html>nginx</html>", None, "", 7, ["x"], {"error": None}])
def test_an_error_without_a_readable_message_is_still_a_sentence(body: Any) -> None:
    assert str(from_status(502, body)) == "The LLM endpoint is failing (502)."


DAY = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "99999999"}, 86_400.0),
        (
            {
                "retry-after": format_datetime(DAY + timedelta(seconds=90), usegmt=True),
                "date": format_datetime(DAY, usegmt=True),
            },
            90.0,
        ),
        (
            {
                "retry-after": format_datetime(DAY, usegmt=True),
                "date": format_datetime(DAY + timedelta(seconds=90), usegmt=True),
            },
            0.0,
        ),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date_on_the_servers_clock(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers) == seconds


def test_retry_after_counts_only_where_trying_again_can_help() -> None:
    assert from_status(429, None, headers={"retry-after": "3"}).retry_after_s == 3
    assert from_status(401, None, headers={"retry-after": "3"}).retry_after_s is None


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        (aiohttp.ServerDisconnectedError(), "LLM_UNAVAILABLE"),
        (aiohttp.ClientPayloadError("cut"), "LLM_UNAVAILABLE"),
        (aiohttp.ServerTimeoutError(), "LLM_TIMEOUT"),
        (OSError(111, "Connection refused"), "LLM_UNAVAILABLE"),
        (ValueError("strange"), "LLM_UNAVAILABLE"),
    ],
)
def test_a_broken_connection_is_told_from_a_slow_one(cause: Exception, code: str) -> None:
    request = httpx2.Request("POST", "http://llm/v1")
    wrapped = openai.APITimeoutError(request)
    wrapped.__cause__ = httpx2.ConnectTimeout("")
    wrapped.__cause__.__cause__ = cause
    found = from_exception(wrapped, endpoint="llm", timeout_s=5)
    assert found.code == code
    assert found.retryable


def test_keys_are_cut_out_of_messages() -> None:
    assert scrub("use sk-proj-12345678 or pk-live.abcdef") == "use [key] or [key]"
    assert scrub("a task-list of risk-ratings") == "a task-list of risk-ratings"
