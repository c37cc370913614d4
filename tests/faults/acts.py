"""What people, psql and the clusters' own processes do around executions, as plain data.

An `Act` can be sent to another process. `perform` does it once and tells what came of it;
`insist` does it as somebody does whose click got an error: again, until there is an answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, close_old_connections, connection
from django_q.brokers import Broker

from agentops.accounts.models import User
from executions import housekeeping, operations
from executions.engine.broker import PostgresBroker
from executions.engine.tickets import CLUSTER
from executions.models import AgentReview
from executions.operations import Refusal
from tests.faults.crashing import Died
from tests.support.rehearsed_agent import REHEARSED

PEOPLE = ("rita", "omar")
REPEATS = 8


@dataclass(frozen=True)
class Act:
    """The name of a function of this module, and its arguments as JSON has them."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


def insist(act: Act) -> Any:
    """Do it until it is done or refused; a refusal is returned as its words."""
    for _ in range(REPEATS):
        try:
            return perform(act)
        except Refusal as refusal:
            return f"{type(refusal).__name__}: {refusal}"
        except (Died, DatabaseError):
            close_old_connections()  # as Django does between two requests
    raise AssertionError(f"{act} got no answer in {REPEATS} tries")


def perform(act: Act) -> Any:
    return ACTS[act.name](**act.arguments)


def launch(*, script: list[Any], key: str, person: str = "olga", **limits: Any) -> str:
    launched = operations.launch(
        agent_type=REHEARSED.name,
        input_data={"rehearse": script},
        user=_person(person),
        idempotency_key=key,
        limits=limits,
    )
    return str(launched.execution.pk)


def launch_by_sql(*, script: list[Any], person: str = "olga") -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO agent_executions (user_id, agent_type, input_data)"
            " SELECT id, %s, %s FROM accounts_user WHERE username = %s RETURNING id",
            [REHEARSED.name, json.dumps({"rehearse": script}), person],
        )
        return str(cursor.fetchone()[0])


def decide(*, review: str, person: str, approve: bool, digest: str) -> str:
    decided = operations.decide(
        review_id=review, person=_person(person), approve=approve, seen_digest=digest,
        reason="because",
    )  # fmt: skip
    return decided.status


def settle(*, review: str, person: str, verdict: str, digest: str) -> str:
    decided = operations.settle(
        review_id=review, person=_person(person), verdict=verdict, seen_digest=digest,
        reason="seen in the ledger",
    )  # fmt: skip
    return decided.status


def cancel(*, execution: str, person: str = "olga") -> str:
    return operations.cancel(
        execution_id=execution, person=_person(person), reason="not needed"
    ).status


def let_expire(*, review: str) -> int:
    """Let the review's time run out, as weeks would."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE agent_reviews SET expires_at = clock_timestamp()"
            " WHERE id = %s AND status IN ('open', 'approved') AND expires_at > clock_timestamp()",
            [review],
        )
        return cursor.rowcount


def let_time_pass() -> int:
    """Let every back-off be over."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE agent_executions SET wake_at = clock_timestamp() WHERE wake_at IS NOT NULL"
            " AND status = 'pending'"
        )
        return cursor.rowcount


def each_minute() -> dict[str, int]:
    return housekeeping.each_minute()


def lose_tickets() -> int:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_q_ormq")
        return cursor.rowcount


def double_tickets() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_q_ormq (key, payload, lock)"
            " SELECT key, payload, lock FROM django_q_ormq"
        )
        return cursor.rowcount


def take_ticket() -> list[int]:
    """Fetch tickets as a cluster's pusher does, if there are any; return their ids."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM django_q_ormq WHERE key = %s AND lock < now() LIMIT 1", [CLUSTER]
        )
        if cursor.fetchone() is None:
            return []
    broker = _broker()
    try:
        return [id for id, _ in broker.dequeue() or []]
    finally:
        broker.hang_up()


def acknowledge(*, ids: list[int]) -> None:
    """Tell the queue that they were dealt with, as a cluster's monitor does."""
    for id in ids:
        _broker().acknowledge(id)


def decide_any(*, executions: list[str], roll: float, approve: bool) -> str:
    """Decide on one of the reviews that are open now, whichever that is."""
    reviews = AgentReview.objects.open().filter(execution_id__in=executions, kind="approval")
    found = list(reviews.order_by("pk"))
    if not found:
        return "nothing to decide"
    review = found[int(roll * len(found))]
    voted = set(review.votes.values_list("voter__username", flat=True))
    person = next((name for name in PEOPLE if name not in voted), PEOPLE[0])
    return decide(review=str(review.pk), person=person, approve=approve, digest=review.input_digest)


def bury_the_living() -> int:
    """Take every runner for dead, as its undertaker does when it was frozen for long."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE agent_runners SET dead_at = clock_timestamp() WHERE dead_at IS NULL")
        return cursor.rowcount


def _broker() -> Broker:
    return PostgresBroker(list_key=CLUSTER)


def _person(name: str) -> User:
    return User.objects.get(username=name)


ACTS: dict[str, Callable[..., Any]] = {
    act.__name__: act
    for act in (
        *(launch, launch_by_sql, decide, settle, cancel, let_expire, let_time_pass, each_minute),
        *(lose_tickets, double_tickets, take_ticket, acknowledge),
        *(decide_any, bury_the_living),
    )
}
