"""A frozen runner wakes just when its successor commits: what it writes changes nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import psycopg
import pytest

from agentops.accounts.models import User
from executions import operations
from executions.engine.connections import parameters
from executions.engine.driven import Driven
from executions.engine.entries import (
    CallDoubted,
    CallEnded,
    CallStarted,
    Committed,
    Entry,
    LeaseLost,
    StepMade,
)
from executions.models import AgentExecution, AgentReview, AgentStep
from tests.faults.racing import Asked, assert_all_seen, at_the_gate, decision, drive, launched
from tests.faults.scenarios import RULES, filing, letter
from tests.faults.witness import Witness
from tests.support.effort import Effort
from tests.support.pieces import Held, Pieces, Run, runners_in_pieces
from tests.support.racing import Aim
from tools.models import Customer

QUEUED = """
SELECT count(*) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND datname = current_database()
"""  # of this database: other tests run beside this one

ORDERS = ("at once", "both inside", "stale first", "at once", "both inside", "holder first")


@dataclass(frozen=True)
class Moment:
    """What each of the two is about to commit when they meet."""

    tool: str
    stale: type[Entry]
    holder: type[Entry]

    def asked(self, outside: Witness, number: int) -> Asked:
        if self.tool == "read":
            return [RULES]
        return [letter(number) if self.tool == "letter" else filing(outside.report, number)]


MOMENTS = {
    "a step": Moment("read", StepMade, StepMade),
    "a read's outcome": Moment("read", CallEnded, CallEnded),
    "the start of a letter": Moment("letter", CallStarted, CallStarted),
    "the outcome of a letter": Moment("letter", CallEnded, CallDoubted),
    "the outcome of a filing": Moment("filing", CallEnded, CallEnded),
}
each_moment = pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS.keys())


@pytest.fixture
def two(outside: Witness) -> Iterator[tuple[Run, list[Pieces]]]:
    with runners_in_pieces(base_url=outside.llm.base_url, count=2) as ready:
        yield ready


@each_moment
def test_of_two_that_commit_at_once_only_the_holder_does(
    outside: Witness,
    reviewers: list[User],
    two: tuple[Run, list[Pieces]],
    effort: Effort,
    moment: Moment,
) -> None:
    """A8: both stand before the same commit when both are let go; the stale one's hits 0 rows."""
    rng, times = effort.rng("A8", moment.tool, moment.stale), effort.times(short=10, long=200)
    run, (stale, holder) = two
    orders, aim = Counter[str](), Aim(rng)
    claimable(outside, reviewers, moment, times)
    for _ in range(times):
        run(meet(stale, holder, moment, aim.moment()))
        lost, kept = stale.journal.first(moment.stale), holder.journal.first(moment.holder)
        assert isinstance(lost.answer, LeaseLost)
        assert isinstance(kept.answer, Committed)
        assert kept.answer.applied
        aim.correct(was_early=lost.at < kept.at)
        orders["stale first" if lost.at < kept.at else "holder first"] += 1
        run(start_anew(stale, holder))

    assert_all_seen(orders, "stale first", "holder first")
    judge(outside, reviewers, moment, times)


@each_moment
def test_a_takeover_during_the_commit_leaves_one_of_them(
    outside: Witness,
    reviewers: list[User],
    two: tuple[Run, list[Pieces]],
    effort: Effort,
    moment: Moment,
) -> None:
    """A8: the burial, the claim and the waking runner's commit meet; it was in time or is lost."""
    rng, times = effort.rng("A8 burial", moment.tool, moment.stale), effort.times(short=10, long=50)
    run, (stale, holder) = two
    orders, aim = Counter[str](), Aim(rng)
    claimable(outside, reviewers, moment, times)
    for _ in range(times):
        run(take_over_during(stale, holder, moment, aim.moment()))
        is_lost = isinstance(stale.journal.first(moment.stale).answer, LeaseLost)
        aim.correct(was_early=is_lost)
        orders["lost" if is_lost else "in time"] += 1
        run(start_anew(stale, holder))

    assert_all_seen(orders, "lost", "in time")
    judge(outside, reviewers, moment, times)


async def meet(stale: Pieces, holder: Pieces, moment: Moment, ahead_s: float) -> None:
    """Bring the stale runner before its commit, freeze it, let the holder take over and come to
    its own, then let both go, the holder so far ahead."""
    (one,) = await stale.claim(room=1)
    frozen = Held(stale, one, moment.stale)
    await frozen.came()
    await stale.freeze()
    (taken,) = await holder.take_over()
    assert (taken.id, taken.token) == (one.id, one.token + 1)
    driver = Held(holder, taken, moment.holder)
    await driver.came()
    first, second = (driver, frozen) if ahead_s > 0 else (frozen, driver)
    first.go.set()
    await asyncio.sleep(abs(ahead_s))
    second.go.set()
    await asyncio.gather(frozen.driving, driver.driving)


async def take_over_during(stale: Pieces, holder: Pieces, moment: Moment, wait_s: float) -> None:
    """Let the stale runner go on from its commit, and the holder take over so much later; below
    zero, so much sooner."""
    (one,) = await stale.claim(room=1)
    frozen = Held(stale, one, moment.stale)
    await frozen.came()
    await stale.freeze()

    async def wake() -> None:
        await asyncio.sleep(max(-wait_s, 0))
        frozen.go.set()
        await frozen.driving

    await asyncio.gather(wake(), succeed(stale, holder, one, wait_s))


