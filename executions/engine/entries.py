"""What the loop asks the journal to commit, as values. One entry is one durable change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A change to one execution, valid only under the lease token it carries."""

    execution_id: UUID
    token: int
    active_ms: int = 0


@dataclass(frozen=True, kw_only=True)
class StepMade(Entry):
    """An LLM decision: its step row, its calls' rows and the reviews of the gated ones."""

    step: dict[str, Any]
    calls: list[dict[str, Any]] = field(default_factory=list)
    reviews: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class CallStarted(Entry):
    """The start: after this commit the effect may happen. Refused once anything forbids it."""

    call_id: UUID
    tool_name: str
    idempotency_key: str


@dataclass(frozen=True, kw_only=True)
class CallEnded(Entry):
    """A running call's outcome: succeeded, failed, or (a read of an ended step) cancelled."""

    call_id: UUID
    status: str
    output: Any = None
    error: str | None = None
    latency_ms: int = 0


@dataclass(frozen=True, kw_only=True)
class CallRefused(Entry):
    """A call that will not start: it fails before any effect."""

    call_id: UUID
    error: str


@dataclass(frozen=True, kw_only=True)
class CallDoubted(Entry):
    """A started call whose outcome nobody knows; `review` asks people."""

    call_id: UUID
    error: str
    review: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ReviewRenewed(Entry):
    """An approved call that may not start as approved: its review is void, a new one opens."""

    call_id: UUID
    old_review_id: UUID
    review: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class LetGo(Entry):
    """Wait for people, if any review is still open; otherwise nothing changes."""


@dataclass(frozen=True, kw_only=True)
class Ended(Entry):
    """The execution's end; what has not started is cancelled, its open reviews are void.

    `state` is kept: the tries of a request that was never answered are in no step.
    """

    status: str
    result: Any = None
    error: str | None = None
    stop_reason: str | None = None
    state: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Yielded(Entry):
    """Back to pending, from `wake_in_s` seconds on; `state` is kept for the next runner.

    `was_undriven`: not of anybody's will, so that this claim counts like one that a death ended.
    """

    wake_in_s: float | None = None
    state: dict[str, Any] | None = None
    was_undriven: bool = False


@dataclass(frozen=True, kw_only=True)
class Committed:
    """What the journal answers: the entry is durable, and this is what the row said then.

    `applied` False: the row's state did not allow the change (an answer, not an accident);
    `refusal` says why a start was refused, `switched_off` that a switch or a breaker did it.
    """

    applied: bool = True
    refusal: str | None = None
    switched_off: bool = False
    cancel_requested: bool = False
    open_reviews: int = 0


class LeaseLost(Exception):
    """The execution is no longer this runner's to drive."""
