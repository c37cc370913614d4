"""Random schedules. `--faults-seed=N` begins with schedule N, so one that failed is first."""

from __future__ import annotations

import pytest

from tests.faults.progress import with_progress
from tests.faults.stage import Stage
from tests.support.effort import Effort

pytestmark = pytest.mark.slow

BLOCKS = 20


@pytest.mark.blocks(BLOCKS)
def test_random_faults_at_random_moments(stage: Stage, effort: Effort, block: int) -> None:
    """A1, A2, D2, D4, D5, Q1, Q2, R8, R12, C1: whatever comes together, all promises hold."""
    count = effort.times(short=28, long=10_000 // BLOCKS)
    fired = 0
    seeds = range(effort.seed + block * count, effort.seed + (block + 1) * count)
    for seed in with_progress("random faults", seeds):
        fired += len(stage.play_at_random(seed).fired)
    stage.check()
    assert fired >= count, "the faults did not fire"
