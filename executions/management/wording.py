"""One-line sentences on steps, tool calls and executions, for `--follow` and `show_execution`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.urls import reverse

from executions.core.states import CallStatus, ExecutionStatus, ReviewStatus
from executions.core.transcript import question
from executions.management.terminal import (
    clipped,
    counted,
    dollars,
    printable,
    readable_json,
    seconds,
)
from executions.models import (
    AgentControl,
    AgentExecution,
    AgentReview,
    AgentReviewVote,
    AgentStep,
    AgentToolCall,
)
from tools.registry import get_tool

LINE = 160
SAID = {
    "approve": "approved",
    "reject": "rejected",
    "ask": "asked the agent",
    "happened": "says it happened",
    "drop": "dropped it",
}


@dataclass(frozen=True, kw_only=True)
class Reviewed:
    """One version of a call's review with its votes, the oldest first."""

    review: AgentReview
    votes: Sequence[AgentReviewVote] = field(default=())

    @property
    def path(self) -> str:
        """Where people decide it, on the site."""
        return reverse("review", args=[self.review.pk])

    @property
    def votes_missing(self) -> int:
        approvals = sum(1 for vote in self.votes if vote.vote == "approve")
        return max(self.review.required_votes - approvals, 0)


def execution_ended(execution: AgentExecution) -> str:
    """`completed in 5 steps, 12,345 tokens, $0.0123, 3.4 s active`, with the error of a failed."""
    spent = (
        f"{execution.status} in {counted(execution.step_count, 'step')},"
        f" {counted(execution.token_count, 'token')}, {dollars(execution.cost_usd)},"
        f" {seconds(execution.active_ms)} active"
    )
    return f"{spent}: {printable(execution.error)}" if execution.error else spent


def step(row: AgentStep) -> str:
    """`step 2  gpt-5-mini  1,234 tokens  $0.0012  0.8 s  asks for read_document`."""
    parts = (
        f"step {row.step_number}",
        printable(row.llm),
        counted(row.total_tokens, "token"),
        dollars(row.cost_usd),
        seconds(row.latency_ms),
        _decision(row),
    )
    return "  ".join(parts)


def call(row: AgentToolCall) -> str:
    """`2.1 send_email  Send an e-mail to …`: its place, the tool, what it would do."""
    return f"{call_name(row)}  {clipped(headline(row), limit=LINE)}"


def call_name(row: AgentToolCall) -> str:
    """`2.1 send_email`: the first call of the second step."""
    return f"{row.step_number}.{row.call_index + 1} {printable(row.tool_name)}"


def headline(row: AgentToolCall) -> str:
    """Return our own sentence on the exact arguments, or the arguments when there is none."""
    return _sentence(row) or readable_json(row.tool_input)


def has_headline(row: AgentToolCall) -> bool:
    return _sentence(row) is not None


def call_state(row: AgentToolCall, reviewed: Reviewed | None) -> str:
    """Return what became of a call so far."""
    match row.status:
        case CallStatus.AWAITING_REVIEW if reviewed:
            return f"{_votes(reviewed)}waits for {_people(reviewed)}: {reviewed.path}"
        case CallStatus.IN_DOUBT if reviewed:
            why = printable(row.error or "")
            return f"in doubt: {why} {_votes(reviewed)}A person must say: {reviewed.path}"
        case CallStatus.SUCCEEDED | CallStatus.APPROVED | CallStatus.REJECTED if reviewed:
            took = f" in {seconds(row.latency_ms)}" if row.status == CallStatus.SUCCEEDED else ""
            became = "not executed" if question(row.status, row.tool_output) else row.status
            return f"{became}{took} ({votes_said(reviewed)})"
        case CallStatus.SUCCEEDED:
            return f"succeeded in {seconds(row.latency_ms)}"
        case CallStatus.FAILED:
            return f"failed: {clipped(printable(row.error or 'no details'), limit=LINE)}"
        case CallStatus.EXPIRED:
            return "expired: nobody decided in time"
        case CallStatus.RUNNING:
            return "started"
    return row.status.replace("_", " ")


def votes_said(reviewed: Reviewed) -> str:
    """`rita approved, omar approved`, with the reasons they gave."""
    return ", ".join(map(_vote, reviewed.votes)) or reviewed.review.status


def execution_state(row: AgentExecution) -> str:
    """Return what is worth saying of where an unfinished execution stands; "" for nothing."""
    if row.cancel_requested_at and not row.is_final:
        return "a person asked to cancel it"
    if row.status == ExecutionStatus.AWAITING_REVIEW:
        return "waits for people; nothing is held meanwhile"
    if row.status == ExecutionStatus.PENDING and (off := AgentControl.objects.over(row.agent_type)):
        return f"waits until this is lifted: {printable(off)}"
    if row.status == ExecutionStatus.PENDING and row.wake_at:
        reason = row.waits_because
        why = f": {clipped(printable(reason), limit=LINE)}" if reason else ""
        return f"put back; goes on at {row.wake_at:%H:%M:%S} UTC{why}"
    if row.status == ExecutionStatus.RUNNING and row.attempts > 1:
        return f"its runner was lost; another goes on (attempt {row.attempts})"
    return ""


def open_one(reviews: Sequence[Reviewed]) -> Reviewed | None:
    """Return the review that is open among one call's, else the latest version that counts."""
    for reviewed in reversed(reviews):
        if reviewed.review.status != ReviewStatus.VOID:
            return reviewed
    return None


def _sentence(row: AgentToolCall) -> str | None:
    try:
        tool = get_tool(row.tool_name)
        return tool.headline and printable(tool.headline(tool.parse(row.tool_input)))
    except Exception:  # an unknown tool, arguments it refuses, a broken headline
        return None


def _decision(row: AgentStep) -> str:
    if row.problem:
        return f"not usable: {clipped(printable(row.problem), limit=LINE)}"
    calls = [printable(asked["name"]) for asked in row.response.get("calls", ())]
    return f"asks for {', '.join(calls)}" if calls else "answers"


def _vote(vote: AgentReviewVote) -> str:
    said = f"{printable(vote.voter)} {SAID.get(vote.vote, vote.vote)}"
    return f"{said}: {clipped(printable(vote.reason), limit=LINE)}" if vote.reason else said


def _votes(reviewed: Reviewed) -> str:
    return f"{votes_said(reviewed)}; " if reviewed.votes else ""


def _people(reviewed: Reviewed) -> str:
    missing = reviewed.votes_missing
    if missing == 1:
        return "another person" if reviewed.votes else "a person"
    return f"{missing} people"
