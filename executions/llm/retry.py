"""Asking until there is an answer: short waits here, long ones by whoever can free the runner."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from executions import faults
from executions.core import storable
from executions.core.transcript import Reply, Usage
from executions.llm.port import LLM, LLMError, Request

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 60.0
# A server that is away may be back in minutes; one that answers badly or slowly costs each time.
MOST = {"BAD_REPLY": 3, "LLM_TIMEOUT": 3}
MESSAGE_CHARS = 500
OK = "OK"


@dataclass(frozen=True, kw_only=True)
class Try:
    """One request and what came of it, for the step's log.

    `started_ms` counts from the first try of this `ask`; `code` is "OK" or the error's;
    `usage` is what the try cost, None when nothing was answered.
    """

    started_ms: int
    latency_ms: int
    code: str = OK
    status: int | None = None
    message: str = ""
    usage: Usage | None = None

    def as_json(self) -> dict[str, Any]:
        """Return plain values; `dataclasses.asdict` would copy each of them deeply."""
        usage = None if self.usage is None else dict(vars(self.usage))
        return {**vars(self), "usage": usage}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Try:
        """Return what `as_json` wrote."""
        usage = stored.get("usage")
        return cls(**{**stored, "usage": Usage(**usage) if usage else None})


@dataclass(frozen=True, kw_only=True)
class Answer:
    reply: Reply
    tries: tuple[Try, ...]


class BackOff(Exception):
    """The next try is `wait_s` away: store it, let go, come back with `tries` as `earlier`."""

    def __init__(self, *, wait_s: float, tries: tuple[Try, ...], last_error: LLMError) -> None:
        super().__init__(f"The LLM asks for {wait_s:.1f} s of patience. {last_error}")
        self.wait_s = wait_s
        self.tries = tries
        self.last_error = last_error


class OutOfTries(Exception):
    """No further try makes sense; `last_error` says why the last one failed."""

    def __init__(self, *, tries: tuple[Try, ...], last_error: LLMError) -> None:
        times = f"{len(tries)} tries" if len(tries) != 1 else "1 try"
        super().__init__(f"No usable answer after {times}. {last_error}")
        self.tries = tries
        self.last_error = last_error


async def ask(
    llm: LLM,
    request: Request,
    *,
    try_timeout_s: Callable[[], float],
    patience_s: float,
    max_tries: int,
    earlier: Sequence[Try] = (),
    sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
    jitter: Callable[[], float] = random.random,
    clock: Callable[[], float] = time.monotonic,
) -> Answer:
    """Ask until answered; `earlier` are the tries before a back-off and count as this step's.

    `try_timeout_s` is asked anew for each try. Waits of up to `patience_s` seconds happen here.
    Raises BackOff for a longer one, OutOfTries after `max_tries`, and LLMError, with its `tries`,
    when trying again cannot help.
    """
    began = clock()
    tries = list(earlier)
    while True:
        outcome, made = await _try(llm, request, try_timeout_s(), began=began, clock=clock)
        tries.append(made)
        if isinstance(outcome, Reply):
            return Answer(reply=outcome, tries=tuple(tries))
        wait_s = _wait_or_raise(tries, outcome, jitter(), max_tries=max_tries)
        if wait_s > patience_s:
            raise BackOff(wait_s=wait_s, tries=tuple(tries), last_error=outcome)
        await sleep(wait_s)


def next_wait(tries: Sequence[Try], error: LLMError, jitter: float) -> float | None:
    """Return the seconds before the next try, None when there should be none.

    `tries` ends with the one that failed with `error`; `jitter` is in [0, 1) and keeps a crowd
    that failed together from coming back together. A `Retry-After` is never undercut.
    """
    if not error.retryable:
        return None
    if _count(tries, error.code) >= MOST.get(error.code, math.inf):
        return None
    wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(len(tries) - 1, 10))
    wait_s *= 0.5 + jitter / 2
    if error.retry_after_s is None:
        return wait_s
    return max(wait_s, error.retry_after_s * (1 + jitter / 10))


def spent(tries: Sequence[Try]) -> Usage:
    """Return the sum of what `tries` used; estimated as soon as one of them was."""
    used = [each.usage for each in tries if each.usage is not None]
    return Usage(
        input_tokens=sum(usage.input_tokens for usage in used),
        cached_tokens=sum(usage.cached_tokens for usage in used),
        output_tokens=sum(usage.output_tokens for usage in used),
        reasoning_tokens=sum(usage.reasoning_tokens for usage in used),
        total_tokens=sum(usage.total_tokens for usage in used),
        estimated=any(usage.estimated for usage in used),
    )


async def _try(
    llm: LLM,
    request: Request,
    timeout_s: float,
    *,
    began: float,
    clock: Callable[[], float],
) -> tuple[Reply | LLMError, Try]:
    started = clock()
    outcome: Reply | LLMError
    faults.hit("llm.before")
    try:
        outcome = await llm.ask(request, timeout_s=timeout_s)
        faults.hit("llm.after")
    except LLMError as error:
        outcome = error
    ended = clock()
    times: dict[str, Any] = {
        "started_ms": _ms(started - began),
        "latency_ms": _ms(ended - started),
    }
    if isinstance(outcome, Reply):
        return outcome, Try(**times, usage=outcome.usage)
    message = storable.text(str(outcome)[:MESSAGE_CHARS])
    return outcome, Try(
        **times, code=outcome.code, status=outcome.status, message=message, usage=outcome.usage
    )


def _wait_or_raise(
    tries: Sequence[Try], error: LLMError, jitter: float, *, max_tries: int
) -> float:
    if not error.retryable:
        error.tries = tuple(tries)
        raise error
    wait_s = next_wait(tries, error, jitter)
    if wait_s is None or len(tries) >= max_tries:
        raise OutOfTries(tries=tuple(tries), last_error=error) from error
    return wait_s


def _count(tries: Sequence[Try], code: str) -> int:
    return sum(1 for each in tries if each.code == code)


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))
