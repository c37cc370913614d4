"""The tool calls before those that people decide on, by one query: those around one whole, and what
the agent had read until then as far as anybody looks at it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import Case, Q, TextField, When
from django.db.models.functions import Cast, Left

from executions.core.states import CallStatus
from executions.models import AgentToolCall

AROUND = 4
"""So many steps stand around the call on its page."""
ANSWERS, ANSWER_CHARS = 200, 32_000
"""So many of the latest answers are looked at, each as far as here."""
_ROWS = 1000
_WHOLE = Cast("tool_output", TextField())


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """`around` are all calls of the steps from `first` on, the call's own among them; `read` are
    those before its step that succeeded, each with the beginning of its output as JSON text. Both
    the oldest first. `is_partial`: not all that was read is there."""

    first: int
    around: Sequence[AgentToolCall]
    read: Sequence[tuple[AgentToolCall, str]]
    is_partial: bool


def read_before(calls: Sequence[AgentToolCall]) -> dict[UUID, Earlier]:
    """Return what had been read before each of these calls, by its id; nothing stands around."""
    wanted = (Q(execution=one.execution_id, step_number__lt=one.step_number) for one in calls)
    rows = (
        AgentToolCall.objects.filter(reduce(or_, wanted, Q(pk=None)), status=CallStatus.SUCCEEDED)
        .order_by("-step_number", "-call_index")
        .defer("tool_output")
        .annotate(answer=Left(_WHOLE, ANSWER_CHARS))
    )
    found = [(one, one.answer or "") for one in rows[:_ROWS]][::-1]
    is_cut = len(found) == _ROWS
    return {
        call.pk: _earlier([], [one for one in found if _is_before(one[0], call)], is_cut=is_cut)
        for call in calls
    }


def earlier(execution_id: UUID, step_number: int) -> Earlier:
    """Return the calls up to that step."""
    first = step_number - AROUND + 1
    rows = (
        AgentToolCall.objects.filter(
            Q(step_number__gte=first) | Q(status=CallStatus.SUCCEEDED),
            execution=execution_id,
            step_number__lte=step_number,
        )
        .order_by("-step_number", "-call_index")
        .defer("tool_output")
        .annotate(
            answer=Case(
                When(step_number__gte=first, then=_WHOLE),
                default=Left(_WHOLE, ANSWER_CHARS),
                output_field=TextField(),
            )
        )
    )
    found = list(rows[:_ROWS])[::-1]
    around = [one for one in found if one.step_number >= first]
    for one in around:
        one.tool_output = None if one.answer is None else json.loads(one.answer)
    read = [
        (one, (one.answer or "")[:ANSWER_CHARS])
        for one in found
        if one.step_number < step_number and one.status == CallStatus.SUCCEEDED
    ]
    return _earlier(around, read, first=first, is_cut=len(found) == _ROWS)


def _earlier(
    around: Sequence[AgentToolCall],
    read: Sequence[tuple[AgentToolCall, str]],
    *,
    first: int = 0,
    is_cut: bool,
) -> Earlier:
    is_partial = is_cut or any(len(text) == ANSWER_CHARS for _, text in read)
    return Earlier(
        first=first,
        around=around,
        read=read[-ANSWERS:],
        is_partial=is_partial or len(read) > ANSWERS,
    )


def _is_before(one: AgentToolCall, call: AgentToolCall) -> bool:
    return one.execution_id == call.execution_id and one.step_number < call.step_number
