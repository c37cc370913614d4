"""What `--follow` prints: each step, call and decision once it is committed, until the end."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection

from executions.core.states import FINAL, CallStatus, ExecutionStatus, ReviewStatus
from executions.management import wording
from executions.management.endings import LOST_DATABASE, NoDatabase, first_line, sentences
from executions.management.story import reviews_of
from executions.management.wording import Reviewed
from executions.models import AgentExecution, AgentStep, AgentToolCall

POLL_S = 0.3
PATIENCE_S = 120.0  # a database that restarts is waited for this long
WAITING = (CallStatus.AWAITING_REVIEW, CallStatus.IN_DOUBT)
OPEN = ReviewStatus.OPEN


@dataclass(frozen=True, kw_only=True)
class News:
    """One thing that happened. `kind`: step, call, status, note or end; `facts` is JSON-able."""

    kind: str
    text: str
    facts: dict[str, Any] = field(default_factory=dict)


def follow(
    execution_id: UUID,
    *,
    wait_for_people: bool = True,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[News]:
    """Yield what happens to an execution until it has ended, the end included.

    Without `wait_for_people` also until it awaits a review. Raises NoDatabase when the database
    does not come back.
    """
    follower = Follower(execution_id)
    lost_since: float | None = None
    while True:
        try:
            yield from follower.news()
        except LOST_DATABASE as lost:
            connection.close()
            if lost_since is None:
                lost_since = time.monotonic()
                yield News(kind="note", text=f"the database does not answer ({first_line(lost)})")
            elif time.monotonic() - lost_since > PATIENCE_S:
                raise _out_of_patience(execution_id, lost) from None
        else:
            lost_since = None
            if follower.is_over(wait_for_people=wait_for_people):
                return
        sleep(POLL_S)


class Follower:
    """Remembers what it has told, so that each thing is told once."""

    def __init__(self, execution_id: UUID) -> None:
        self.execution_id = execution_id
        self.status = ""
        self._steps_told = 0
        self._calls_told: dict[UUID, tuple[str, str, int]] = {}
        self._state_told = ""

    def news(self) -> list[News]:
        """Return what was committed since the last look, in order."""
        # The execution first: once it reads as final, what is read after it is complete.
        execution = AgentExecution.objects.defer("input_data", "state").get(pk=self.execution_id)
        steps = AgentStep.objects.filter(
            execution_id=self.execution_id, step_number__gt=self._steps_told
        )
        told = list(self._of_steps(steps.order_by("step_number")))
        state = wording.execution_state(execution)
        if state and state != self._state_told:
            told.append(News(kind="status", text=state, facts={"status": execution.status}))
        self._state_told, self.status = state, execution.status
        if execution.is_final:
            text = wording.execution_ended(execution)
            told.append(News(kind="end", text=text, facts=execution.facts()))
        return told

    def is_over(self, *, wait_for_people: bool) -> bool:
        """Test if there is nothing more to tell."""
        waits = self.status == ExecutionStatus.AWAITING_REVIEW and not wait_for_people
        return waits or self.status in FINAL

    def _of_steps(self, new_steps: Iterable[AgentStep]) -> Iterator[News]:
        """Yield new steps, each followed by its calls, and older calls that changed."""
        steps = {row.step_number: row for row in new_steps}
        # A step committed since the steps were read waits for the next look, with its calls.
        calls = AgentToolCall.objects.filter(
            execution_id=self.execution_id, step_number__lte=max(steps, default=self._steps_told)
        )
        by_step: dict[int, list[AgentToolCall]] = defaultdict(list)
        for call in calls.order_by("step_number", "call_index").defer("tool_output"):
            by_step[call.step_number].append(call)
        reviews = reviews_of(self.execution_id)
        for number in sorted(steps.keys() | by_step.keys()):
            if number in steps:
                self._steps_told = number
                yield _step(steps[number])
            for call in by_step[number]:
                yield from self._of_call(call, reviews[call.pk])

    def _of_call(self, call: AgentToolCall, reviews: Sequence[Reviewed]) -> Iterator[News]:
        reviewed = wording.open_one(reviews)
        if call.status in WAITING and not (reviewed and reviewed.review.status == OPEN):
            return  # decided since the calls were read: the next look tells how
        review_id, votes = (str(reviewed.review.pk), len(reviewed.votes)) if reviewed else ("", 0)
        now = (call.status, review_id, votes)
        told = self._calls_told.get(call.pk)
        if now != told:
            self._calls_told[call.pk] = now
            yield _call(call, reviewed, is_first=told is None)


def _step(row: AgentStep) -> News:
    facts = {
        "step": row.step_number,
        "llm": row.llm,
        "tokens": row.total_tokens,
        "cost_usd": row.cost_usd,
        "latency_ms": row.latency_ms,
        "text": row.response.get("text"),
        "problem": row.problem,
    }
    return News(kind="step", text=wording.step(row), facts=facts)


def _call(row: AgentToolCall, reviewed: Reviewed | None, *, is_first: bool) -> News:
    name = wording.call(row) if is_first else wording.call_name(row)
    facts = {
        "call": row.pk,
        "step": row.step_number,
        "index": row.call_index,
        "tool": row.tool_name,
        "status": row.status,
        "arguments": row.tool_input,
        "headline": wording.headline(row),
        "error": row.error,
        "latency_ms": row.latency_ms,
        "review": reviewed.path if reviewed else None,
    }
    state = wording.call_state(row, reviewed)
    return News(kind="call", text=f"  {name}  {state}", facts=facts)


def _out_of_patience(execution_id: UUID, lost: BaseException) -> NoDatabase:
    return NoDatabase(
        sentences(
            f"the database has not answered for {PATIENCE_S:.0f} s: {first_line(lost)}",
            f"What was stored is safe; look again with show_execution {execution_id} --follow",
        )
    )
