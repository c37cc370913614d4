"""From settings' plain values to an LLM."""

from __future__ import annotations

from urllib.parse import urlsplit

from executions.llm import chat, responses
from executions.llm.client import Dialect, HttpLLM
from executions.llm.errors import LLMNotConfigured
from executions.llm.port import LLM

DIALECTS: dict[str, Dialect] = {"responses": responses, "chat": chat}


def make_llm(*, api: str, base_url: str | None, api_key: str | None, capacity: int) -> LLM:
    """Return an LLM for `capacity` requests at once; `base_url` None means OpenAI's own.

    Raises LLMNotConfigured, naming the variable, when a value cannot work.
    """
    if api not in DIALECTS:
        raise LLMNotConfigured(
            f"AGENTOPS_LLM_API is {api!r}; it must be one of: {', '.join(DIALECTS)}."
        )
    return HttpLLM(
        dialect=DIALECTS[api],
        api_key=_checked_key(api_key),
        base_url=_checked_url(base_url),
        capacity=_checked_capacity(capacity),
    )


def _checked_key(api_key: str | None) -> str:
    key = (api_key or "").strip()
    if not key:
        raise LLMNotConfigured(
            "OPENAI_API_KEY is not set. Put the LLM endpoint's key there (any word, for a local "
            "server that asks for none)."
        )
    if not key.isascii() or not key.isprintable():
        raise LLMNotConfigured("OPENAI_API_KEY holds characters that no key can have.")
    return key


def _checked_url(base_url: str | None) -> str | None:
    url = (base_url or "").strip()
    if not url:
        return None
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise LLMNotConfigured(
            "OPENAI_BASE_URL must be a whole address, such as http://localhost:8000/v1."
        )
    return url


def _checked_capacity(capacity: int) -> int:
    if capacity < 1:
        raise LLMNotConfigured(f"AGENTOPS_RUNNER_CAPACITY is {capacity}; it must be at least 1.")
    return capacity
