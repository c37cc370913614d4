"""How an open page keeps up with an execution: what it has, and how often it asks for more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Count, Max, OuterRef, Subquery
from django.utils import timezone

from executions.core.states import ANSWERED, ExecutionStatus
from executions.models import AgentAudit, AgentControl, AgentExecution
from executions.pages.story import StepStory, Story

WORKS_EVERY_S, WAITS_EVERY_S = 2, 10
LONG = timedelta(seconds=30)
RELOADS_S = 5
"""How often a page without JavaScript loads itself while the execution works."""


@dataclass(frozen=True, kw_only=True)
class Following:
    """`state` differs when anything else is to be shown; the numbers are what the page has. Every
    `every_s` seconds it is asked for, or the page loads itself after `look_again_s`; 0: it is
    over."""

    state: str
    last_step: int
    first_unsettled: int
    last_moment: int
    every_s: int
    look_again_s: int


def following(story: Story, state: str) -> Following:
    execution = story.execution
    every_s = 0 if execution.is_final else _every_s(execution)
    return Following(
        state=state,
        last_step=max((one.step.step_number for one in story.steps), default=0),
        first_unsettled=_first_unsettled(story.steps),
        last_moment=max((row.seq for row in story.transitions), default=0),
        every_s=every_s,
        look_again_s=max(every_s, RELOADS_S) if every_s else 0,
    )


def state_of(execution_id: UUID) -> str | None:
    """Return what changes whenever the execution's page does, by one query; None without it.
    Its last part changes with any switch."""
    moments = AgentAudit.objects.filter(execution=OuterRef("pk")).order_by("-seq").values("seq")
    switches = AgentControl.objects.order_by("-changed_at").values("changed_at")
    row = (
        AgentExecution.objects.filter(pk=execution_id)
        .values_list("status", "step_count", "open_reviews", "attempts", "updated_at")
        .annotate(
            moment=Subquery(moments[:1]),
            started=Max("tool_calls__started_at"),
            finished=Max("tool_calls__finished_at"),
            calls=Count("tool_calls"),
            switched=Subquery(switches[:1]),  # the last
        )
        .order_by("pk")
        .first()
    )
    return None if row is None else "|".join(map(str, row))


def _every_s(execution: AgentExecution) -> int:
    is_put_back = execution.wake_at is not None and execution.wake_at > timezone.now() + LONG
    waits = execution.status == ExecutionStatus.AWAITING_REVIEW or is_put_back
    return WAITS_EVERY_S if waits else WORKS_EVERY_S


def _first_unsettled(steps: list[StepStory]) -> int:
    """Return the first step that may still change; one without calls ends as it is."""
    for one in steps:
        if any(call.call.status not in ANSWERED for call in one.calls):
            return one.step.step_number
    return steps[-1].step.step_number + 1 if steps else 1