async def succeed(stale: Pieces, holder: Pieces, one: Driven, wait_s: float) -> None:
    """Take the execution over and drive it, unless the stale runner has let go of it."""
    await asyncio.sleep(max(wait_s, 0))
    while not (taken := await holder.take_over()):
        if not await stale.is_mine(one):
            return
    await holder.drive(taken)


async def start_anew(stale: Pieces, holder: Pieces) -> None:
    await stale.begin_anew()
    await holder.begin_anew()


def claimable(outside: Witness, reviewers: list[User], moment: Moment, count: int) -> None:
    """Make so many pending executions whose next commit but one is the moment's."""
    asked = [moment.asked(outside, number) for number in range(count)]
    if moment.tool == "read":
        launched(asked)
    else:
        at_the_gate(outside, asked)
        approve_all(reviewers)


def approve_all(people: list[User]) -> None:
    for review in AgentReview.objects.open().filter(kind="approval").order_by("execution"):
        for person in people[: review.required_votes]:
            decision(review, person)()


def judge(outside: Witness, reviewers: list[User], moment: Moment, times: int) -> None:
    """Settle the doubts by what the outside saw, drive on, and compare everything."""
    sent = {key for ledger in outside.ledgers() for key in ledger.keys}
    for review in AgentReview.objects.open().filter(kind="doubt").select_related("call"):
        operations.settle(
            review_id=review.pk,
            person=reviewers[0],
            verdict="happened" if review.call.idempotency_key in sent else "drop",
            seen_digest=review.input_digest,
            reason="so says the other side",
        )
    drive(outside)
    assert AgentExecution.objects.filter(status="completed").count() == times
    assert AgentStep.objects.count() == 2 * times
    seen = outside.letters() if moment.tool == "letter" else outside.filings()
    assert len(seen) == (0 if moment.tool == "read" else times)
    outside.check_invariants()


def test_a_stale_transaction_is_fenced_out_and_the_record_changes_once(
    outside: Witness, reviewers: list[User], two: tuple[Run, list[Pieces]], effort: Effort
) -> None:
    """A8: two runners are inside the same change of a record; the fence lets one commit."""
    rng, times = effort.rng("A8 fence"), effort.times(short=24, long=250)
    run, (stale, holder) = two
    orders, aim = Counter[str](), Aim(rng)
    customers = [f"C-9{number:04}" for number in range(times)]
    Customer.objects.bulk_create(
        Customer(customer_id=id, name="Fenced", country="NL", onboarded_on=date(2020, 1, 1))
        for id in customers
    )
    at_the_gate(outside, [[phone_change(id)] for id in customers])
    approve_all(reviewers)
    for number in range(times):
        order = ORDERS[number % len(ORDERS)]
        came_out = run(fenced(stale, holder, aim.moment(), order))
        if order == "at once":
            aim.correct(was_early=came_out == "stale fenced")
        orders[came_out] += 1
        run(start_anew(stale, holder))

    drive(outside)

    assert_all_seen(orders, "both inside", "stale in time", "stale fenced")
    versions = Customer.objects.filter(pk__in=customers).values_list("version", flat=True)
    assert list(versions) == [2] * times
    assert AgentExecution.objects.filter(status="completed").count() == times
    outside.check_invariants()


async def fenced(stale: Pieces, holder: Pieces, wait_s: float, order: str) -> str:
    """Hold the record so that the stale runner's transaction waits for it, and freeze that runner.
    Let the record go when the holder waits for it as well, or so long before it takes over, or
    for certain before or after: a loaded machine may miss one side of the moment each time."""
    (one,) = await stale.claim(room=1)
    record = one.calls[0].arguments["customer_id"]
    async with await psycopg.AsyncConnection.connect(**parameters()) as blocker:
        await blocker.execute(
            "SELECT 1 FROM tools_customer WHERE customer_id = %s FOR UPDATE", (record,)
        )
        waking = asyncio.create_task(stale.drive([one]))
        await queued(stale, 1)
        await stale.freeze()
        if order == "stale first":
            await blocker.rollback()
            await waking
        late_s = wait_s if order == "at once" else 0
        succeeding = asyncio.create_task(succeed(stale, holder, one, late_s))
        if order == "both inside":
            await queued(stale, 2)
        elif order == "holder first":
            await lost(stale, one)
        else:
            await asyncio.sleep(max(-late_s, 0))
        await blocker.rollback()
        await waking
        await succeeding
    if order == "both inside":
        return order
    return "stale in time" if one.calls[0].status == "succeeded" else "stale fenced"


async def lost(runner: Pieces, one: Driven) -> None:
    """Wait until somebody else holds the lease."""
    async with asyncio.timeout(10):
        while await runner.is_mine(one):
            pass


async def queued(runner: Pieces, length: int) -> None:
    """Wait until so many wait for a lock."""
    async with asyncio.timeout(10):
        while True:
            cursor = await runner.conn.execute(QUEUED)
            if (await cursor.fetchone())[0] >= length:
                return


def phone_change(customer_id: str) -> tuple[str, dict[str, object]]:
    changes = {"phone": "+31 20 555 0101"}
    return "update_customer_record", {
        "customer_id": customer_id, "changes": changes, "reason": "M-2001 says so",
    }  # fmt: skip
