"""A deploy stops a cluster with fifty executions in flight: the next one goes on with them."""

from __future__ import annotations

import signal
import time
from collections import Counter

import pytest
from django.db import transaction

from executions.models import AgentExecution
from tests.faults.checking import nothing_is_violated
from tests.faults.deploying import launch
from tests.faults.releasing import Sites, ended
from tests.rehearsal_server import RehearsalServer
from tests.support.rehearsed_agent import calls, text
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.slow]

IN_FLIGHT = 50
ANSWER_S = 0.5
DRAIN_S = 15
STEPS = [
    calls(("find_customers", {"name": f"Name {n}"})) for n in range(9)
]  # in flight for five seconds


def test_a_cluster_told_to_stop_hands_over_what_is_in_flight_and_nothing_is_asked_in_vain(
    sites: Sites, rehearsal: RehearsalServer
) -> None:
    """A3, V4: each is put back at a commit, and goes on in the other cluster."""
    rehearsal.add_faults([{"fault": "delay", "delay_s": ANSWER_S, "times": 1000, "match": {}}])
    old = sites.agents()
    with transaction.atomic():  # they begin together, however long launching takes
        executions = [launch(*STEPS, text()) for _ in range(IN_FLIGHT)]
    steps = AgentExecution.objects.filter(step_count__gte=1, status="running")
    wait_until(lambda: steps.count() == IN_FLIGHT, within_s=30, what="all in flight")
    began = time.monotonic()

    old.send(signal.SIGTERM)
    status = old.wait(within_s=DRAIN_S * 2)

    seconds = time.monotonic() - began
    sites.agents()  # not before: on a loaded machine the old one would have ended all meanwhile
    ended(executions)
    print(f"drained {IN_FLIGHT} in {seconds:.1f} s")  # noqa: T201
    assert status == 0
    assert seconds < DRAIN_S
    assert Counter(one.status for one in executions) == {"completed": IN_FLIGHT}
    assert max(one.lease_token for one in executions) >= 2  # somebody else went on
    steps_made = sum(one.step_count for one in executions)
    asked = len(rehearsal.log("find_customers"))
    assert sum(rehearsal.fired()) >= IN_FLIGHT
    assert asked - steps_made <= IN_FLIGHT, "more than one repeated request for each"
    print(f"{asked - steps_made} requests were made in vain")  # noqa: T201
    nothing_is_violated()
