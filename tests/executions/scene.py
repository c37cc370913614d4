"""A scene for hostile statements: calls in every state, by the names the statements use.

All is built in one transaction that is rolled back when the module's tests are through; each
statement runs in a savepoint of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from executions.models import (
    AgentAuditSeal,
    AgentDefinition,
    AgentExecution,
    AgentReview,
    AgentStep,
    AgentToolCall,
)
from tests import factories

Names = dict[str, Any]


@dataclass(frozen=True)
class Attack:
    """`sql`: one statement, or several of which only the last is refused."""

    sentence: str
    sql: str | Sequence[str]
    said: str


def each(attacks: Sequence[Attack]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("attack", attacks, ids=lambda attack: attack.sentence)


def run(names: Names, sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, names)
        return cursor.fetchall() if cursor.description else []


def assert_refused(names: Names, attack: Attack) -> None:
    """The database must refuse the attack's last statement, and no other, in the attack's words."""
    *before, last = [attack.sql] if isinstance(attack.sql, str) else attack.sql
    with transaction.atomic():
        for statement in before:
            run(names, statement)
        with pytest.raises(DatabaseError, match=re.compile(attack.said)):
            run(names, last)
        transaction.set_rollback(True)


def build() -> Names:
    """Make the scene; returns ids by name. A call `x` has its review under `x_review`."""
    olga, rita, omar = map(factories.reviewer, ("olga", "rita", "omar"))
    gone = factories.person("gone", is_active=False)
    one = factories.running(user=olga, launched_by=olga)
    other = factories.running(user=olga, launched_by=olga)
    names: Names = {
        "execution": one.pk,
        "other_execution": other.pk,
        "olga": olga.pk,
        "rita": rita.pk,
        "omar": omar.pk,
        "gone": gone.pk,
        "system": factories.system().pk,
        "digest": factories.call(one, tool_name="find_customers", effect="read").input_digest,
    }
    _unapproved(names, one)
    _approved(names, one, rita)
    _approved_elsewhere(names, other, rita)
    _started(names, one, rita)
    _of_ended_executions(names, olga)
    _log(one)
    return names


def put(names: Names, name: str, call: AgentToolCall, review: AgentReview | None = None) -> None:
    names[name] = call.pk
    if review:
        names[f"{name}_review"] = review.pk


def _unapproved(names: Names, one: AgentExecution) -> None:
    put(names, "naked", factories.call(one, gated=True))
    put(names, "plain", factories.call(one, tool_name="note", effect="transactional"))
    asked = {
        "asked": factories.gated(one),
        "opened": factories.gated(one, status="pending"),
        "filing": factories.gated(one, tool_name="submit_to_regulator", votes=2),
        "overdue": factories.gated(one, expires_in=timedelta(milliseconds=1)),
    }
    for name, review in asked.items():
        put(names, name, review.call, review)


def _approved(names: Names, one: AgentExecution, rita: Any) -> None:
    """Calls that people approved, each with something about it that forbids the start, or not."""
    later = timezone.now() + timedelta(minutes=5)
    ready = {
        "approved": factories.gated(one),
        "expiring": factories.gated(one),
        "undoable": factories.gated(one, effective_at=later),
        "targeted": factories.gated(one, target_version="3"),
    }
    for name, review in ready.items():
        factories.approve(review, rita)
        put(names, name, review.call, review)
    factories.change(ready["expiring"], expires_at=Now())


def _approved_elsewhere(names: Names, other: AgentExecution, rita: Any) -> None:
    review = factories.gated(other)
    factories.approve(review, rita)
    put(names, "foreign", review.call, review)
    cancelled = factories.running(user=other.user)
    late = factories.gated(cancelled)
    factories.approve(late, rita)
    factories.change(cancelled, cancel_requested_at=Now())
    put(names, "late", late.call, late)
    waiting = factories.running(user=other.user)
    early = factories.gated(waiting)
    factories.approve(early, rita)
    factories.gated(waiting)
    factories.change(waiting, status="awaiting_review", lease_owner=None)
    put(names, "early", early.call, early)
    names.update(cancelled_execution=cancelled.pk, waiting_execution=waiting.pk)


def _started(names: Names, one: AgentExecution, rita: Any) -> None:
    for name in ("started", "done", "doubted"):
        review = factories.gated(one)
        call = factories.start(factories.approve(review, rita))
        put(names, name, call, review)
        if name == "done":
            factories.change(call, status="succeeded", tool_output={"sent": True})
        elif name == "doubted":
            names["doubt"] = factories.doubt(call).pk


def _of_ended_executions(names: Names, olga: Any) -> None:
    definition = AgentDefinition.objects.create(sha256="0" * 64, agent_type="a", body={})
    for name, held in (("ended", False), ("held", True)):
        one = factories.running(user=olga, launched_by=olga, legal_hold=held, definition=definition)
        call = factories.call(one, tool_name="find_customers", effect="read")
        factories.change(call, status="running", started_at=Now())
        factories.change(call, status="succeeded", tool_output={"found": []})
        factories.change(
            one, status="completed", result={"text": "done"}, completed_at=Now(), lease_owner=None
        )
        names.update({f"{name}_execution": one.pk, f"{name}_call": call.pk})


def _log(one: AgentExecution) -> None:
    AgentStep.objects.create(
        execution=one, step_number=1, llm="m", request_digest="d", response={"text": "hello"},
        finish_reason="stop", latency_ms=1,
    )  # fmt: skip
    AgentAuditSeal.objects.create(executions=1, events=1, heads_hash="h", prev_hash="")
