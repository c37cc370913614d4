"""The judgement: what was accepted against the rows, the rows against the outside's ledgers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from statistics import quantiles
from typing import Any
from uuid import UUID

from django.db import connection

from executions.invariants import Ledger, verify
from executions.models import AgentExecution, AgentToolCall
from tests.soak.monkey import Death

# Ends that say the system broke, not the agent, the LLM or a person.
NEVER = ("POISONED", "INTERNAL_ERROR", "WRITE_REFUSED", "UNREADABLE", "DEFINITION_REMOVED")
SLOWEST = 8
FINAL = ("completed", "failed", "cancelled")

TAKEN_OVER = """
SELECT min(a.at) FROM agent_audit a
WHERE a.execution_id = %(id)s AND a.at > %(since)s
HAVING (array_agg(a.event ORDER BY a.seq))[1] = 'recovered'
"""
NEXT_STEP = "SELECT min(created_at) FROM agent_steps WHERE created_at > %s"


def violations(accepted: set[UUID], ledgers: Sequence[Ledger]) -> Iterator[str]:
    """Yield a sentence for whatever must not be."""
    rows = {row.pk: row for row in AgentExecution.objects.only("status", "stop_reason", "error")}
    for id in accepted - rows.keys():
        yield f"lost: execution {id} was accepted and does not exist"
    for row in rows.values():
        if not row.is_final:
            yield f"stuck: execution {row.pk} is {row.status}"
        if row.stop_reason in NEVER:
            yield f"broken: execution {row.pk} failed with {row.error}"
    for ledger in ledgers:
        yield from _effects(ledger)
    for one in verify(ledgers=ledgers):
        for example in one.examples:
            yield f"{one.name} ({one.violations}): {example.row}: {example.what}"


def _effects(ledger: Ledger) -> Iterator[str]:
    for key, times in Counter(ledger.keys).items():
        if times > 1:
            yield f"twice: {ledger.tool} {key} happened {times} times"
    approved = AgentToolCall.objects.filter(
        tool_name=ledger.tool,
        idempotency_key__in=ledger.keys,
        reviews__kind="approval",
        reviews__status="approved",
    )
    for key in set(ledger.keys) - set(approved.values_list("idempotency_key", flat=True)):
        yield f"unapproved: {ledger.tool} {key} happened without an approved review"


def takeovers(deaths: Sequence[Death]) -> dict[str, Any]:
    """Return the seconds from each death until another runner had all that the dead one held."""
    found = [(took, death) for death in deaths if (took := _takeover(death)) is not None]
    slowest = sorted(found, key=lambda pair: -pair[0])[:SLOWEST]
    return {
        "deaths_with_executions_in_hand": len(found),
        **spread([took for took, _ in found]),
        "slowest": [[round(took, 2), death.role, death.at] for took, death in slowest],
    }


def _takeover(death: Death) -> float | None:
    """Return None when nothing it held was left to take over."""
    since = datetime.fromtimestamp(death.at, UTC)
    found = [_one(TAKEN_OVER, {"id": id, "since": since}) for id in death.held]
    return max((at.timestamp() - death.at for at in found if at), default=None)


def restarts(backs: Sequence[float]) -> dict[str, Any]:
    """Return the seconds from each time PostgreSQL was back until the first new step."""
    found = [(_one(NEXT_STEP, [datetime.fromtimestamp(at, UTC)]), at) for at in backs]
    return spread([step.timestamp() - at for step, at in found if step])


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Return p50, p99 and max; nothing of nothing."""
    if not seconds:
        return {}
    cut = quantiles([*seconds, *seconds], n=100)
    return {"p50_s": round(cut[49], 2), "p99_s": round(cut[98], 2), "max_s": round(max(seconds), 2)}


def _one(statement: str, values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    return row and row[0]
