"""What is going on with an execution, in one sentence made from its rows."""

from __future__ import annotations

from django.utils import timezone

from executions.core import limits
from executions.core.row_format import ROW_FORMAT
from executions.core.states import CallStatus, ExecutionStatus
from executions.models import AgentAudit, AgentControl, AgentExecution
from executions.pages.story import CallStory, Story
from executions.templatetags import words

_STOPPED = {
    "MAX_STEPS_EXCEEDED": "Stopped: it used all of its {max_steps} steps",
    "MAX_TOKENS_EXCEEDED": "Stopped: it used its {max_tokens:,} tokens",
    "MAX_COST_EXCEEDED": "Stopped: it used its ${max_cost_usd}",
    "TOTAL_TIMEOUT": "Stopped: it worked for longer than it may",
    "STEP_TIMEOUT": "Stopped: the LLM did not answer in time",
    "LOOP_DETECTED": "Stopped: it asked for the same thing again and again",
    "POISONED": "Stopped: it ended whatever worked on it, three times with nothing beside it",
    "CANCELLED": "Cancelled",
}

_EVENTS = {
    "launched": "launched",
    "running": "taken up by a runner",
    "pending": "ready to go on",
    "awaiting_review": "let go, to wait for people",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
    "recovered": "taken over from a runner that died",
    "cancel_requested": "asked to cancel",
    "review_open": "a review was opened",
    "review_approved": "the review was approved",
    "review_rejected": "the review was rejected",
    "review_expired": "the review expired",
    "review_void": "the review became void",
    "review_claimed": "a person is on the review",
    "review_taken_over": "another person is on the review in the place of the first",
    "voted_approve": "voted to approve",
    "voted_reject": "voted to reject",
    "voted_ask": "asked the agent",
    "voted_happened": "said that it happened",
    "voted_drop": "dropped it",
    "vote_withdrawn": "withdrew the vote to approve",
}

# Where the trail says by what, or of what kind: instead of the event alone.
_EVENTS_BY = {
    ("review_open", "edit"): "edited the arguments, in a new version",
    ("vote_withdrawn", "take_back"): "took the approval back",
    ("review_open", "doubt"): "people were asked whether it happened",
    ("review_approved", "doubt"): "the doubt was settled: it runs again",
    ("review_rejected", "happened"): "the doubt was settled: it happened",
    ("review_rejected", "drop"): "the doubt was settled: it was dropped",
    ("review_rejected", "doubt"): "the doubt was settled",
    ("review_rejected", "ask"): "the review ended with the question",
}


def headline(story: Story) -> str:
    """Return what is going on, and why."""
    execution = story.execution
    match execution.status:
        case ExecutionStatus.COMPLETED:
            return f"Completed in {words.count(execution.step_count, 'step')}"
        case ExecutionStatus.FAILED | ExecutionStatus.CANCELLED:
            return _stopped(execution)
        case ExecutionStatus.AWAITING_REVIEW:
            return _waiting(story)
        case ExecutionStatus.RUNNING:
            at = execution.step_count + 1
            return "Is being cancelled" if execution.cancel_requested_at else f"Works on step {at}"
    return _pending(story)


def _pending(story: Story) -> str:
    execution = story.execution
    if execution.row_format > ROW_FORMAT:
        return "Waits for newer code: a later version wrote it, and this one leaves it alone"
    if off := AgentControl.objects.over(execution.agent_type):
        return f"Waits until the switch over {off.place} is lifted"
    if execution.wake_at and execution.wake_at > timezone.now():
        until = f"{timezone.localtime(execution.wake_at):%H:%M:%S}"
        if any(_can_be_taken_back(one) for one in story.calls):
            return f"Approved; it can be taken back until {until}"
        return f"Waits until {until} to go on"
    return "Waits for a runner to take it up"


def _can_be_taken_back(shown: CallStory) -> bool:
    since = [review.effective_at for review in shown.reviews if review.effective_at]
    is_approved = shown.call.status == CallStatus.APPROVED
    return is_approved and any(moment > timezone.now() for moment in since)


def _waiting(story: Story) -> str:
    waiting = story.waiting
    if len(waiting) == 1:
        doubt = waiting[0] in story.in_doubt
        what = waiting[0].action.headline
        return f"Did it happen? {what}" if doubt else f"Waits for a person: {what}"
    return f"Waits for people to decide on {len(waiting)} actions"


def _stopped(execution: AgentExecution) -> str:
    told = _STOPPED.get(execution.stop_reason or "")
    ceilings = limits.readable(execution.limits)
    if told is None or ceilings["max_steps"] is None:
        return f"Failed: {(execution.stop_reason or 'no reason given').replace('_', ' ').lower()}"
    return told.format(**ceilings)


def why(execution: AgentExecution) -> str:
    """Return the stored error's sentence without its code, or why it was put back; else empty."""
    if waits_because := execution.waits_because:
        return waits_because
    text = execution.error or ""
    code = f"{execution.stop_reason}: "
    return text.removeprefix(code)


def event(row: AgentAudit) -> str:
    """Return an audit row's event in words."""
    causes = (row.detail.get("by"), row.detail.get("kind"))
    exact = next((one for by in causes if (one := _EVENTS_BY.get((row.event, by)))), None)
    told = exact or _EVENTS.get(row.event, row.event.replace("_", " "))
    tool = row.detail.get("tool")
    return f"{told}: {tool}" if tool else told
