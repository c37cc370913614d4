"""W-lat: many executions in flight at once, each LLM call half a second away over real HTTP."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection

from bench import durable
from bench.agents import LOOP, ROUNDS, script
from bench.place import Place
from bench.processes import until
from bench.world import World, open_world, rehearsal
from executions.agents import get_agent
from executions.models import AgentExecution, AgentRunner

REAL_AGENTS = ("compliance_document_generator", "customer_record_steward")
PATIENCE = 20  # times the ideal makespan, and a little

REACHED = """
SELECT extract(epoch FROM max(a.at) - min(e.created_at)) FROM agent_executions e
JOIN agent_audit a ON a.execution_id = e.id AND a.event = %s WHERE e.id = ANY(%s)
"""
PARKED_RIGHT = """
SELECT count(*) FROM agent_executions e WHERE id = ANY(%s) AND status = 'awaiting_review'
    AND lease_owner IS NULL AND open_reviews > 0
    AND open_reviews = (SELECT count(*) FROM agent_reviews r
        WHERE r.execution_id = e.id AND r.status = 'open')
    AND NOT EXISTS (SELECT FROM agent_tool_calls c
        WHERE c.execution_id = e.id AND c.gated AND c.started_at IS NOT NULL)
"""


def completing(place: Place, *, executions: int, latency_s: float, workers: int) -> dict[str, Any]:
    """Drive workload W to its end through a cluster and the rehearsal server.

    Raises AssertionError unless every execution completed with all its steps and outcomes.
    """
    with open_world(place, workers=workers, latency_s=latency_s) as world:
        cpu = world.cpu_s()
        ids = durable.launch_many(LOOP.name, executions, {"rehearse": script(ROUNDS)})
        ideal_s = (ROUNDS + 1) * latency_s
        _wait(ids, "completed", ideal_s)
        durable.finished_at(ids)
        return _figures(world, ids, "completed", ideal_s=ideal_s, cpu=cpu)


def until_review(
    place: Place, *, executions: int, latency_s: float, workers: int
) -> dict[str, Any]:
    """Drive the site's own agents on their sample input until each waits for a person.

    Raises AssertionError unless nothing gated has started and no runner holds anything.
    """
    with open_world(place, workers=workers, latency_s=latency_s) as world:
        cpu = world.cpu_s()
        ids: list[Any] = []
        for agent in REAL_AGENTS:
            share = executions // len(REAL_AGENTS)
            ids += durable.launch_many(agent, share, get_agent(agent).sample_input)
        _wait(ids, "awaiting_review", 5 * latency_s)
        steps = max(AgentExecution.objects.filter(pk__in=ids).values_list("step_count", flat=True))
        with connection.cursor() as cursor:
            cursor.execute(PARKED_RIGHT, [ids])
            right = cursor.fetchone()[0]
        assert right == len(ids), f"{right} of {len(ids)} executions wait as they should"
        until(_nothing_held, within_s=20, what="runners that hold nothing")
        return _figures(world, ids, "awaiting_review", ideal_s=steps * latency_s, cpu=cpu)


def bare(place: Place, *, executions: int, latency_s: float) -> dict[str, Any]:
    """Make the same requests with the LLM adapter alone: the best this machine can do."""
    with rehearsal(place, latency_s=latency_s) as (_, base_url):
        arguments = ("--executions", str(executions), "--base-url", base_url)
        with place.start("-m", "bench.bare_client", *arguments) as child:
            report: dict[str, Any] = json.loads(child.line())
    ideal_s = (ROUNDS + 1) * latency_s
    return {"executions": executions, "ideal_s": ideal_s, **report}


def _wait(ids: list[Any], status: str, ideal_s: float) -> None:
    wanted = AgentExecution.objects.filter(pk__in=ids, status=status)
    within_s = PATIENCE * ideal_s + 30
    until(lambda: wanted.count() == len(ids), within_s=within_s, what=f"{len(ids)} {status}")


def _nothing_held() -> bool:
    """A runner says how many it drives with each heartbeat."""
    return not AgentRunner.objects.filter(dead_at=None, in_flight__gt=0).exists()


def _figures(
    world: World, ids: list[Any], event: str, *, ideal_s: float, cpu: dict[str, float]
) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(REACHED, [event, ids])
        makespan_s = float(cursor.fetchone()[0])
    peak_mb = world.peak_mb()
    return {
        "executions": len(ids),
        "runners": len(world.runners),
        "ideal_s": ideal_s,
        "makespan_s": makespan_s,
        "peak_mb": peak_mb,
        "kb_per_execution": 1000 * (peak_mb - world.idle_mb) / len(ids),
        **{who: now - cpu[who] for who, now in world.cpu_s().items()},
    }
