"""One execution's whole story, in order: as JSON-able facts, and as lines for people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from executions.management import wording
from executions.management.terminal import (
    block,
    clipped,
    counted,
    printable,
    readable_json,
    seconds,
)
from executions.management.wording import Reviewed
from executions.models import AgentExecution, AgentReview, AgentStep, AgentToolCall

CLIP = 600


class Story:
    """An execution with its steps, calls, reviews and votes."""

    def __init__(self, execution_id: UUID) -> None:
        rows = AgentExecution.objects.select_related("user", "launched_by")
        self.execution = rows.get(pk=execution_id)
        self.steps = list(self.execution.steps.order_by("step_number"))
        self.reviews = reviews_of(execution_id)
        self.calls: dict[int, list[AgentToolCall]] = defaultdict(list)
        for call in self.execution.tool_calls.order_by("step_number", "call_index"):
            self.calls[call.step_number].append(call)

    # ------------------------------------------------------------------ facts

    def facts(self) -> dict[str, Any]:
        """Return everything that is stored of it, whole."""
        execution = self.execution
        return {
            **execution.facts(),
            "user": str(execution.user),
            "launched_by": str(execution.launched_by or execution.user),
            "retry_of": execution.retry_of_id,
            "input": execution.input_data,
            "limits": execution.limits,
            "definition": execution.definition_id,
            "story": [
                {**_step_facts(step), "calls": list(self._calls_facts(step.step_number))}
                for step in self.steps
            ],
        }

    def _calls_facts(self, step_number: int) -> Iterator[dict[str, Any]]:
        for call in self.calls[step_number]:
            reviews = [_review_facts(one) for one in self.reviews[call.pk]]
            yield {**_call_facts(call), "reviews": reviews}

    # ------------------------------------------------------------------ lines

    def lines(self) -> Iterator[str]:
        """Yield it for people; what is long is clipped."""
        yield from self._head()
        for step in self.steps:
            yield ""
            yield wording.step(step)
            if step.response.get("text"):
                yield block(clipped(step.response["text"], limit=CLIP), indent="  ")
            for call in self.calls[step.step_number]:
                yield from self._call_lines(call)
        yield ""
        yield wording.execution_ended(self.execution) if self.execution.is_final else self._now()
        if self.execution.result is not None:
            yield readable_json(self.execution.result, indent=2)

    def _head(self) -> Iterator[str]:
        execution = self.execution
        by = execution.launched_by or execution.user
        launched = f"{execution.created_at:%Y-%m-%d %H:%M:%S} UTC"
        yield f"{printable(execution.agent_type)} {execution.pk}"
        yield f"launched {launched} by {printable(by)} for {printable(execution.user)}"
        yield f"input {clipped(readable_json(execution.input_data), limit=CLIP)}"

    def _call_lines(self, call: AgentToolCall) -> Iterator[str]:
        reviews = self.reviews[call.pk]
        yield f"  {wording.call(call)}"
        if wording.has_headline(call):
            yield f"      arguments {clipped(readable_json(call.tool_input), limit=CLIP)}"
        if call.proposed_input is not None and call.proposed_input != call.tool_input:
            yield f"      proposed {clipped(readable_json(call.proposed_input), limit=CLIP)}"
        for reviewed in reviews:
            said = wording.votes_said(reviewed)
            review = reviewed.review
            yield f"      review {review.version} ({review.kind}, {review.status}): {said}"
        yield f"      {wording.call_state(call, wording.open_one(reviews))}"
        if call.tool_output is not None:
            yield f"      output {clipped(readable_json(call.tool_output), limit=CLIP)}"

    def _now(self) -> str:
        state = wording.execution_state(self.execution)
        steps = counted(self.execution.step_count, "step")
        spent = f"{self.execution.status} after {steps}, {seconds(self.execution.active_ms)} active"
        return f"{spent}: {state}" if state else spent


def reviews_of(execution_id: UUID) -> dict[UUID, list[Reviewed]]:
    """Return each call's reviews with their votes, the oldest version first."""
    found: dict[UUID, list[Reviewed]] = defaultdict(list)
    rows = AgentReview.objects.filter(execution_id=execution_id).order_by("version")
    for row in rows.prefetch_related("votes__voter"):
        votes = sorted(row.votes.all(), key=lambda vote: vote.created_at)
        found[row.call_id].append(Reviewed(review=row, votes=votes))
    return found


def _step_facts(row: AgentStep) -> dict[str, Any]:
    names = (
        *("step_number", "llm", "created_at", "response", "finish_reason", "problem", "tries"),
        *("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "total_tokens"),
        *("usage_estimated", "cost_usd", "latency_ms", "request_digest"),
    )
    return {name: getattr(row, name) for name in names}


def _call_facts(row: AgentToolCall) -> dict[str, Any]:
    names = (
        *("id", "step_number", "call_index", "tool_name", "status", "effect", "gated"),
        *("tool_input", "proposed_input", "tool_output", "error", "input_digest"),
        *("idempotency_key", "target_version", "called_at", "started_at", "finished_at"),
        *("latency_ms", "provider_call_id", "review_id"),
    )
    return {name: getattr(row, name) for name in names}


def _review_facts(reviewed: Reviewed) -> dict[str, Any]:
    row = reviewed.review
    names = (
        *("id", "kind", "status", "version", "required_votes", "reason", "risk"),
        *("input_digest", "created_at", "expires_at", "effective_at", "decided_at"),
    )
    votes = [
        {"by": str(vote.voter), "vote": vote.vote, "reason": vote.reason, "at": vote.created_at}
        for vote in reviewed.votes
    ]
    return {**{name: getattr(row, name) for name in names}, "votes": votes}
