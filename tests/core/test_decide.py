"""Given what stands in the rows, what is next?"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from executions.core.decide import (
    IDEMPOTENT,
    ONCE,
    READ,
    Answer,
    AskLLM,
    AwaitReview,
    Call,
    Doubt,
    Finish,
    NextStep,
    Refuse,
    RunCalls,
    Snapshot,
    Stop,
    next_step,
)
from executions.core.limits import Limits, Spent
from executions.core.states import CallStatus as C


def calls(*views: tuple[C, str] | tuple[C, str, bool]) -> tuple[Call, ...]:
    """Calls "a", "b", "c" … in emission order, each (status, effect[, gated])."""
    return tuple(
        Call(id="abcdefgh"[place], status=view[0], effect=view[1], gated=len(view) > 2)
        for place, view in enumerate(views)
    )


OUT_OF_TIME = Spent(active_ms=300_000)
OUT_OF_STEPS = Spent(steps=25)
NO_GOOD = Answer(problem="it is empty", tries_left=1)
GIVEN_UP = Answer(problem="it is empty", tries_left=0)

THE_LLM = [
    ("nothing has happened yet", {}, AskLLM()),
    ("every call is answered", {"calls": calls((C.SUCCEEDED, READ))}, AskLLM()),
    (
        "calls failed, were rejected, expired or dropped: the LLM hears it",
        {
            "calls": calls(
                (C.FAILED, READ), (C.REJECTED, ONCE, True), (C.EXPIRED, ONCE, True),
                (C.CANCELLED, ONCE),
            )
        },
        AskLLM(),
    ),
    ("the answer is usable", {"answer": Answer()}, Finish()),
    ("the answer is unusable, it may try again", {"answer": NO_GOOD}, AskLLM()),
    ("the answer is unusable once too often", {"answer": GIVEN_UP}, Stop("INVALID_ANSWER")),
    (
        "the LLM refused",
        {"answer": Answer(problem="no", stop_reason="LLM_REFUSED")},
        Stop("LLM_REFUSED"),
    ),
    (
        "a usable answer at the limit still counts",
        {"answer": Answer(), "spent": OUT_OF_STEPS},
        Finish(),
    ),
    (
        "no second try beyond the limit",
        {"answer": NO_GOOD, "spent": OUT_OF_STEPS},
        Stop("MAX_STEPS_EXCEEDED"),
    ),
]  # fmt: skip

RUNNING_CALLS = [
    (
        "the reads of a step run together",
        {"calls": calls((C.RUNNING, READ), (C.RUNNING, READ))},
        RunCalls(("a", "b")),
    ),
    (
        "reads before a change come first",
        {"calls": calls((C.RUNNING, READ), (C.PENDING, ONCE), (C.RUNNING, READ))},
        RunCalls(("a",)),
    ),
    (
        "a change runs alone, before the reads behind it",
        {"calls": calls((C.SUCCEEDED, READ), (C.PENDING, ONCE), (C.RUNNING, READ))},
        RunCalls(("b",)),
    ),
    (
        "changes run one after another",
        {"calls": calls((C.PENDING, "transactional"), (C.PENDING, IDEMPOTENT))},
        RunCalls(("a",)),
    ),
    (
        "a call that needs people and was put before none is refused, whatever else could run",
        {"calls": calls((C.PENDING, ONCE), (C.PENDING, ONCE, True))},
        Refuse(("b",)),
    ),
    ("an approved call runs", {"calls": calls((C.APPROVED, ONCE, True))}, RunCalls(("a",))),
    (
        "what needs nobody runs while people think about the rest",
        {"calls": calls((C.AWAITING_REVIEW, ONCE, True), (C.RUNNING, READ))},
        RunCalls(("b",)),
    ),
    (
        "calls run at the step limit: it is for the next request",
        {"calls": calls((C.PENDING, ONCE)), "spent": OUT_OF_STEPS},
        RunCalls(("a",)),
    ),
]

LAPSED = Call(id="a", status=C.RUNNING, effect=IDEMPOTENT, key_lapsed=True)
LAPSED_KEYS = [
    ("a call cut off within its key's time runs again", {"calls": calls((C.RUNNING, IDEMPOTENT))},
     RunCalls(("a",))),
    ("one whose key may be forgotten does not", {"calls": (LAPSED,)}, Doubt(("a",))),
]  # fmt: skip

PEOPLE = [
    (
        "only people can go on",
        {"calls": calls((C.AWAITING_REVIEW, ONCE, True), (C.SUCCEEDED, READ))},
        AwaitReview(),
    ),
    ("a call is in doubt", {"calls": calls((C.IN_DOUBT, ONCE))}, AwaitReview()),
    (
        "waiting for people outlasts the time limit",
        {"calls": calls((C.AWAITING_REVIEW, ONCE, True)), "spent": OUT_OF_TIME},
        AwaitReview(),
    ),
]

CRASHES = [
    ("a read was cut off", {"calls": calls((C.RUNNING, READ))}, RunCalls(("a",))),
    (
        "a transactional call was cut off: it left nothing",
        {"calls": calls((C.RUNNING, "transactional", True))},
        RunCalls(("a",)),
    ),
    (
        "an idempotent call was cut off: again, with its key",
        {"calls": calls((C.RUNNING, IDEMPOTENT, True))},
        RunCalls(("a",)),
    ),
    (
        "a call that cannot be repeated was cut off",
        {"calls": calls((C.RUNNING, READ), (C.RUNNING, ONCE, True))},
        Doubt(("b",)),
    ),
    (
        "cancelled, and a repeatable change was cut off: it must not run again",
        {"calls": calls((C.RUNNING, IDEMPOTENT)), "cancel_requested": True},
        Doubt(("a",)),
    ),
]

ENDINGS = [
    (
        "a cancel beats what is approved",
        {"calls": calls((C.APPROVED, ONCE, True)), "cancel_requested": True},
        Stop("CANCELLED"),
    ),
    (
        "a cancel beats a finished answer",
        {"answer": Answer(), "cancel_requested": True},
        Stop("CANCELLED"),
    ),
    (
        "a cancel beats time and loops",
        {"cancel_requested": True, "identical": 4, "spent": OUT_OF_TIME},
        Stop("CANCELLED"),
    ),
    (
        "no call starts out of time",
        {"calls": calls((C.PENDING, ONCE)), "spent": OUT_OF_TIME},
        Stop("TOTAL_TIMEOUT"),
    ),
    (
        "the same call once too often",
        {"calls": calls((C.RUNNING, READ)), "identical": 4},
        Stop("LOOP_DETECTED"),
    ),
    (
        "the same call, one below",
        {"calls": calls((C.RUNNING, READ)), "identical": 3},
        RunCalls(("a",)),
    ),
    ("out of tokens", {"spent": Spent(tokens=50_000)}, Stop("MAX_TOKENS_EXCEEDED")),
    ("out of time", {"spent": OUT_OF_TIME}, Stop("TOTAL_TIMEOUT")),
    (
        "out of money",
        {"spent": Spent(cost_usd=Decimal(1)), "limits": Limits(max_cost_usd=Decimal(1))},
        Stop("MAX_COST_EXCEEDED"),
    ),
]


@pytest.mark.parametrize(
    ("given", "then"),
    [
        pytest.param(given, then, id=words)
        for words, given, then in THE_LLM + RUNNING_CALLS + LAPSED_KEYS + PEOPLE + CRASHES + ENDINGS
    ],
)
def test_next_step(given: dict[str, Any], then: NextStep) -> None:
    assert next_step(Snapshot(**given)) == then
