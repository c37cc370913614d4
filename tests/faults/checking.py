"""How a fault test ends: every invariant is verified on what it left behind."""

from __future__ import annotations

from executions.invariants import verify
from executions.invariants.rule import Ledger


def nothing_is_violated(*ledgers: Ledger, grace_s: float = 0) -> None:
    """Fail with the rows that break a promise, if any does. Nothing runs any more by now.

    `grace_s`: of what a test left to be claimed or cleared away, as `verify` has it.
    """
    broken = [one for one in verify(grace_s=grace_s, ledgers=ledgers) if one.violations]
    assert not broken, broken
