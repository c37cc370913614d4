"""The story of an execution: its steps, calls, reviews, votes and transitions, in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from uuid import UUID

from django.db.models import Prefetch
from django.utils import timezone

from agentops.accounts.models import User
from executions.core import limits
from executions.core.states import CallStatus, ExecutionStatus, ReviewStatus
from executions.models import (
    AgentAudit,
    AgentExecution,
    AgentReview,
    AgentReviewVote,
    AgentStep,
    AgentToolCall,
)
from executions.pages.wording import Action, action

_GOES_ON = frozenset(ExecutionStatus) - {ExecutionStatus.AWAITING_REVIEW}
Reviews = dict[UUID, list[AgentReview]]


@dataclass(frozen=True)
class CallStory:
    """A call with the reviews of it, each with its votes; `review.votes.all()` costs nothing."""

    call: AgentToolCall
    reviews: list[AgentReview] = field(default_factory=list)

    @cached_property
    def action(self) -> Action:
        return action(self.call.tool_name, self.call.tool_input)

    @property
    def was_edited(self) -> bool:
        return bool(self.call.proposed_input != self.call.tool_input)

    @property
    def is_waiting(self) -> bool:
        return any(review.status == ReviewStatus.OPEN for review in self.reviews)


@dataclass(frozen=True)
class StepStory:
    step: AgentStep
    calls: list[CallStory]

    @property
    def says(self) -> str:
        """Return the LLM's own words, unverified; empty when there were none."""
        return self.step.response.get("text") or ""

    @property
    def refusal(self) -> str:
        return self.step.response.get("refusal") or ""

    @property
    def title(self) -> str:
        if len(self.calls) == 1:
            return self.calls[0].action.headline
        if self.calls:
            names = dict.fromkeys(one.call.tool_name for one in self.calls)
            return f"{len(self.calls)} calls at once: {', '.join(names)}"
        if self.step.problem:
            return "An answer that could not be used"
        return "The final answer"

    @property
    def deciders(self) -> list[User]:
        """Return the people who voted on any of its calls, each once."""
        votes = (
            vote for one in self.calls for review in one.reviews for vote in review.votes.all()
        )
        return list({one.voter_id: one.voter for one in votes if not one.withdrawn_at}.values())

    @property
    def waits(self) -> bool:
        return any(one.is_waiting for one in self.calls)

    @property
    def failed_tries(self) -> int:
        return max(len(self.step.tries) - 1, 0)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A usage against its limit; `share` is None where there is no limit."""

    label: str
    spent: Decimal | int | None
    limit: Decimal | int | None
    unit: str


@dataclass(frozen=True, kw_only=True)
class Story:
    execution: AgentExecution
    steps: list[StepStory]
    transitions: list[AgentAudit]

    @property
    def calls(self) -> Iterable[CallStory]:
        return (call for step in self.steps for call in step.calls)

    @property
    def waiting(self) -> list[CallStory]:
        return [call for call in self.calls if call.is_waiting]

    @property
    def in_doubt(self) -> list[CallStory]:
        return [call for call in self.calls if call.call.status == CallStatus.IN_DOUBT]

    @property
    def deaths(self) -> int:
        """How often it was taken over since its last progress; the claim under way is none."""
        is_running = self.execution.status == ExecutionStatus.RUNNING
        return max(self.execution.attempts - 1, 0) if is_running else 0

    @property
    def with_people_ms(self) -> int:
        """How long it has waited for people so far, by its transitions."""
        waited, since = timedelta(0), None
        for row in self.transitions:
            if row.event == ExecutionStatus.AWAITING_REVIEW:
                since = row.at
            elif since and row.event in _GOES_ON:
                waited, since = waited + (row.at - since), None
        if since:
            waited += timezone.now() - since
        return int(waited.total_seconds() * 1000)

    def figures(self) -> list[Figure]:
        return figures(self.execution)


def figures(execution: AgentExecution) -> list[Figure]:
    """Return what an execution spent, against its limits."""
    ceilings = limits.readable(execution.limits)
    spent = (
        ("Steps", execution.step_count, "max_steps", "number"),
        ("Tokens", execution.token_count, "max_tokens", "number"),
        ("Cost", execution.cost_usd, "max_cost_usd", "usd"),
        ("Active", execution.active_ms, "total_timeout_ms", "duration"),
    )
    return [
        Figure(label=label, spent=amount, limit=ceilings[name], unit=unit)
        for label, amount, name, unit in spent
    ]


def story_of(execution_id: UUID) -> Story | None:
    """Read the whole story, in six queries whatever its length; None without such an execution."""
    execution = (
        AgentExecution.objects.select_related("user", "launched_by").filter(pk=execution_id).first()
    )
    if execution is None:
        return None
    calls = _by_step(
        AgentToolCall.objects.filter(execution=execution_id).order_by("step_number", "call_index"),
        reviews_by_call(execution_id),
    )
    steps = AgentStep.objects.filter(execution=execution_id).order_by("step_number")
    return Story(
        execution=execution,
        steps=[StepStory(step, calls.pop(step.step_number, [])) for step in steps],
        transitions=list(
            AgentAudit.objects.filter(execution=execution_id)
            .select_related("actor")
            .order_by("seq")
        ),
    )


def steps_between(
    execution_id: UUID, first: int, last: int, *, calls: Iterable[AgentToolCall], reviews: Reviews
) -> list[StepStory]:
    """Return these steps with their `calls`, for what stands around one call. `reviews` are the
    execution's, by call."""
    by_step = _by_step(calls, reviews)
    steps = AgentStep.objects.filter(
        execution=execution_id, step_number__gte=first, step_number__lte=last
    ).order_by("step_number")
    return [StepStory(step, by_step.get(step.step_number, [])) for step in steps]


def _by_step(calls: Iterable[AgentToolCall], reviews: Reviews) -> dict[int, list[CallStory]]:
    found: dict[int, list[CallStory]] = defaultdict(list)
    for call in calls:
        found[call.step_number].append(CallStory(call, reviews.get(call.pk, [])))
    return found


def reviews_by_call(*execution_ids: UUID) -> Reviews:
    """Return the executions' reviews with their votes, oldest version first, by call. Votes that
    were withdrawn are among them."""
    votes = AgentReviewVote.every.select_related("voter").order_by("created_at")
    found: dict[UUID, list[AgentReview]] = defaultdict(list)
    reviews = AgentReview.objects.filter(execution__in=execution_ids).select_related("edited_by")
    for review in reviews.prefetch_related(Prefetch("votes", votes)).order_by("version"):
        found[review.call_id].append(review)
    return found
