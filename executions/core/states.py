"""Every status, and every move between statuses. Nothing else may invent one.

`docs/states.md` and the database's triggers are checked against these tables by tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar


class ExecutionStatus(StrEnum):
    PENDING = "pending"  # claimable; a ticket rings for it
    RUNNING = "running"  # a runner holds the lease
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    AWAITING_REVIEW = "awaiting_review"  # people must decide; nothing is held


class CallStatus(StrEnum):
    PENDING = "pending"  # proposed; needs no person
    AWAITING_REVIEW = "awaiting_review"  # has an open review
    APPROVED = "approved"
    RUNNING = "running"  # started: the effect may be happening
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    IN_DOUBT = "in_doubt"  # started, outcome hidden by a crash or timeout


class ReviewStatus(StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    VOID = "void"  # replaced by a newer version, or its execution ended


class ReviewKind(StrEnum):
    APPROVAL = "approval"
    DOUBT = "doubt"


E, C, R = ExecutionStatus, CallStatus, ReviewStatus

EXECUTION_MOVES: Mapping[ExecutionStatus, frozenset[ExecutionStatus]] = {
    E.PENDING: frozenset({E.RUNNING, E.CANCELLED}),
    E.RUNNING: frozenset({E.PENDING, E.AWAITING_REVIEW, E.COMPLETED, E.FAILED, E.CANCELLED}),
    E.AWAITING_REVIEW: frozenset({E.PENDING, E.CANCELLED}),
    E.COMPLETED: frozenset(),
    E.FAILED: frozenset(),
    E.CANCELLED: frozenset(),
}

CALL_MOVES: Mapping[CallStatus, frozenset[CallStatus]] = {
    C.PENDING: frozenset({C.RUNNING, C.FAILED, C.CANCELLED}),
    C.AWAITING_REVIEW: frozenset({C.APPROVED, C.REJECTED, C.EXPIRED, C.CANCELLED}),
    # back to awaiting_review: its target changed, or the voter took the vote back; back to
    # in_doubt: the same, for a call that people let run again after a doubt
    C.APPROVED: frozenset(
        {C.RUNNING, C.AWAITING_REVIEW, C.IN_DOUBT, C.FAILED, C.EXPIRED, C.CANCELLED}
    ),
    # cancelled: only a read, which leaves nothing behind
    C.RUNNING: frozenset({C.SUCCEEDED, C.FAILED, C.IN_DOUBT, C.CANCELLED}),
    # a person says: it happened / run it / drop it
    C.IN_DOUBT: frozenset({C.SUCCEEDED, C.APPROVED, C.CANCELLED}),
    C.SUCCEEDED: frozenset(),
    C.FAILED: frozenset(),
    C.REJECTED: frozenset(),
    C.EXPIRED: frozenset(),
    C.CANCELLED: frozenset(),
}

REVIEW_MOVES: Mapping[ReviewStatus, frozenset[ReviewStatus]] = {
    R.OPEN: frozenset({R.APPROVED, R.REJECTED, R.EXPIRED, R.VOID}),
    R.APPROVED: frozenset({R.EXPIRED, R.VOID}),  # only while its call has not started
    R.REJECTED: frozenset(),
    R.EXPIRED: frozenset(),
    R.VOID: frozenset(),
}

FINAL = frozenset(status for status, moves in EXECUTION_MOVES.items() if not moves)
ANSWERED = frozenset(status for status, moves in CALL_MOVES.items() if not moves)


S = TypeVar("S", bound=StrEnum)


def sources(moves: Mapping[S, frozenset[S]], target: S) -> frozenset[S]:
    """Return the statuses from which `target` may be reached: the WHERE of its UPDATE."""
    return frozenset(status for status, reachable in moves.items() if target in reachable)
