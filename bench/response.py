"""How soon: from a person's decision to the start of the tool, from a launch to its claim."""

from __future__ import annotations

import time
from typing import Any

from django.contrib.auth.models import Permission
from django.db import connection

from agentops.accounts.models import User
from bench.agents import ACT, GATED, LOOP
from bench.place import Place
from bench.processes import until
from bench.world import open_world
from executions import operations, permissions
from executions.models import AgentExecution, AgentReview

GAP_S = 0.1  # between two, so that each finds an idle system
SCRIPT = [{"calls": [{"name": ACT, "arguments": {"number": 1}}]}, {"text": "Done."}]

# The last time it was claimed, and when its one call (if any) started.
MOMENTS = """
SELECT e.id, extract(epoch FROM e.created_at), extract(epoch FROM max(a.at)),
    extract(epoch FROM max(c.started_at))
FROM agent_executions e JOIN agent_audit a ON a.execution_id = e.id AND a.event = 'running'
LEFT JOIN agent_tool_calls c ON c.execution_id = e.id WHERE e.id = ANY(%s) GROUP BY e.id
"""


def measure(place: Place, *, times: int) -> dict[str, list[float]]:
    """Return the seconds each thing took, `times` times, with one standing runner."""
    with open_world(place, workers=1, latency_s=0):
        return {"launch → claimed": _launches(times), **_approvals(times)}


def _launches(times: int) -> list[float]:
    """Launch one after the other; each finds an idle system."""
    system = User.objects.get(username="system")
    pks = []
    for number in range(times):
        given = {"number": number, "rehearse": [{"text": "Done."}]}
        launched = operations.launch(agent_type=LOOP.name, input_data=given, user=system)
        pks.append(launched.execution.pk)
        time.sleep(GAP_S)
    return [claimed - created for _, created, claimed, _ in _moments(pks)]


def _approvals(times: int) -> dict[str, list[float]]:
    """Approve one after the other, all parked before; from the call of `decide` on."""
    system, reviewer = User.objects.get(username="system"), _reviewer()
    given = {"rehearse": SCRIPT}
    pks = [
        operations.launch(agent_type=GATED.name, input_data=given, user=system).execution.pk
        for _ in range(times)
    ]
    _wait(pks, "awaiting_review")
    began, ended = {}, {}
    for review in AgentReview.objects.open().filter(execution__in=pks):
        time.sleep(GAP_S)
        began[review.execution_id] = time.time()
        operations.decide(
            review_id=review.pk, person=reviewer, approve=True, seen_digest=review.input_digest
        )
        ended[review.execution_id] = time.time()
    moments = _moments(pks)
    return {
        "decide itself": [ended[pk] - began[pk] for pk in pks],
        "decided → claimed": [claimed - ended[pk] for pk, _, claimed, _ in moments],
        "decided → tool started": [started - ended[pk] for pk, _, _, started in moments],
        "decide + tool started": [started - began[pk] for pk, _, _, started in moments],
    }


def _moments(pks: list[Any]) -> list[Any]:
    """Wait for the end of all of them; return MOMENTS in seconds since 1970."""
    _wait(pks, "completed")
    with connection.cursor() as cursor:
        cursor.execute(MOMENTS, [pks])
        return [(pk, *(at and float(at) for at in ats)) for pk, *ats in cursor.fetchall()]


def _reviewer() -> User:
    person, _ = User.objects.get_or_create(username="bench-reviewer")
    codename = permissions.approve(ACT).partition(".")[2]
    person.user_permissions.add(Permission.objects.get(codename=codename))
    return User.objects.get(pk=person.pk)


def _wait(pks: list[Any], status: str) -> None:
    wanted = AgentExecution.objects.filter(pk__in=pks, status=status)
    until(lambda: wanted.count() == len(pks), within_s=60, what=f"{len(pks)} {status}")
