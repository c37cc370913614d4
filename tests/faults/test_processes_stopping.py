"""Clusters that are told to stop, run into django-q2's own limits, or lose everything at once."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest
from django_q.models import Failure

from agentops.accounts.models import User
from executions.models import AgentExecution, AgentReview, AgentRunner
from tests.journeys.conftest import (
    World,
    approve_open,
    call_status,
    check_invariants,
    launch,
    until,
)
from tests.support.rehearsed_agent import LETTER, REHEARSED, calls, text
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.slow]

DRAIN_WITHIN_S = 40.0
BACK_WITHIN_S = 30.0


def requests(processes: World, execution: AgentExecution) -> int:
    """Return how often the LLM was asked for this execution, whose input names its own word."""
    return len(processes.llm.log(execution.input_data["rehearse"][-1]["text"]))


def looks(word: str, *, steps: int = 1) -> AgentExecution:
    """Launch an execution that reads in each step and ends with `word`."""
    reads = [calls(("find_customers", {"query": f"{word} {n}"})) for n in range(steps)]
    return launch(REHEARSED.name, rehearse=[*reads, text(word)])


def hurried(limits: dict[str, int], **variables: str) -> dict[str, str]:
    """Return the environment of an agents cluster with these limits of django-q2."""
    return {
        "DJANGO_SETTINGS_MODULE": "tests.support.hurried_settings",
        "TESTS_AGENTS_CLUSTER": json.dumps(limits),
        **variables,
    }


def test_a_cluster_told_to_stop_ends_its_step_and_hands_the_rest_on(
    processes: World, tmp_path: Path
) -> None:
    """A3: SIGTERM for the main process alone, while a step runs."""
    cluster = processes.cluster()
    processes.llm.add_faults([{"fault": "delay", "delay_s": 2, "match": {"contains": "midway"}}])
    execution = looks("midway", steps=3)
    wait_until(lambda: processes.llm.fired() == [1], what="the LLM call under way")

    cluster.send(signal.SIGTERM)
    status = cluster.wait(within_s=DRAIN_WITHIN_S)

    assert status == 0
    execution.refresh_from_db()
    assert (execution.status, execution.lease_owner) == ("pending", None)
    assert execution.step_count == 1
    processes.cluster()
    until(execution, "completed")
    assert requests(processes, execution) == execution.step_count == 4
    check_invariants(tmp_path, processes)


def test_a_host_that_lost_power_goes_on_where_it_was(
    processes: World, reviewers: list[User], tmp_path: Path
) -> None:
    """A10: everything of ours is gone at once, and started again."""
    cluster = processes.cluster()
    letters = [launch(REHEARSED.name, rehearse=[calls(LETTER), text(f"l{n}")]) for n in range(4)]
    for execution in letters:
        until(execution, "awaiting_review")
    fault = {"fault": "delay", "delay_s": 20, "times": 4, "match": {"contains": "in hand"}}
    processes.llm.add_faults([fault])
    held = [looks(f"in hand {n}") for n in range(4)]
    wait_until(lambda: processes.llm.fired() == [4], what="four LLM calls under way")

    os.killpg(cluster.pid, signal.SIGKILL)
    cluster.wait()
    for execution in letters[:2]:  # people decide meanwhile
        approve_open(execution, reviewers)
    began = time.monotonic()
    processes.cluster()

    for execution in (*held, *letters[:2]):
        until(execution, "completed", within_s=BACK_WITHIN_S)
    assert time.monotonic() - began < BACK_WITHIN_S
    assert {until(execution, "awaiting_review").step_count for execution in letters[2:]} == {1}
    assert AgentReview.objects.open().count() == 2
    assert len(processes.letters()) == 2
    assert {requests(processes, execution) for execution in held} == {3}  # one was repeated
    check_invariants(tmp_path, processes)


def test_a_worker_that_is_recycled_for_its_memory_interrupts_nothing(
    processes: World, tmp_path: Path
) -> None:
    """A7: `max_rss` ends the worker process in the middle of executions."""
    fault = {"fault": "delay", "delay_s": 0.6, "times": 1000, "match": {"contains": "recycled"}}
    processes.llm.add_faults([fault])
    cluster = processes.cluster(**hurried({"max_rss": 1}, AGENTOPS_SLICE_S="1"))
    executions = [looks(f"recycled {n}", steps=3) for n in range(3)]

    for execution in executions:
        until(execution, "completed")

    assert AgentRunner.objects.values("pid").distinct().count() >= 2
    assert cluster.returncode() is None
    for execution in executions:
        assert requests(processes, execution) == execution.step_count == 4
    check_invariants(tmp_path, processes)


def test_a_worker_that_django_q2_times_out_loses_nothing(
    processes: World, reviewers: list[User], tmp_path: Path
) -> None:
    """A9: SIGALRM raises SystemExit into the running loop."""
    fault = {"fault": "delay", "delay_s": 8, "match": {"contains": "overdue"}}
    processes.llm.add_faults([fault])
    cluster = processes.cluster(**hurried({"timeout": 2, "retry": 60}))
    execution = looks("overdue")

    until(execution, "completed")

    assert processes.llm.fired() == [1]
    wait_until(Failure.objects.filter(func__endswith="drive").exists, what="the time-out")
    assert cluster.returncode() is None
    assert requests(processes, execution) == execution.step_count + 1
    assert call_status(execution, "find_customers") == "succeeded"
    check_invariants(tmp_path, processes)
