"""Given this state, what next? The whole agent loop's judgement, with no I/O."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from executions.core.limits import Limits, Spent, exceeded
from executions.core.states import CallStatus as C

READ, IDEMPOTENT, ONCE = "read", "idempotent", "once"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One tool call of the latest step. `running` means: found running, nobody is on it now.

    `key_lapsed`: the other side may have forgotten the key it started with.
    """

    id: Hashable
    status: C
    effect: str
    gated: bool = False
    key_lapsed: bool = False


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The latest reply, when it asked for no tools.

    `problem` says why it cannot be the result; `stop_reason` is the code to end with when asking
    again did not help (`tries_left` 0). A refusal is never asked again.
    """

    problem: str | None = None
    stop_reason: str = "INVALID_ANSWER"
    tries_left: int = 0


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """All that `next_step` may look at; the shell builds it from rows.

    `calls` and `answer` are the latest step's. `identical` is how often its most repeated call
    (same tool, same arguments) has been asked for in this execution.
    """

    calls: tuple[Call, ...] = ()
    answer: Answer | None = None
    cancel_requested: bool = False
    identical: int = 0
    limits: Limits = field(default_factory=Limits)
    spent: Spent = field(default_factory=Spent)


@dataclass(frozen=True)
class AskLLM:
    """Make the next LLM request."""


@dataclass(frozen=True)
class RunCalls:
    """Run these at once: either reads, or one call that changes something."""

    ids: tuple[Hashable, ...]


@dataclass(frozen=True)
class Refuse:
    """These need people and were put before none: the gate was closed while they were written."""

    ids: tuple[Hashable, ...]


@dataclass(frozen=True)
class Doubt:
    """These may or may not have happened before a crash; a person must say."""

    ids: tuple[Hashable, ...]


@dataclass(frozen=True)
class AwaitReview:
    """Let go until people have decided."""


@dataclass(frozen=True)
class Finish:
    """The latest reply is the result."""


@dataclass(frozen=True)
class Stop:
    """End without a result; `reason` is an UPPER_SNAKE stop reason."""

    reason: str


NextStep = AskLLM | RunCalls | Refuse | Doubt | AwaitReview | Finish | Stop


def next_step(s: Snapshot) -> NextStep:
    """Return the one thing to do now. The order of the rules is the policy.

    Time enters as `spent.active_ms`: only active time counts, so no clock is needed here.
    """
    ending = _ending(s)
    if doubtful := _doubtful(s, ending=ending is not None):  # 1. settle what a crash left open
        return Doubt(doubtful)
    if ending:  # 2. people win; then time and loops
        return Stop(ending)
    if unseen := tuple(c.id for c in s.calls if c.status is C.PENDING and c.gated):
        return Refuse(unseen)
    if runnable := _runnable(s):  # 3. do what was asked, in order
        return RunCalls(runnable)
    if any(c.status in (C.AWAITING_REVIEW, C.IN_DOUBT) for c in s.calls):
        return AwaitReview()  # 4. nothing left to run: let go
    if s.answer and not (s.answer.problem and s.answer.tries_left):  # 5. nothing left to ask
        return Stop(s.answer.stop_reason) if s.answer.problem else Finish()
    if reason := exceeded(s.limits, s.spent):  # 6. before spending more
        return Stop(reason)
    return AskLLM()  # 7. otherwise, think


def _ending(s: Snapshot) -> str | None:
    """Return why nothing more may start, if so."""
    if s.cancel_requested:
        return "CANCELLED"
    if s.identical >= s.limits.max_identical_calls:
        return "LOOP_DETECTED"
    if s.spent.active_ms >= s.limits.total_timeout_ms and _runnable(s):
        return "TOTAL_TIMEOUT"
    return None


def _doubtful(s: Snapshot, *, ending: bool) -> tuple[Hashable, ...]:
    """Return the calls whose outcome is hidden and that will not simply be run again."""
    unsafe = {ONCE, IDEMPOTENT} if ending else {ONCE}
    running = [c for c in s.calls if c.status is C.RUNNING]
    return tuple(c.id for c in running if c.effect in unsafe or c.key_lapsed)


def _runnable(s: Snapshot) -> tuple[Hashable, ...]:
    """Return the leading reads together, or the first other call alone (emission order)."""
    ready = [c for c in s.calls if _may_run(c)]
    if not ready:
        return ()
    if ready[0].effect != READ:
        return (ready[0].id,)
    stop = next((i for i, c in enumerate(ready) if c.effect != READ), len(ready))
    return tuple(c.id for c in ready[:stop])


def _may_run(c: Call) -> bool:
    if c.status is C.RUNNING:
        return c.effect != ONCE and not c.key_lapsed
    return c.status is C.APPROVED or (c.status is C.PENDING and not c.gated)
