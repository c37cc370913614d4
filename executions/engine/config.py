"""What a runner is given: its LLM, its size and its times."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from executions.core.transcript import Reply
from executions.llm.errors import LLMNotConfigured
from executions.llm.factory import make_llm
from executions.llm.port import LLM, LLMError, Request

FROZEN_LEASES = 3  # others drive what it held after one


@dataclass(frozen=True, kw_only=True)
class Config:
    """What a runner is given. `until_idle`: end when there is nothing left to claim (tests).
    `frozen_s`: how long its loop may stand still before its process ends; None: for ever.

    A solo runner takes only what dead runners held, and puts it back after its first progress.
    """

    llm: LLM
    capacity: int
    tool_threads: int
    lease_s: int
    heartbeat_s: float
    slice_s: float
    frozen_s: float | None = None
    until_idle: bool = False
    is_solo: bool = False


def configured(*, is_solo: bool = False) -> Config:
    """Return the configuration the settings give."""
    capacity = settings.AGENTOPS_RUNNER_CAPACITY
    return Config(
        llm=configured_llm(capacity),
        capacity=capacity,
        tool_threads=settings.AGENTOPS_TOOL_THREADS,
        lease_s=settings.AGENTOPS_LEASE_S,
        heartbeat_s=settings.AGENTOPS_HEARTBEAT_S,
        slice_s=settings.AGENTOPS_SLICE_S,
        frozen_s=settings.AGENTOPS_LEASE_S * FROZEN_LEASES,
        is_solo=is_solo,
    )


def configured_llm(capacity: int) -> LLM:
    """Return the LLM the settings name, or one that says what is missing to each execution."""
    try:
        return make_llm(
            api=settings.AGENTOPS_LLM_API,
            base_url=settings.OPENAI_BASE_URL,
            api_key=settings.OPENAI_API_KEY,
            capacity=capacity,
        )
    except LLMNotConfigured as error:
        return _Unconfigured(str(error))


class _Unconfigured:
    """Stands in for an LLM that the settings do not describe."""

    def __init__(self, what: str) -> None:
        self.what = what

    async def ask(self, request: Request, *, timeout_s: float) -> Reply:
        raise LLMError(self.what, code="LLM_NOT_CONFIGURED", retryable=False)

    async def close(self) -> None:
        return None
