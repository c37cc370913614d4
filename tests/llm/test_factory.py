"""Settings that cannot work are refused with the variable's name."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from executions.llm.errors import LLMNotConfigured
from executions.llm.factory import make_llm

GOOD: dict[str, Any] = {"api": "chat", "base_url": None, "api_key": "k", "capacity": 10}


@pytest.mark.parametrize(
    ("changes", "variable"),
    [
        ({"api": "telepathy"}, "AGENTOPS_LLM_API"),
        ({"api_key": None}, "OPENAI_API_KEY"),
        ({"api_key": "  "}, "OPENAI_API_KEY"),
        ({"api_key": "sk-\nnewline"}, "OPENAI_API_KEY"),
        ({"api_key": "schlüssel"}, "OPENAI_API_KEY"),
        ({"base_url": "localhost:8000"}, "OPENAI_BASE_URL"),
        ({"base_url": "ftp://host/v1"}, "OPENAI_BASE_URL"),
        ({"base_url": "http://"}, "OPENAI_BASE_URL"),
        ({"base_url": "http://[bad"}, "OPENAI_BASE_URL"),
        ({"capacity": 0}, "AGENTOPS_RUNNER_CAPACITY"),
    ],
)
def test_it_refuses_settings_that_cannot_work(changes: dict[str, Any], variable: str) -> None:
    with pytest.raises(LLMNotConfigured, match=variable) as caught:
        make_llm(**{**GOOD, **changes})
    assert "schlüssel" not in str(caught.value)


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize("base_url", [None, "", "http://127.0.0.1:9/v1", "https://llm.example/v1"])
def test_it_makes_an_llm_outside_of_any_event_loop(api: str, base_url: str | None) -> None:
    llm = make_llm(**{**GOOD, "api": api, "base_url": base_url})
    asyncio.run(llm.close())
