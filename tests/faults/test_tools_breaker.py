"""A tool that fails again and again is shut for a while: what wants it waits, and nothing fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now

from agentops.accounts.models import User
from executions import faults, operations
from executions.core.breaker import FAILURES, OPEN_S
from executions.models import AgentBreaker, AgentControl, AgentExecution
from tests.factories import change, fresh
from tests.faults.checking import nothing_is_violated
from tests.rehearsal_server import RehearsalServer
from tests.support.other_side import THERE, OtherSide, there_is_another_side
from tests.support.standing_runner import run_until_idle, standing_runner
from tests.support.trial import asking, only_call
from tests.support.waiting import wait_until


@pytest.fixture
def there(committed_db: None) -> Iterator[OtherSide]:
    with there_is_another_side():
        yield THERE


def drive(rehearsal: RehearsalServer) -> None:
    run_until_idle(base_url=rehearsal.base_url)


def break_it(
    rehearsal: RehearsalServer, tool_name: str = "do_there", *, times: int = 1
) -> AgentBreaker:
    """Let the tool fail `times`, the last of the failures that open its breaker."""
    if times < FAILURES:
        AgentBreaker.objects.create(tool_name=tool_name, failures=FAILURES - times)
    failing = [asking(tool_name, what=f"early {n}") for n in range(times)]
    drive(rehearsal)
    assert {fresh(one).status for one in failing} == {"completed"}, "a failure is told, no more"
    THERE.ran.clear()
    return AgentBreaker.objects.get(tool_name=tool_name, open_until__isnull=False)


def let_time_pass(*parked: AgentExecution) -> None:
    """The breaker's time is over, and so is that of those who waited for it."""
    AgentBreaker.objects.update(open_until=Now() - timedelta(seconds=1))
    for one in parked:
        change(one, wake_at=None)


def is_parked(execution: AgentExecution) -> bool:
    execution.refresh_from_db()
    return (execution.status, execution.lease_owner) == ("pending", None)


@pytest.mark.parametrize(
    ("tool_name", "left_as"), [("do_there", "pending"), ("look_there", "running")]
)
def test_the_twentieth_failure_in_a_row_parks_what_comes_after(
    there: OtherSide, rehearsal: RehearsalServer, tool_name: str, left_as: str
) -> None:
    """T12: no effect starts, nothing fails, the clock stands, and the page says why."""
    row = break_it(rehearsal, tool_name, times=FAILURES)
    assert row.failures == FAILURES
    assert row.opened_at is not None
    assert row.open_until is not None
    assert abs((row.open_until - row.opened_at).total_seconds() - OPEN_S) < 1

    later = asking(tool_name, what="later")
    drive(rehearsal)

    assert is_parked(later)
    assert there.ran == [], "nothing ran behind an open breaker"
    assert only_call(later).status == left_as
    assert later.wake_at is not None
    assert (later.wake_at - row.open_until).total_seconds() < 10
    assert f"{tool_name} is shut: it failed 20 times in a row" in later.waits_because
    assert "out of reach" in later.waits_because
    active_ms = later.active_ms
    assert active_ms < 5000
    nothing_is_violated()


def test_after_its_time_one_call_probes_and_success_opens_the_way_for_all(
    there: OtherSide, rehearsal: RehearsalServer
) -> None:
    """T12: half-open means one at a time, over two runners at once."""
    break_it(rehearsal)
    parked = [asking("do_there", what=f"later {n}") for n in range(6)]
    drive(rehearsal)
    assert all(map(is_parked, parked))
    there.is_up = True
    there.gate.clear()
    let_time_pass(*parked)

    with standing_runner(base_url=rehearsal.base_url), standing_runner(base_url=rehearsal.base_url):
        wait_until(lambda: len(there.ran) > 0, what="the probe")
        wait_until(
            lambda: sum(map(is_parked, parked)) == len(parked) - 1, what="the others put back"
        )
        assert len(there.ran) == 1, "one call probes"
        there.gate.set()
        wait_until(lambda: not AgentBreaker.objects.exists(), what="the breaker closed")
        AgentExecution.objects.filter(status="pending").update(wake_at=None)
        wait_until(lambda: all(fresh(one).is_final for one in parked), what="the end")

    assert {fresh(one).status for one in parked} == {"completed"}
    assert sorted(there.ran) == [f"later {n}" for n in range(6)]
    nothing_is_violated()


def test_a_probe_that_fails_shuts_it_for_as_long_again(
    there: OtherSide, rehearsal: RehearsalServer
) -> None:
    """T12: and only the probe's call is told the failure; the rest wait on."""
    break_it(rehearsal)
    parked = [asking("do_there", what=f"later {n}") for n in range(3)]
    drive(rehearsal)
    let_time_pass(*parked)

    drive(rehearsal)

    assert len(there.ran) == 1
    assert sorted(fresh(one).status for one in parked) == ["completed", "pending", "pending"]
    assert AgentBreaker.objects.filter(
        open_until__gt=Now() + timedelta(seconds=OPEN_S - 30), probe_call=None
    ).exists()


