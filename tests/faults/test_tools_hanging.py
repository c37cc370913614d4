"""A tool that never comes back costs its call and at most its process, never anybody else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from executions.core.breaker import FAILURES
from executions.models import AgentBreaker, AgentExecution, AgentRunner
from tests.factories import fresh
from tests.faults.checking import nothing_is_violated
from tests.rehearsal_server import RehearsalServer
from tests.support import stuck_tools
from tests.support.processes import ChildProcess
from tests.support.rehearsed_agent import calls
from tests.support.standing_runner import run_until_idle, standing_runner
from tests.support.stuck_tools import MODULES, STUCK
from tests.support.trial import asking, launched, only_call, trial
from tests.support.waiting import wait_until

TRY_MS = 400
Start = Callable[..., ChildProcess]


@pytest.fixture
def stuck(committed_db: None) -> Iterator[None]:
    """The tools; whatever hangs in them is let go at the end."""
    stuck_tools.RELEASE.clear()
    with trial(*STUCK.values()):
        yield
    let_go()


def let_go() -> None:
    stuck_tools.RELEASE.set()
    if stuck_tools.HELD.locked():
        stuck_tools.HELD.release()
    wait_until(
        lambda: not [one for one in threading.enumerate() if one.name.startswith("tool_")],
        what="the end of the threads",
    )
    stuck_tools.HELD.acquire()


def using(*tools: str) -> dict[str, AgentExecution]:
    return {name: launched(calls((name, {"word": "x"})), step_timeout_ms=TRY_MS) for name in tools}


def test_each_class_ends_as_it_may_and_four_lost_threads_end_the_runner(
    stuck: None, rehearsal: RehearsalServer
) -> None:
    """T2: sleep, busy loop, socket and a lock in C; a read failed, the others are in doubt."""
    executions = using(
        "stuck_in_a_sleep", "stuck_in_a_busy_loop", "stuck_in_c", "stuck_at_a_socket"
    )

    report = run_until_idle(base_url=rehearsal.base_url)

    # the idempotent one was tried again with its key, and lost a thread for each try
    assert report["lost_threads"] == 5, "and so it ended although nobody asked it to"
    said = {name: only_call(one) for name, one in executions.items()}
    assert {name: call.status for name, call in said.items()} == {
        "stuck_in_a_sleep": "failed",
        "stuck_in_a_busy_loop": "failed",
        "stuck_in_c": "in_doubt",
        "stuck_at_a_socket": "in_doubt",
    }
    assert all("took longer than its 0.4 s" in (call.error or "") for call in said.values())
    let_go()
    late = using("stuck_in_a_sleep")
    stuck_tools.RELEASE.set()
    run_until_idle(base_url=rehearsal.base_url)
    assert only_call(late["stuck_in_a_sleep"]).status == "succeeded"
    ended = {name: fresh(one).status for name, one in executions.items()}
    assert set(ended.values()) == {"completed", "awaiting_review"}, ended
    nothing_is_violated()


def test_what_hangs_in_the_database_or_in_the_loop_is_stopped_where_it_is(
    stuck: None, rehearsal: RehearsalServer
) -> None:
    """T2: PostgreSQL ends the statement, the loop the coroutine; one that goes on is lost."""
    executions = using("stuck_in_sql", "stuck_but_polite", "stuck_in_the_loop")

    with standing_runner(base_url=rehearsal.base_url) as runner:
        ended = ("completed", "awaiting_review")
        wait_until(
            lambda: all(fresh(one).status in ended for one in executions.values()), what="the end"
        )
        assert runner.services.threads.lost == 1
        assert runner.services.threads.lost_tasks == 1
        stuck_tools.RELEASE.set()  # nothing less lets an event loop end

    said = {name: only_call(one).status for name, one in executions.items()}
    assert said == {
        "stuck_in_sql": "failed",
        "stuck_but_polite": "failed",
        "stuck_in_the_loop": "in_doubt",
    }
    nothing_is_violated()


def test_a_call_that_had_no_time_says_nothing_about_its_tool(
    stuck: None, rehearsal: RehearsalServer
) -> None:
    """T2, T12: time-outs count for the breaker only when the time was enough to tell."""
    AgentBreaker.objects.create(tool_name="stuck_but_polite", failures=FAILURES - 1)
    (one,) = using("stuck_but_polite").values()

    run_until_idle(base_url=rehearsal.base_url)

    assert only_call(one).status == "failed"
    assert AgentBreaker.objects.get().failures == FAILURES - 1


@pytest.mark.processes
def test_a_tool_that_holds_up_the_loop_itself_ends_its_process(
    stuck: None, rehearsal: RehearsalServer, start_process: Start
) -> None:
    """T2: no other thread is asked; the log says where it stood."""
    program = (
        "import django; django.setup(); from tests.support.stuck_process import stand;"
        f"stand({rehearsal.base_url!r}, 3.0)"
    )
    one = asking("freeze", word="x")
    child = start_process("-c", program, **MODULES)

    assert child.wait(within_s=40) == 1

    assert "stuck_tools.py" in child.log()
    assert "in freeze" in child.log()
    assert fresh(one).status == "running", "for the next runner, which counts the death"


@pytest.mark.processes
@pytest.mark.slow
def test_a_worker_with_four_lost_threads_ends_and_its_cluster_with_it(
    stuck: None, rehearsal: RehearsalServer, start_process: Start
) -> None:
    """T2: what it drove is put back first; the supervisor starts the cluster anew."""
    executions = using("stuck_in_a_sleep", "stuck_in_a_busy_loop", "stuck_in_c")
    executions |= {"again": using("stuck_in_a_sleep")["stuck_in_a_sleep"]}
    child = start_process(
        "manage.py",
        "qcluster",
        Q_CLUSTER_NAME="agents",
        AGENTOPS_AGENT_WORKERS="1",
        OPENAI_API_KEY="rehearsal",
        OPENAI_BASE_URL=rehearsal.base_url,
        **MODULES,
    )

    assert child.wait(within_s=60) == 70

    statuses = {name: only_call(one).status for name, one in executions.items()}
    assert statuses.pop("stuck_in_c") == "in_doubt"
    assert set(statuses.values()) == {"failed"}
    assert not AgentExecution.objects.filter(status="running").exists()
    assert not AgentRunner.objects.filter(dead_at=None).exists()
    nothing_is_violated()
