"""People, runners, queue and LLM in any order, against a model of what must be true."""

from __future__ import annotations

from functools import partial

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.crashing import Mode
from tests.faults.machine import Machine
from tests.faults.machine_ground import ground
from tests.faults.progress import with_progress
from tests.faults.witness import Witness
from tests.support.effort import Effort

pytestmark = pytest.mark.slow

BLOCKS, SEEDS, EXAMPLES = 10, 4, 50
"""The long form plays so many blocks of so many seeds, and as many examples of each seed."""


@pytest.mark.blocks(BLOCKS)
def test_whatever_happens_in_whatever_order_every_promise_is_kept(
    outside: Witness, effort: Effort, block: int
) -> None:
    """R3, R4, R12, C1, Q1, Q2, A2, M14: launch, drive, crash, freeze, lose and double tickets,
    decide, edit, settle, cancel, expire, change rights, switches and definitions, at random."""
    settings = hypothesis.settings(
        max_examples=effort.times(short=25, long=EXAMPLES),
        stateful_step_count=effort.times(short=30, long=80),
        deadline=None,
        database=None,
        print_blob=True,
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink] if effort.is_long else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    first = effort.seed + block * SEEDS
    seeds = range(first, first + effort.times(short=1, long=SEEDS))
    with ground(outside) as stage:
        for seed in with_progress(f"{settings.max_examples} examples a seed", seeds):
            factory = partial(Machine, stage)
            hypothesis.seed(seed)(factory)
            run_state_machine_as_test(factory, settings=settings)
        stage.verify(everything=True)

    tried = ("died", "woke", "stale writes", "completed", "cancelled")
    for what in (*tried, *(Mode.UNSURE, Mode.DROP, Mode.CONFLICT, "failed") * effort.is_long):
        assert stage.counts[what], f"nothing was seen of {what!r}: {stage.counts}"
