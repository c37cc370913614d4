"""How agents do, in numbers. The definitions live in the SQL function that this module reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from django.db import connection

EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Health:
    """The columns of `agent_health_metrics`, by name; docs/metrics.md says what each means.

    Rates are shares of 1. None: there was nothing to divide by, or a price was unknown.
    """

    executions: int
    completed: int
    failed: int
    cancelled: int
    completion_rate: Decimal | None
    completion_rate_excl_cancelled: Decimal | None
    avg_steps: Decimal | None
    median_steps: Decimal | None
    p95_steps: Decimal | None
    step_efficiency: Decimal | None
    tool_success_rate: Decimal | None
    human_review_rate: Decimal | None
    tokens_per_completion: Decimal | None
    cost_usd_per_completion: Decimal | None
    unknown_cost_share: Decimal | None
    latency_total_p50_ms: Decimal | None
    latency_total_p95_ms: Decimal | None
    latency_active_p50_ms: Decimal | None
    latency_active_p95_ms: Decimal | None
    time_to_decision_p50_ms: Decimal | None
    time_to_decision_p95_ms: Decimal | None


def health(*, agent_type: str | None = None, since: datetime | None = None) -> Health:
    """Return the figures of executions finished at or after `since`; None: all agents, ever."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM agent_health_metrics(%s, %s)", [agent_type, since])
        names = [column.name for column in cursor.description]
        return Health(**dict(zip(names, cursor.fetchone(), strict=True)))


def healths(pairs: Sequence[tuple[str | None, datetime | None]]) -> list[Health]:
    """Return `health` of each pair of agent and moment, for the price of the earliest alone."""
    ordered = sorted(enumerate(pairs), key=lambda placed: placed[1][1] or EVER)
    values = [[pair[part] for _, pair in ordered] for part in (0, 1)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM agent_health_of(%s::text[], %s::timestamptz[])", values)
        names = [column.name for column in cursor.description]
        rows = cursor.fetchall()
    found = {
        place: Health(**dict(zip(names, row, strict=True)))
        for (place, _), row in zip(ordered, rows, strict=True)
    }
    return [found[place] for place in range(len(pairs))]


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """What a runner with room would take now, and for how long the first of it has waited."""

    claimable: int
    oldest_ms: int | None


BACKLOG = """
SELECT count(*),
    (extract(epoch FROM clock_timestamp() - min(greatest(updated_at, wake_at))) * 1000)::bigint
FROM agent_executions
WHERE status = 'pending' AND (wake_at IS NULL OR wake_at <= clock_timestamp())
"""


def backlog() -> Backlog:
    with connection.cursor() as cursor:
        cursor.execute(BACKLOG)
        claimable, oldest_ms = cursor.fetchone()
    return Backlog(claimable=claimable, oldest_ms=oldest_ms)
