"""What became of a review: the sentence that greets the person who decided, until it is over."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from executions.core.states import CallStatus, ExecutionStatus, ReviewKind, ReviewStatus
from executions.desk.standing import Standing
from executions.desk.versions import who_took_back
from executions.models import AgentReview
from executions.pages.sentences import why as stopped_because
from executions.pages.wording import action
from executions.templatetags import words
from executions.templatetags.show import named

log = logging.getLogger(__name__)

FOLLOWED_FOR = timedelta(minutes=5)
ANSWER_FOLLOWED_FOR = timedelta(minutes=1)
LOOK_AGAIN_S, UNDO_LOOK_S = 2, 5


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """`tone` good, warn, bad or empty. `starts_at`: when what was approved may begin, while that is
    ahead; `undo`: until then it can be taken back by this person. Without JavaScript the page
    loads itself again after `look_again_s`; with it a part of it is asked for more often, and 0
    means: it is over. `told`: the agent has heard of it."""

    tone: str
    sentence: str
    detail: str = ""
    look_again_s: int = 0
    starts_at: datetime | None = None
    undo: bool = False
    told: bool = False


def outcome_of(
    review: AgentReview, standing: Standing, versions: Sequence[AgentReview], held: str = ""
) -> Outcome | None:
    """Return what became of the review; None while it waits for this person. `versions` are all of
    the call's reviews, oldest first; `held` is until when a switch holds the call back."""
    if review.status == ReviewStatus.OPEN:
        return _still_open(review, standing)
    if review.status == ReviewStatus.REJECTED:
        return _rejected(review, standing)
    if review.status == ReviewStatus.APPROVED:
        return _undoable(review, standing, held) or _approved(review, held)
    if review.status == ReviewStatus.EXPIRED:
        return Outcome(
            tone="warn",
            sentence="It expired before enough people decided.",
            detail="Nothing was done; the agent was told.",
            told=True,
        )
    return _void(review, versions)


def _void(review: AgentReview, versions: Sequence[AgentReview]) -> Outcome:
    """Return why nothing follows from it: what took its place, or how its execution ended."""
    after = next((one for one in versions if one.version > review.version), None)
    if after is None:
        told = f"The execution is {review.execution.status}. This was not done."
        return Outcome(tone="", sentence=told, detail=stopped_because(review.execution))
    back = who_took_back(review, versions)
    place = f"Version {after.version} took its place."
    if not (after.edited_by or back):
        return Outcome(tone="", sentence=place, detail=after.reason)
    did = f"{named(after.edited_by)} edited it" if after.edited_by else ""
    did = did or f"{named(back)} took the approval back"
    why = after.reason.partition(": ")[2]
    return Outcome(tone="", sentence=f"{did}. {place}", detail=why and f"“{why}”")


def _still_open(review: AgentReview, standing: Standing) -> Outcome | None:
    if standing.mine is None:
        return None
    missing = words.count(review.required_votes - standing.approvals, "vote")
    return Outcome(
        tone="good",
        sentence=f"Your vote counts: {standing.approvals} of {review.required_votes}.",
        detail=f"{missing} by somebody else is still missing; nothing happens before.",
    )


def _rejected(review: AgentReview, standing: Standing) -> Outcome:
    last = standing.votes[-1].vote if standing.votes else ""
    if review.kind == ReviewKind.DOUBT:
        sentence = "Settled: it happened." if last == "happened" else "Settled: it was dropped."
        detail = "" if review.execution.is_final else "The agent is told and goes on."
        return Outcome(tone="good", sentence=sentence, detail=detail, told=True)
    if review.execution.status == ExecutionStatus.CANCELLED:
        return Outcome(
            tone="good",
            sentence="Rejected, and the execution is stopped. Nothing was done.",
            detail=stopped_because(review.execution),
        )
    sentence, detail = "Rejected. Nothing was done.", "The agent is told why."
    if last == "ask":
        sentence, detail = "The agent was asked. Nothing was done.", "It answers in its next step."
    again = LOOK_AGAIN_S if _is_recent(review, ANSWER_FOLLOWED_FOR) else 0
    return Outcome(tone="good", sentence=sentence, detail=detail, look_again_s=again, told=True)


def _undoable(review: AgentReview, standing: Standing, held: str) -> Outcome | None:
    """Return how long the approval can be taken back, while it can."""
    left = (review.effective_at - timezone.now()) if review.effective_at else timedelta(0)
    if left <= timedelta(0) or review.call.status != CallStatus.APPROVED:
        return None
    is_mine = standing.mine is not None and standing.mine.vote == "approve"
    waits = f"It waits beyond that, until {held}." if held else ""
    back = "Until then it can be taken back." if is_mine else ""
    return Outcome(
        tone="good",
        sentence="Approved.",
        detail=" ".join(filter(None, (back, waits))),
        look_again_s=min(UNDO_LOOK_S, max(round(left.total_seconds()), 1) + 1),
        starts_at=review.effective_at,
        undo=is_mine,
    )


def _approved(review: AgentReview, held: str) -> Outcome:
    call = review.call
    again = LOOK_AGAIN_S if _is_recent(review, FOLLOWED_FOR) else 0
    match call.status:
        case CallStatus.APPROVED:
            told = "It runs as soon as the other reviews of this step are decided."
            if not review.execution.open_reviews:
                told = "It runs as soon as a runner takes it up."
            if held:
                told = f"It waits until {held}."
            return Outcome(tone="good", sentence="Approved.", detail=told, look_again_s=again)
        case CallStatus.RUNNING:
            return Outcome(tone="good", sentence="Approved; it is running now.", look_again_s=again)
        case CallStatus.SUCCEEDED:
            done = done_in_words(review)
            return Outcome(tone="good", sentence="Approved, and done.", detail=done, told=True)
        case CallStatus.FAILED:
            told = "The tool said no, as below; the agent was told."
            return Outcome(tone="bad", sentence="Approved, but it failed.", detail=told, told=True)
        case CallStatus.IN_DOUBT:
            told = "A person has to find out; a review of its own asks for it."
            return Outcome(
                tone="bad", sentence="Approved, but nobody knows whether it happened.", detail=told
            )
    return Outcome(tone="", sentence=f"Approved; the call is {call.status.replace('_', ' ')} now.")


def done_in_words(review: AgentReview) -> str:
    """Return the tool's own sentence on what its call did; empty when it has none."""
    call = review.call
    said = action(review.tool_name, call.tool_input)
    if said.tool is None or said.tool.outcome is None or said.arguments is None:
        return ""
    if isinstance(call.tool_output, dict) and "settled_by" in call.tool_output:
        return ""  # a person's words, not the tool's output
    try:
        return said.tool.outcome(said.arguments, call.tool_output)
    except Exception:  # an output from before this version of the tool
        log.exception("The outcome of %s could not be put into words", review.tool_name)
        return ""


def _is_recent(review: AgentReview, span: timedelta) -> bool:
    since = max(filter(None, (review.decided_at, review.effective_at)), default=None)
    return since is not None and timezone.now() - since < span
