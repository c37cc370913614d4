"""What went wrong with one try, as an `LLMError` with a code and a sentence a person can act on."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import aiohttp
import openai

from executions.core.transcript import Usage
from executions.llm.body import excerpt
from executions.llm.port import LLMError

MOST_RETRY_AFTER_S = 86_400.0
_KEY = re.compile(r"\b(sk|pk|key)-[\w*.-]{6,}", re.IGNORECASE)
_SAID_CHARS = 600
_NO_QUOTA = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_TOO_LONG = frozenset({"context_length_exceeded", "string_above_max_length"})

_REFUSED = ("LLM_BAD_REQUEST", False, "The LLM endpoint{place} refused the request ({status}).")
_FAILING = ("LLM_UNAVAILABLE", True, "The LLM endpoint{place} is failing ({status}).")
_ELSEWHERE = (
    "LLM_NOT_FOUND",
    False,
    "The LLM endpoint{place} knows no such LLM or address ({status}); "
    "check AGENTOPS_LLM_MODEL, OPENAI_BASE_URL and AGENTOPS_LLM_API.",
)
_MEANINGS = {
    401: (
        "LLM_AUTH",
        False,
        "The LLM endpoint{place} does not accept the key in OPENAI_API_KEY ({status}).",
    ),
    402: (
        "LLM_QUOTA",
        False,
        "The account behind OPENAI_API_KEY has no quota left ({status}); check its billing.",
    ),
    403: (
        "LLM_AUTH",
        False,
        "The key in OPENAI_API_KEY may not use this LLM endpoint{place} ({status}).",
    ),
    404: _ELSEWHERE,
    405: _ELSEWHERE,
    408: _FAILING,
    409: _FAILING,
    413: (
        "LLM_CONTEXT_TOO_LONG",
        False,
        "The conversation is longer than this LLM can read ({status}).",
    ),
    425: _FAILING,
    429: ("LLM_RATE_LIMITED", True, "The LLM endpoint{place} asks to slow down ({status})."),
}


class LLMNotConfigured(ValueError):
    """The settings cannot make an LLM; the message names the variable and what to put there."""


def bad_reply(what: str, body: Any, *, usage: Usage | None = None) -> LLMError:
    """Return the error for an answer nobody can use: `what` is wrong, and how it began."""
    begin = scrub(excerpt(body))
    message = f"The LLM's answer {what}." + (f" It began: {begin}" if begin else "")
    return LLMError(message, code="BAD_REPLY", retryable=True, usage=usage)


def timed_out(timeout_s: float) -> LLMError:
    return LLMError(
        f"The LLM did not answer within {timeout_s:g} s.", code="LLM_TIMEOUT", retryable=True
    )


def from_exception(error: Exception, *, endpoint: str, timeout_s: float) -> LLMError:
    """Return what a failed request means. `endpoint` is the host as people know it."""
    if isinstance(error, LLMError):
        return error
    if isinstance(error, openai.APIStatusError):
        return from_status(
            error.status_code, error.body, headers=error.response.headers, endpoint=endpoint
        )
    cause = _root(error)
    if isinstance(cause, TimeoutError):
        return timed_out(timeout_s)
    said = scrub(excerpt(str(cause)))[:300] or type(cause).__name__
    return LLMError(
        f"The LLM endpoint {endpoint} cannot be reached, or broke the connection: {said}",
        code="LLM_UNAVAILABLE",
        retryable=True,
    )


def from_status(
    status: int, body: Any, *, headers: Mapping[str, str] | None = None, endpoint: str = ""
) -> LLMError:
    """Return what an HTTP error status means; `body` is the parsed JSON or the raw text."""
    code, said = _code_of(body), _said(body)
    place = f" {endpoint}" if endpoint else ""
    kind, retryable, sentence = _meaning(status, code)
    message = sentence.format(place=place, status=status) + (f" It said: {said}" if said else "")
    return LLMError(
        message,
        code=kind,
        retryable=retryable,
        status=status,
        retry_after_s=retry_after(headers or {}) if retryable else None,
    )


def _meaning(status: int, code: str) -> tuple[str, bool, str]:
    """Return (code, retryable, sentence) for a status and the provider's own error code."""
    if code in _NO_QUOTA:
        status = 402
    elif code in _TOO_LONG:
        status = 413
    if status in _MEANINGS:
        return _MEANINGS[status]
    return _FAILING if status >= 500 else _REFUSED


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds the server asks to wait (`Retry-After-Ms`, or `Retry-After` in seconds
    or as a date, which is read against the server's own `Date`), None when it does not say."""
    exact = _number(headers.get("retry-after-ms"))
    if exact is not None:
        return min(exact / 1000, MOST_RETRY_AFTER_S)
    given = headers.get("retry-after")
    seconds = _number(given)
    if seconds is None and given:
        due = _date(given)
        now = _date(headers.get("date") or "") or datetime.now(UTC)
        seconds = max(0.0, (due - now).total_seconds()) if due else None
    return None if seconds is None else min(seconds, MOST_RETRY_AFTER_S)


def scrub(text: str) -> str:
    """Return `text` without anything that looks like an API key."""
    return _KEY.sub("[key]", text)


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text else None
    except ValueError:
        return None
    # NaN fails both comparisons.
    return value if value is not None and 0 <= value < float("inf") else None


def _date(text: str) -> datetime | None:
    try:
        found = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _error_object(body: Any) -> Any:
    """The SDK hands on the inner error object; a raw body still has its wrapper."""
    if isinstance(body, dict):
        return body.get("error", body)
    return body


def _code_of(body: Any) -> str:
    error = _error_object(body)
    if not isinstance(error, dict):
        return ""
    return str(error.get("code") or error.get("type") or "")


def _said(body: Any) -> str:
    """Return the provider's message; of an HTML page nothing, it tells a person nothing."""
    error = _error_object(body)
    said = error.get("message") if isinstance(error, dict) else error
    if not isinstance(said, str) or said.lstrip().startswith("<"):
        return ""
    return scrub(excerpt(said))[:_SAID_CHARS]


def _root(error: BaseException) -> BaseException:
    """Return the first cause that says something: aiohttp's own error, or the last in the chain."""
    while error.__cause__ is not None and not isinstance(error, aiohttp.ClientError):
        error = error.__cause__
    return error
