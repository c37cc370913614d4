"""Every combination of up to three calls: what must never be decided, never is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from executions.core.decide import (
    IDEMPOTENT,
    ONCE,
    READ,
    AskLLM,
    AwaitReview,
    Call,
    Doubt,
    NextStep,
    Refuse,
    RunCalls,
    Snapshot,
    Stop,
    next_step,
)
from executions.core.limits import Limits, Spent
from executions.core.states import ANSWERED
from executions.core.states import CallStatus as C

View = tuple[C, str, bool]
EFFECTS = (READ, "transactional", IDEMPOTENT, ONCE)
ALL: list[View] = list(product(C, EFFECTS, (False, True)))
# For two calls everything is tried. For three, one answered call stands for all of those, and one
# change for all kinds of change unless it is running: only then its kind decides.
DISTINCT: list[View] = [
    (status, effect, gated)
    for status, effect, gated in ALL
    if status not in ANSWERED and (status is C.RUNNING or effect in (READ, ONCE))
] + [(C.SUCCEEDED, READ, False)]
LIMITS, SPENT, OUT_OF_TIME = Limits(), Spent(), Spent(active_ms=300_000)
CALL = {
    (place, view): Call(id=place, status=view[0], effect=view[1], gated=view[2])
    for place in range(3)
    for view in ALL
}
Case = tuple[tuple[Call, ...], NextStep]


def decided(
    views: list[View], count: int, *, cancel: bool = False, late: bool = False
) -> Iterator[Case]:
    spent = OUT_OF_TIME if late else SPENT
    for combination in product(views, repeat=count):
        chosen = tuple(CALL[pair] for pair in enumerate(combination))
        snapshot = Snapshot(calls=chosen, cancel_requested=cancel, limits=LIMITS, spent=spent)
        yield chosen, next_step(snapshot)


def unapproved(call: Call) -> bool:
    """A gated call that no person approved and that has not started under an approval."""
    return call.gated and call.status not in (C.APPROVED, C.RUNNING)


def is_wrong(calls: tuple[Call, ...], then: NextStep) -> bool:
    """Whether the decision breaks a promise about these calls."""
    waiting = any(call.status in (C.AWAITING_REVIEW, C.IN_DOUBT) for call in calls)
    match then:
        case RunCalls(ids):
            chosen = [call for call in calls if call.id in ids]
            reads = all(call.effect == READ for call in chosen)
            return (
                not chosen
                or any(unapproved(c) or c.status in ANSWERED for c in chosen)
                or any(c.status in (C.AWAITING_REVIEW, C.IN_DOUBT) for c in chosen)
                or any(c.status is C.RUNNING and c.effect == ONCE for c in chosen)
                or not (reads or len(chosen) == 1)
                or list(ids) != sorted(ids)
                or jumps_the_queue(calls, chosen)
            )
        case Doubt(ids):
            doubted = [call for call in calls if call.id in ids]
            return not doubted or any(
                c.status is not C.RUNNING or c.effect in (READ, "transactional") for c in doubted
            )
        case AwaitReview():
            return not waiting
        case AskLLM():
            return any(call.status not in ANSWERED for call in calls)
        case Refuse(ids):
            # older code wrote it, and the database closed the gate: it has no review
            refused = [call for call in calls if call.id in ids]
            return not refused or any(not c.gated or c.status is not C.PENDING for c in refused)
    return False


def jumps_the_queue(calls: tuple[Call, ...], chosen: list[Call]) -> bool:
    """Whether a change that could run stands before one of the chosen."""
    last = max(int(str(call.id)) for call in chosen)
    return any(
        call.effect != READ
        and (call.status is C.APPROVED or (call.status is C.PENDING and not call.gated))
        for call in calls[:last]
        if call not in chosen
    )


def wrong_ones(cases: Iterator[Case]) -> list[Case]:
    return [case for case in cases if is_wrong(*case)]


def test_no_combination_of_two_calls_breaks_a_promise() -> None:
    assert not wrong_ones(decided(ALL, 1))
    assert not wrong_ones(decided(ALL, 2))


def test_no_combination_of_three_calls_breaks_a_promise() -> None:
    assert not wrong_ones(decided(DISTINCT, 3))


def test_after_a_cancel_nothing_starts_and_nobody_is_asked() -> None:
    kinds = {type(then) for _, then in decided(ALL, 2, cancel=True)}
    assert kinds == {Doubt, Stop}
    assert not wrong_ones(decided(ALL, 2, cancel=True))


def test_out_of_time_nothing_starts_but_people_may_still_decide() -> None:
    kinds = {type(then) for _, then in decided(ALL, 2, late=True)}
    assert kinds == {Doubt, Stop, AwaitReview, Refuse}
    assert not wrong_ones(decided(ALL, 2, late=True))
