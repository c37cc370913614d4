"""After a decision: what became of it, what the agent does next, and where one can go from here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from agentops.accounts.models import User
from executions.core.states import ExecutionStatus, ReviewStatus
from executions.desk.outcome import Outcome, outcome_of
from executions.desk.standing import Standing
from executions.models import AgentExecution, AgentReview
from executions.pages.held import Switch, over_agent, over_call, until
from executions.pages.sentences import why as stopped_because
from executions.pages.waiting import open_for
from executions.pages.wording import action
from executions.templatetags import words

EVERY_S, OTHERS_EVERY_S = 1, 10
"""How often an open page asks what became of an action, and of a vote that waits for others'."""


@dataclass(frozen=True, kw_only=True)
class Countdown:
    """Moments in milliseconds since 1970, `now` by the clock that made `until`; `left_s` and
    `all_s` in seconds."""

    now: int
    until: int
    left_s: int
    all_s: int


@dataclass(frozen=True, kw_only=True)
class Followed:
    """`ahead`: what the agent has put before this person since, with its `headline`; `goes_on`:
    what it does now; `state` differs when anything else is to be shown. Every `every_s` seconds it
    is asked for again, or after `look_again_s` the page loads itself; 0: not any more."""

    outcome: Outcome
    state: str
    goes_on: str = ""
    ahead: AgentReview | None = None
    headline: str = ""
    every_s: int = 0
    look_again_s: int = 0
    countdown: Countdown | None = None


def followed(
    person: User,
    review: AgentReview,
    standing: Standing,
    versions: Sequence[AgentReview],
    off: Sequence[Switch],
) -> Followed | None:
    """Return what became of a review as this person may see it; None while it waits for them.
    `versions` are all of the call's reviews, `off` is what is switched off."""
    execution = review.execution
    outcome = outcome_of(review, standing, versions, held_until(off, review))
    if outcome is None:
        return None
    ahead = _ahead(person, review) if outcome.told else None
    is_answered = review.status == ReviewStatus.REJECTED and (ahead or execution.is_final)
    look_again_s = 0 if is_answered else outcome.look_again_s
    others_vote = review.status == ReviewStatus.OPEN
    known: tuple[object, ...] = (
        *(review.status, review.call.status, execution.status, execution.open_reviews),
        *(standing.approvals, bool(outcome.starts_at), outcome.undo, ahead and ahead.pk),
        strip_of(off),
    )
    return Followed(
        outcome=outcome,
        state=":".join(map(str, known)),
        goes_on=_goes_on(execution, over_agent(off, execution.agent_type)) if outcome.told else "",
        ahead=ahead,
        headline=action(ahead.tool_name, ahead.call.tool_input).headline if ahead else "",
        every_s=EVERY_S if look_again_s else OTHERS_EVERY_S if others_vote else 0,
        look_again_s=look_again_s,
        countdown=_countdown(review, outcome.starts_at),
    )


def _ahead(person: User, review: AgentReview) -> AgentReview | None:
    """Return what the same execution put before the person in a later step."""
    later = open_for(person).filter(
        execution=review.execution_id, call__step_number__gt=review.call.step_number
    )
    return later.select_related("call").order_by("created_at").first()


def held_until(off: Sequence[Switch], review: AgentReview) -> str:
    """Return until when what is switched off holds the call back; empty when nothing does."""
    switch = over_call(off, review.execution.agent_type, review.tool_name)
    return until(switch) if switch else ""


def strip_of(off: Sequence[Switch]) -> str:
    """Return what differs when the page is to say anything else of what is switched off."""
    return ",".join(f"{one.place}/{_ms(one.changed_at)}" for one in off if one.changed_at)


def _goes_on(execution: AgentExecution, switch: Switch | None) -> str:
    match execution.status:
        case ExecutionStatus.COMPLETED:
            return f"The agent has finished, in {words.count(execution.step_count, 'step')}."
        case ExecutionStatus.FAILED:
            return f"The execution has failed: {stopped_because(execution)}"
        case ExecutionStatus.CANCELLED:
            return f"The execution is cancelled: {stopped_because(execution)}"
        case ExecutionStatus.AWAITING_REVIEW:
            waiting = words.count(execution.open_reviews, "other decision")
            return f"The execution waits for {waiting}, then the agent goes on."
        case ExecutionStatus.RUNNING:
            return f"The agent works on step {execution.step_count + 1}."
    when = f"once {until(switch)}" if switch else "as soon as a runner takes it up"
    return f"The agent goes on with step {execution.step_count + 1} {when}."


def _countdown(review: AgentReview, until: datetime | None) -> Countdown | None:
    if until is None:
        return None
    now = timezone.now()
    left = max((until - now).total_seconds(), 0)
    whole = (until - (review.decided_at or now)).total_seconds()
    return Countdown(
        now=_ms(now), until=_ms(until), left_s=max(round(left), 1), all_s=max(round(whole), 1)
    )


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