def test_a_probe_whose_runner_dies_is_followed_by_another(
    there: OtherSide, rehearsal: RehearsalServer
) -> None:
    """T12: a probe that says nothing gives its place up when its time is over."""
    break_it(rehearsal)
    one = asking("do_there", what="probe")
    drive(rehearsal)
    there.is_up = True
    gone = "00000000-0000-4000-8000-000000000000"
    AgentBreaker.objects.update(probe_call=gone, open_until=Now() + timedelta(seconds=60))
    change(one, wake_at=None)
    drive(rehearsal)
    assert is_parked(one), "another call probes"
    let_time_pass(one)

    drive(rehearsal)

    assert fresh(one).status == "completed"
    assert not AgentBreaker.objects.exists()


def test_a_tool_that_says_no_is_not_broken(there: OtherSide, rehearsal: RehearsalServer) -> None:
    """T12: refusals neither count nor interrupt the count, and as a probe prove nothing."""
    AgentBreaker.objects.create(tool_name="do_there", failures=FAILURES - 1)
    refused = [asking("do_there", what="nonsense") for _ in range(3)]
    drive(rehearsal)
    assert {fresh(one).status for one in refused} == {"completed"}
    assert AgentBreaker.objects.get().failures == FAILURES - 1
    AgentBreaker.objects.all().delete()

    break_it(rehearsal)
    probe = asking("do_there", what="nonsense")
    drive(rehearsal)
    let_time_pass(probe)
    drive(rehearsal)
    assert fresh(probe).status == "completed"
    row = AgentBreaker.objects.get()
    assert (row.failures, row.probe_call) == (FAILURES, None)
    there.is_up = True
    good = asking("do_there", what="good")
    drive(rehearsal)
    assert fresh(good).status == "completed"
    assert not AgentBreaker.objects.exists()


def test_a_success_forgets_the_failures_before_it_and_costs_no_write_otherwise(
    there: OtherSide, rehearsal: RehearsalServer
) -> None:
    """T12: only failures, and the success after one, write anything."""
    for n in range(3):
        asking("do_there", what=f"bad {n}")
    drive(rehearsal)
    row = AgentBreaker.objects.get()
    assert (row.failures, row.open_until) == (3, None)
    there.is_up = True
    asking("do_there", what="good")
    drive(rehearsal)
    assert not AgentBreaker.objects.exists()

    seen: list[str] = []
    faults.install(lambda point, _: seen.append(point))
    try:
        for n in range(3):
            asking("do_there", what=f"good {n}")
        drive(rehearsal)
    finally:
        faults.install(None)
    assert seen.count("do_there.after") == 3
    assert "breaker.before" not in seen


def test_a_start_that_this_runner_thought_possible_is_refused_by_its_transaction(
    there: OtherSide, rehearsal: RehearsalServer
) -> None:
    """T12: another runner opened the breaker a moment ago."""
    there.is_up = True

    def shut_meanwhile(point: str, _: Any) -> None:
        if point == "StepMade.after":
            AgentBreaker.objects.create(
                tool_name="do_there", failures=FAILURES, opened_at=Now(), open_until=Now() + WAIT
            )

    WAIT = timedelta(seconds=OPEN_S)  # noqa: N806
    one = asking("do_there", what="late")
    in_thread = threading.Thread
    faults.install(lambda point, conn: _elsewhere(in_thread, shut_meanwhile, point))
    try:
        drive(rehearsal)
    finally:
        faults.install(None)

    assert is_parked(one)
    assert there.ran == []
    assert only_call(one).status == "pending"


def _elsewhere(thread: type[threading.Thread], work: Any, point: str) -> None:
    """Django refuses to work in an event loop's thread."""

    def run() -> None:
        work(point, None)
        connection.close()

    other = thread(target=run)
    other.start()
    other.join()


def test_the_breakers_clock_never_lifts_a_persons_pause(
    there: OtherSide, rehearsal: RehearsalServer, reviewers: list[User]
) -> None:
    """T12: the two are rows of different tables, and both must agree to a start."""
    break_it(rehearsal)
    system = User.objects.get(username="system")
    operations.pause(scope="tool", key="do_there", person=system, reason="the contract ended")
    there.is_up = True
    parked = asking("do_there", what="later")
    drive(rehearsal)
    let_time_pass(parked)

    drive(rehearsal)

    assert is_parked(parked)
    assert there.ran == []
    assert "the contract ended" in parked.waits_because
    operations.lift(scope="tool", key="do_there", person=system)
    AgentBreaker.objects.update(open_until=Now() - timedelta(seconds=1), probe_call=None)
    AgentExecution.objects.filter(status="pending").update(wake_at=None)
    drive(rehearsal)
    assert fresh(parked).status == "completed"
    nothing_is_violated()


def test_a_person_can_open_the_way_before_its_time(
    there: OtherSide, rehearsal: RehearsalServer
) -> None:
    """T12: the mail server is back, and nobody wants to wait for the clock."""
    break_it(rehearsal)
    parked = asking("do_there", what="later")
    drive(rehearsal)
    assert is_parked(parked)
    there.is_up = True

    operations.lift(
        scope="tool", key="do_there", person=User.objects.get(username="system"), reason="mended"
    )
    drive(rehearsal)

    assert fresh(parked).status == "completed"
    assert not AgentBreaker.objects.exists()
    assert AgentControl.objects.get(key="do_there").reason == "mended"
