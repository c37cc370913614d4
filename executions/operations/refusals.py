"""Why an operation was refused. The message is for the person; nothing was changed."""

from __future__ import annotations

from collections.abc import Sequence

from executions.models import AgentToolCall


class Refusal(Exception):
    """The operation was refused; nothing was changed."""


class NotPermitted(Refusal):
    """The person lacks the right, or is the one whose work others must check."""


class NotFound(Refusal):
    """There is no such row."""


class AlreadyDecided(Refusal):
    """Somebody was faster, or it was you a moment ago; the message says who, what and when."""


class ReviewClosed(Refusal):
    """The review expired, was replaced by a newer version, or its execution ended."""


class Stale(Refusal):
    """The page showed other arguments than the review has now."""


class EditRefused(Refusal):
    """The edited arguments are not acceptable; the message is the tool's own."""


class TooLate(Refusal):
    """There is no approval to take back, or its time to do so is over."""


class ReasonMissing(Refusal):
    """A rejection without a reason helps neither the agent nor the auditor."""


class Claimed(Refusal):
    """Somebody else is on the review; the message says who, and for how long."""


class AlreadyFinal(Refusal):
    """The execution has ended."""


class KeyReused(Refusal):
    """The idempotency key belongs to an execution with other input."""


class EffectsDone(Refusal):
    """A retry would do again what `calls` did, and the person has not said that they know."""

    def __init__(self, calls: Sequence[AgentToolCall]) -> None:
        names = ", ".join(dict.fromkeys(call.tool_name for call in calls))
        super().__init__(f"A retry may do again what this one did ({names}); say that you know.")
        self.calls = calls


class Busy(Refusal):
    """Others hold what this needs, for longer than a person should wait."""

    def __init__(self) -> None:
        super().__init__("The database is busy, so nothing was changed. Try again in a moment.")
