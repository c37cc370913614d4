"""When a tool may start, and what each outcome does to its breaker."""

from __future__ import annotations

import pytest

from executions.core.breaker import (
    CLOSED,
    FAILURES,
    LOOK_S,
    Breaker,
    Change,
    Go,
    TryProbe,
    Verdict,
    Wait,
    admission,
    after,
    opens,
)

FAILING = Breaker(failures=FAILURES - 1)
OPEN = Breaker(failures=FAILURES, shut_s=250)
DUE = Breaker(failures=FAILURES, shut_s=0)
PROBED = Breaker(failures=FAILURES, shut_s=90, is_probed=True)
PROBE_GONE = Breaker(failures=FAILURES, shut_s=-3, is_probed=True)


@pytest.mark.parametrize(
    ("breaker", "is_probe", "admitted"),
    [
        (CLOSED, False, Go()),
        (FAILING, False, Go()),
        (OPEN, False, Wait(250)),
        (DUE, False, TryProbe()),
        (PROBED, False, Wait(LOOK_S)),
        (Breaker(failures=FAILURES, shut_s=2, is_probed=True), False, Wait(2)),
        (PROBED, True, Go(is_probe=True)),
        (PROBE_GONE, False, TryProbe()),
        (CLOSED, True, Go()),
    ],
)
def test_who_may_start(breaker: Breaker, is_probe: bool, admitted: object) -> None:
    assert admission(breaker, is_probe=is_probe) == admitted


@pytest.mark.parametrize(
    ("breaker", "verdict", "is_probe", "change"),
    [
        (CLOSED, Verdict.WORKS, False, Change.NOTHING),
        (CLOSED, Verdict.NEITHER, False, Change.NOTHING),
        (CLOSED, Verdict.FAILS, False, Change.COUNT),
        (FAILING, Verdict.WORKS, False, Change.CLOSE),
        (FAILING, Verdict.NEITHER, False, Change.NOTHING),
        (FAILING, Verdict.FAILS, False, Change.COUNT),
        (PROBED, Verdict.WORKS, True, Change.CLOSE),
        (PROBED, Verdict.FAILS, True, Change.OPEN),
        (PROBED, Verdict.NEITHER, True, Change.NEXT_PROBE),
        (OPEN, Verdict.WORKS, False, Change.CLOSE),
        (OPEN, Verdict.FAILS, False, Change.NOTHING),
        (OPEN, Verdict.NEITHER, False, Change.NOTHING),
        (CLOSED, Verdict.WORKS, True, Change.CLOSE),
    ],
)
def test_what_an_outcome_changes(
    breaker: Breaker, verdict: Verdict, is_probe: bool, change: Change
) -> None:
    assert after(breaker, verdict, is_probe=is_probe) is change


def test_it_opens_at_the_twentieth_failure_and_not_before() -> None:
    assert [n for n in range(1, 40) if opens(n)] == list(range(20, 40))
