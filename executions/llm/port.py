"""What the loop needs of an LLM: one request in, one reply or one `LLMError` out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from executions.core.transcript import Item, Reply, Usage


@dataclass(frozen=True, kw_only=True)
class ToolSpec:
    """A tool as the LLM is told of it; `schema` is the JSON schema of its arguments."""

    name: str
    description: str
    schema: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Request:
    """One stateless LLM request. `output_schema` asks for a final answer of that shape."""

    llm: str
    instructions: str
    items: tuple[Item, ...]
    tools: tuple[ToolSpec, ...] = ()
    max_output_tokens: int | None = None
    output_schema: dict[str, Any] | None = None


class LLMError(Exception):
    """One try failed. `code` is UPPER_SNAKE; the message is a sentence a person can act on.

    `usage` is what an unusable answer cost, None when nothing was answered. `tries` is the log
    of all tries (`retry.Try`), filled in by `retry.ask` when it hands the error on.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        retryable: bool,
        status: int | None = None,
        retry_after_s: float | None = None,
        usage: Usage | None = None,
        tries: tuple[Any, ...] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.retryable = retryable
        self.status = status
        self.retry_after_s = retry_after_s
        self.usage = usage
        self.tries = tries


class LLM(Protocol):
    """An adapter. One instance serves thousands of requests at once inside one event loop."""

    async def ask(self, request: Request, *, timeout_s: float) -> Reply:
        """Make one try. Raises `LLMError`; never retries by itself."""
        ...

    async def close(self) -> None: ...
