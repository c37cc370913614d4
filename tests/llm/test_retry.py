"""When to ask again, when to let go, when to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from executions.core.transcript import Reply, Usage
from executions.llm.port import LLM, LLMError, Request
from executions.llm.retry import Answer, BackOff, OutOfTries, Try, ask, next_wait, spent

REQUEST = Request(llm="m", instructions="i", items=())
REPLY = Reply(text="done", usage=Usage(input_tokens=10, output_tokens=2, total_tokens=12))


def failed(code: str = "LLM_UNAVAILABLE", **fields: Any) -> LLMError:
    return LLMError(f"It failed: {code}", **{"code": code, "retryable": True, **fields})


def made(*codes: str) -> list[Try]:
    return [Try(started_ms=0, latency_ms=1, code=code) for code in codes]


@dataclass
class Scripted:
    """An LLM of laid-down outcomes whose every try takes 2 s of a clock that only it moves."""

    outcomes: Sequence[Reply | LLMError]
    now: float = 100.0
    waits: list[float] = field(default_factory=list)
    asked: int = 0

    async def ask(self, request: Request, *, timeout_s: float) -> Reply:
        outcome = self.outcomes[self.asked]
        self.asked += 1
        self.now += 2
        if isinstance(outcome, LLMError):
            raise outcome
        return outcome

    async def close(self) -> None: ...

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def run(self, **changes: Any) -> Answer:
        options: dict[str, Any] = {
            "try_timeout_s": lambda: 30,
            "patience_s": 5,
            "max_tries": 5,
            "sleep": self.sleep,
            "jitter": lambda: 0.0,
            "clock": lambda: self.now,
        }
        llm: LLM = self
        return asyncio.run(ask(llm, REQUEST, **{**options, **changes}))


@pytest.mark.parametrize(
    ("codes", "error", "jitter", "wait_s"),
    [
        (["X"], failed(), 0.0, 0.25),
        (["X"], failed(), 1.0, 0.5),
        (["X", "X"], failed(), 1.0, 1.0),
        (["X"] * 5, failed(), 1.0, 8.0),
        (["X"] * 50, failed(), 1.0, 60.0),
        (["X"], failed(retry_after_s=7.0), 0.0, 7.0),
        (["X"], failed(retry_after_s=7.0), 1.0, 7.7),
        (["X"], failed(retry_after_s=0.0), 0.0, 0.25),
        (["X"], failed(retryable=False), 0.5, None),
        (["BAD_REPLY"], failed("BAD_REPLY"), 0.0, 0.25),
        (["BAD_REPLY", "BAD_REPLY"], failed("BAD_REPLY"), 0.0, 0.5),
        (["BAD_REPLY"] * 3, failed("BAD_REPLY"), 0.0, None),
        (["BAD_REPLY", "BAD_REPLY", "X", "X"], failed(), 0.0, 2.0),
    ],
)
def test_the_next_wait_grows_honours_the_server_and_ends(
    codes: list[str], error: LLMError, jitter: float, wait_s: float | None
) -> None:
    wait = next_wait(made(*codes), error, jitter)
    assert wait == (None if wait_s is None else pytest.approx(wait_s))


def test_an_answer_comes_with_the_log_of_all_tries() -> None:
    llm = Scripted([failed(status=503), failed("BAD_REPLY", usage=REPLY.usage), REPLY])
    answer = llm.run()
    assert answer.reply is REPLY
    assert llm.waits == [0.25, 0.5]
    assert answer.tries == (
        Try(
            started_ms=0,
            latency_ms=2000,
            code="LLM_UNAVAILABLE",
            status=503,
            message="It failed: LLM_UNAVAILABLE",
        ),
        Try(
            started_ms=2250,
            latency_ms=2000,
            code="BAD_REPLY",
            message="It failed: BAD_REPLY",
            usage=REPLY.usage,
        ),
        Try(started_ms=4750, latency_ms=2000, usage=REPLY.usage),
    )
    assert spent(answer.tries) == Usage(input_tokens=20, output_tokens=4, total_tokens=24)


def test_a_long_wait_is_handed_back_instead_of_waited_for() -> None:
    llm = Scripted([failed(), failed("LLM_RATE_LIMITED", retry_after_s=60)])
    with pytest.raises(BackOff) as caught:
        llm.run()
    assert caught.value.wait_s == 60
    assert [each.code for each in caught.value.tries] == ["LLM_UNAVAILABLE", "LLM_RATE_LIMITED"]
    assert llm.waits == [0.25]


def test_a_wait_of_exactly_the_patience_is_waited_for() -> None:
    llm = Scripted([failed(retry_after_s=5), REPLY])
    assert llm.run().reply is REPLY
    assert llm.waits == [5]


def test_tries_before_a_back_off_still_count() -> None:
    llm = Scripted([failed()])
    with pytest.raises(OutOfTries) as caught:
        llm.run(earlier=made("LLM_RATE_LIMITED", "LLM_RATE_LIMITED"), max_tries=3)
    assert len(caught.value.tries) == 3


def test_it_stops_when_the_tries_are_used_up() -> None:
    llm = Scripted([failed("LLM_TIMEOUT")] * 9)
    with pytest.raises(OutOfTries, match="after 3 tries") as caught:
        llm.run(max_tries=3)
    assert llm.asked == 3
    assert caught.value.last_error.code == "LLM_TIMEOUT"


def test_bad_replies_are_asked_for_again_only_twice() -> None:
    llm = Scripted([failed("BAD_REPLY")] * 9)
    with pytest.raises(OutOfTries) as caught:
        llm.run(max_tries=9)
    assert llm.asked == 3
    assert len(caught.value.tries) == 3


def test_what_cannot_get_better_is_raised_at_once_with_its_tries() -> None:
    llm = Scripted([failed(), failed("LLM_AUTH", retryable=False, status=401), REPLY])
    with pytest.raises(LLMError) as caught:
        llm.run()
    assert caught.value.code == "LLM_AUTH"
    assert [each.code for each in caught.value.tries] == ["LLM_UNAVAILABLE", "LLM_AUTH"]


def test_a_message_in_the_log_is_short() -> None:
    error = LLMError("x" * 5000, code="LLM_BAD_REQUEST", retryable=False)
    with pytest.raises(LLMError) as caught:
        Scripted([error]).run()
    assert len(caught.value.tries[0].message) == 500


def test_a_cancelled_wait_is_not_a_try() -> None:
    async def scenario() -> None:
        llm = Scripted([failed(retry_after_s=3), REPLY])
        waiting = asyncio.Event()

        async def wait_for_ever(seconds: float) -> None:
            waiting.set()
            await asyncio.Event().wait()

        asking = asyncio.ensure_future(
            ask(
                llm,
                REQUEST,
                try_timeout_s=lambda: 1,
                patience_s=5,
                max_tries=5,
                sleep=wait_for_ever,
            )
        )
        await waiting.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert llm.asked == 1

    asyncio.run(scenario())


def test_a_try_survives_storage_as_json() -> None:
    one = Try(started_ms=5, latency_ms=7, code="BAD_REPLY", status=200, usage=Usage(input_tokens=3))
    assert Try.from_json(one.as_json()) == one
    assert Try.from_json(Try(started_ms=0, latency_ms=0).as_json()).usage is None
