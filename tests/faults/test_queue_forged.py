"""Real clusters meet messages nobody of ours wrote, and lose the process that keeps results."""

from __future__ import annotations

import re

import psutil
import pytest
from django_q.models import Task

from executions.engine.cluster import BROKEN
from tests.faults.checking import nothing_is_violated
from tests.faults.deploying import launch
from tests.faults.queueing import HOUSEKEEPING, package, put, signed, waiting_tickets
from tests.faults.releasing import Sites, ended
from tests.support.rehearsed_agent import text
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.slow]

FORGED = 50
GOOD = 20
HOUSEKEEPING_QUEUE = "agentops"


def forgeries() -> list[str]:
    """Return messages that are not ours in every way we know."""
    kinds = [
        "not a message",
        signed(package(), key="somebody else's key"),
        signed(package(func="os.system", args=("touch forged",))),
        signed(["executions.engine.tickets.drive"]),
        signed(package(hook="os.system")),
        signed(package(args="all")),
        signed({"func": HOUSEKEEPING}),
        signed(package())[:-5],
        "\u0001" * 50,
        "",
    ]
    return (kinds * (FORGED // len(kinds)))[:FORGED]


def test_forged_messages_are_refused_logged_and_the_good_ones_between_them_served(
    sites: Sites,
) -> None:
    """Q5, Q8: fifty forgeries among good tickets in a real cluster, whose monitor dies as well."""
    cluster = sites.housekeeping()
    monitor = wait_until(lambda: re.search(r"monitoring at (\d+)", cluster.log()), what="monitor")
    good = [signed(package(func=HOUSEKEEPING, args=(), name=f"good {n}")) for n in range(GOOD)]
    bad = forgeries()
    mixed = [one for pair in zip(bad, good, strict=False) for one in pair] + bad[GOOD:]

    put(*mixed, queue=HOUSEKEEPING_QUEUE)

    wait_until(
        lambda: Task.objects.filter(name__startswith="good").count() == GOOD,
        within_s=60,
        what="the good ones",
    )
    wait_until(lambda: waiting_tickets(HOUSEKEEPING_QUEUE) == 0, what="an empty queue")
    assert cluster.log().count("Failed to push task to queue") == FORGED
    assert cluster.returncode() is None

    psutil.Process(int(monitor[1])).kill()
    assert cluster.wait(within_s=30) == BROKEN  # whoever supervises it starts it again
    sites.agents()
    executions = [launch(text()) for _ in range(GOOD)]
    ended(executions)
    assert {one.status for one in executions} == {"completed"}
    nothing_is_violated()
