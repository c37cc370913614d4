"""What a runner holds in memory of one execution it drives: loaded once, at the claim."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from executions.core import answers, decide, idempotency, transcript
from executions.core.limits import Limits, Spent
from executions.core.states import ANSWERED, CallStatus
from executions.core.transcript import CallRecord, Item, StepRecord
from executions.engine.definitions import Definition
from tools.registry import TOOLS

ZERO = Decimal(0)


class Stopwatch:
    """Counts active time: running except while paused for waits that are not the agent's."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self._paused_at: float | None = None

    def lap(self) -> int:
        """Return the active milliseconds since the last lap."""
        elapsed = self.running_ms()
        self._since += elapsed / 1000
        return elapsed

    def running_ms(self) -> int:
        """Return the active milliseconds since the last lap, without booking them."""
        now = self._paused_at if self._paused_at is not None else self._clock()
        return max(int((now - self._since) * 1000), 0)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        if self._paused_at is not None:
            yield
            return
        self._paused_at = self._clock()
        try:
            yield
        finally:
            self._since += self._clock() - self._paused_at
            self._paused_at = None


@dataclass
class HeldCall:
    """One tool call of this execution, as its row was when last read or written."""

    id: UUID
    wire_id: str
    step_number: int
    call_index: int
    tool_name: str
    status: CallStatus
    effect: str
    gated: bool
    proposed: Any
    arguments: Any
    output: Any = None
    error: str | None = None
    review_id: UUID | None = None
    target_version: str | None = None
    started: float | None = None  # on the monotonic clock; the first time, if several
    undo_until: float | None = None  # monotonic; before then the approval may be taken back
    _final: CallRecord | None = field(default=None, init=False, repr=False, compare=False)

    @cached_property
    def identity(self) -> str:
        return transcript.identity(self.tool_name, self.proposed)

    @property
    def was_asked(self) -> bool:
        return bool(transcript.question(self.status, self.output))

    def undo_left_s(self) -> float:
        """Return for how long its approval may still be taken back."""
        return max(self.undo_until - time.monotonic(), 0.0) if self.undo_until else 0.0

    def record(self) -> CallRecord:
        """Return it as the transcript wants it; a final call's never changes and is made once."""
        if self._final is not None:
            return self._final
        record = self._recorded()
        if self.status in ANSWERED:
            self._final = record
        return record

    def _recorded(self) -> CallRecord:
        return CallRecord(
            wire_id=self.wire_id,
            step_number=self.step_number,
            tool_name=self.tool_name,
            status=self.status.value,
            proposed=self.proposed,
            arguments=self.arguments,
            output=self.output,
            error=self.error,
        )

    @property
    def was_forced_behind_the_gate(self) -> bool:
        """Whether the database gated it although its proposer, older code, saw no need."""
        return self.gated and self.review_id is None and self.status is CallStatus.PENDING

    @property
    def was_started(self) -> bool:
        return self.started is not None

    @property
    def key_lapsed(self) -> bool:
        """Whether the other side may have forgotten the key this call started with."""
        if self.started is None or self.effect != decide.IDEMPOTENT:
            return False
        tool = TOOLS.get(self.tool_name)
        age_s = time.monotonic() - self.started
        return idempotency.is_lapsed(window_s=tool.key_window_s if tool else None, age_s=age_s)

    def view(self) -> decide.Call:
        return decide.Call(
            id=self.id,
            status=self.status,
            effect=self.effect,
            gated=self.gated,
            key_lapsed=self.status is CallStatus.RUNNING and self.key_lapsed,
        )


@dataclass
class Driven:
    """One execution under this runner's lease."""

    id: UUID
    token: int
    agent_type: str
    user_id: UUID
    attempts: int
    input_data: Any
    state: dict[str, Any]
    limits: Limits
    spent: Spent
    definition: Definition | None = None
    limits_given: bool = True
    fault: str | None = None  # why its rows could not be read
    was_abandoned: bool = False  # claimed from a dead runner
    has_progressed: bool = False  # since this claim
    cancel_requested: bool = False
    steps: list[StepRecord] = field(default_factory=list)
    calls: list[HeldCall] = field(default_factory=list)
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    asking: asyncio.Timeout | None = None  # set while an LLM request is under way
    interrupted: bool = False  # that request is to be broken off

    def latest_calls(self) -> list[HeldCall]:
        number = self.spent.steps
        return [call for call in self.calls if call.step_number == number]

    def call(self, id: Any) -> HeldCall:
        return next(call for call in self.calls if call.id == id)

    def snapshot(self) -> decide.Snapshot:
        """Return what `decide.next_step` looks at, with the time spent until now."""
        return decide.Snapshot(
            calls=tuple(call.view() for call in self.latest_calls()),
            answer=answers.latest(self.steps),
            cancel_requested=self.cancel_requested,
            identical=self._identical(),
            limits=self.limits,
            spent=self.spent_now(),
        )

    def spent_now(self) -> Spent:
        """Return what is spent, with the active time not booked yet."""
        return self._spent_with(self.stopwatch.running_ms())

    def items(self) -> tuple[Item, ...]:
        """Return the whole conversation for the next LLM request."""
        return transcript.build(
            self._opening,
            self.steps,
            [call.record() for call in self.calls],
            warn_at=self.limits.warn_identical_calls,
        )

    @cached_property
    def _opening(self) -> str:
        return f"Input:\n{transcript.dump(self.input_data)}"

    def lap(self) -> int:
        """Book the active time since the last lap; return its milliseconds for the journal."""
        lap = self.stopwatch.lap()
        self.spent = self._spent_with(lap)
        return lap

    def _spent_with(self, more_ms: int) -> Spent:
        spent = self.spent  # spelt out: `replace` takes twice as long, four times a step
        return Spent(
            steps=spent.steps,
            tokens=spent.tokens,
            active_ms=spent.active_ms + more_ms,
            cost_usd=spent.cost_usd,
        )

    @property
    def is_suspect(self) -> bool:
        """Whether its last runner died, and may have died of it."""
        return self.was_abandoned and not self.has_progressed

    def book_step(self, *, tokens: int, cost: Decimal | None) -> None:
        self.has_progressed = True
        known = self.spent.cost_usd is not None and cost is not None
        self.spent = replace(
            self.spent,
            steps=self.spent.steps + 1,
            tokens=self.spent.tokens + tokens,
            cost_usd=(self.spent.cost_usd or ZERO) + (cost or ZERO) if known else None,
        )

    def request_cancel(self) -> None:
        """Stop at the next commit, and an LLM request under way at once."""
        self.cancel_requested = True
        self.interrupt()

    def interrupt(self) -> None:
        """Break off an LLM request that is under way; whoever waits for it looks what is next."""
        if self.asking is not None and not self.asking.expired():
            self.interrupted = True
            self.asking.reschedule(asyncio.get_running_loop().time())

    def _identical(self) -> int:
        if not self.calls or self.calls[-1].step_number != self.spent.steps:
            return 0
        return transcript.identical(self.calls)
