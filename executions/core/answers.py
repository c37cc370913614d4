"""Can the LLM's reply be used, and if not, what is it told and how does it end?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from executions.core.decide import Answer
from executions.core.transcript import Finish, Reply, StepRecord

CORRECTIONS = 2  # how often in a row the LLM may be asked again for a usable answer

STOP_REASONS = {
    Finish.LENGTH: "ANSWER_TRUNCATED",
    Finish.REFUSAL: "LLM_REFUSED",
    Finish.CONTENT_FILTER: "CONTENT_FILTERED",
}
NOT_ASKED_AGAIN = (Finish.REFUSAL, Finish.CONTENT_FILTER)


def problem(reply: Reply, check: Callable[[str], str | None]) -> str | None:
    """Return why `reply` is unusable, in words for the LLM, or None.

    `check` says what is wrong with a final text (None: nothing).
    """
    match reply.finish:
        case Finish.REFUSAL | Finish.CONTENT_FILTER:
            return reply.refusal or "The request was refused."
        case Finish.LENGTH:
            return "Your answer was cut off and nothing of it was used. Answer again, shorter."
    if reply.calls:
        return None
    if not (reply.text or "").strip():
        return "Your answer was empty. Call a tool or give the final answer."
    return check(reply.text or "")


def latest(steps: Sequence[StepRecord]) -> Answer | None:
    """Return the judgement on the latest step when it was an answer or unusable."""
    if not steps or (steps[-1].message.calls and not steps[-1].problem):
        return None
    last = steps[-1]
    left = CORRECTIONS - _trailing_problems(steps) + 1
    return Answer(
        problem=last.problem,
        stop_reason=STOP_REASONS.get(last.finish, "INVALID_ANSWER"),
        tries_left=0 if last.finish in NOT_ASKED_AGAIN else max(left, 0),
    )


def _trailing_problems(steps: Sequence[StepRecord]) -> int:
    count = 0
    for step in reversed(steps):
        if not step.problem:
            break
        count += 1
    return count
