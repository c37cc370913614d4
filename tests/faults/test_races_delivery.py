"""One execution rung for many times at once: one runner drives it, the others find nothing."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import replace
from statistics import median

from django_q.models import OrmQ

from executions.engine import tickets
from executions.engine.config import Config
from executions.engine.driven import Driven
from executions.engine.runner import Runner
from executions.models import AgentExecution, AgentStep
from tests.faults.racing import assert_all_seen, launched
from tests.faults.scenarios import RULES
from tests.faults.witness import Witness
from tests.support.effort import Effort
from tests.support.pieces import Pieces, runners_in_pieces
from tests.support.standing_runner import config

MOST = 10
QUICK_S = 0.1  # ours take 2 ms; a loaded machine may take a while


def test_a_ticket_delivered_many_times_at_once_gives_one_driver(
    outside: Witness, effort: Effort
) -> None:
    """Q2: up to ten claims at the same moment; one gets it, the others are through at once."""
    rng, times = effort.rng("Q2"), effort.times(short=40, long=1000)
    winners: Counter[str] = Counter()
    idle: list[float] = []

    with runners_in_pieces(base_url=outside.llm.base_url, count=MOST) as (run, runners):

        async def deliver(chosen: list[int]) -> list[tuple[list[Driven], float]]:
            return await asyncio.gather(*[timed_claim(runners[n]) for n in chosen])

        for _ in range(times):
            chosen = rng.sample(range(MOST), rng.randint(2, MOST))
            (execution,) = launch_and_ring(len(chosen))
            found = run(deliver(chosen))
            takers = [n for n, (ones, _) in zip(chosen, found, strict=True) if ones]
            assert len(takers) == 1
            winners["first asked" if takers == chosen[:1] else "a later one"] += 1
            idle.extend(seconds for ones, seconds in found if not ones)
            (taken,) = next(ones for ones, _ in found if ones)
            assert (taken.id, taken.token) == (execution.pk, 1)
            run(runners[takers[0]].drive([taken]))

    assert_all_seen(winners, "first asked", "a later one")
    assert median(idle) < QUICK_S
    assert not OrmQ.objects.filter(key=tickets.CLUSTER).exists()
    assert AgentExecution.objects.filter(status="completed", lease_token=1).count() == times
    outside.check_invariants()


def test_whole_runners_share_what_was_rung_for_many_times(outside: Witness, effort: Effort) -> None:
    """Q2, A5: several runners, five tickets an execution; the LLM was asked once for each step."""
    asked_before = len(outside.llm.log())
    count, several = effort.times(short=40, long=400), 4
    for _ in range(count // several):
        launch_and_ring(5, executions=several)

    def small() -> Config:  # one each, for a runner closes its LLM client when it ends
        return replace(config(base_url=outside.llm.base_url, until_idle=True), capacity=5)

    async def main() -> list[dict[str, int]]:
        return await asyncio.gather(*[runner(small()).run() for _ in range(several)])

    reports = asyncio.run(main())

    assert sum(report["driven"] for report in reports) == count
    assert sum(report["driven"] > 0 for report in reports) > 1, "one runner did it all"
    assert AgentExecution.objects.filter(status="completed", lease_token=1).count() == count
    assert len(outside.llm.log()) - asked_before == AgentStep.objects.count() == 2 * count
    outside.check_invariants()


def runner(one: Config) -> Runner:
    return Runner(one, ring=tickets.ring_on, clear=tickets.clear)


def launch_and_ring(tickets_each: int, *, executions: int = 1) -> list[AgentExecution]:
    """Launch, and deliver so many tickets for each in all."""
    ones = launched([[RULES]] * executions)
    for execution in ones:
        for _ in range(tickets_each - 1):
            tickets.ring(execution.pk)
    return ones


async def timed_claim(one: Pieces) -> tuple[list[Driven], float]:
    began = time.monotonic()
    taken = await one.claim(room=1)
    return taken, time.monotonic() - began
