"""Executions brought to where a race begins, and driven from where it left them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

from agentops.accounts.models import User
from executions import operations
from executions.models import AgentExecution, AgentReview
from executions.operations.deciding import expire_overdue
from tests import factories
from tests.faults.witness import Witness
from tests.support.racing import Work
from tests.support.rehearsed_agent import REHEARSED, text
from tests.support.standing_runner import run_until_idle

Asked = Sequence[tuple[str, dict[str, Any]]]


def launched(asked: Sequence[Asked]) -> list[AgentExecution]:
    """Launch one execution per set of calls: its LLM asks for them at once, then ends."""
    return [
        operations.launch(
            agent_type=REHEARSED.name, input_data=_script(calls), user=factories.system()
        ).execution
        for calls in asked
    ]


def at_the_gate(outside: Witness, asked: Sequence[Asked]) -> list[AgentExecution]:
    """Launch as many and drive each until it waits for people."""
    executions = launched(asked)
    drive(outside)
    for execution in executions:
        execution.refresh_from_db()
        assert execution.status == "awaiting_review", execution.error
    return executions


def drive(outside: Witness) -> None:
    """Drive whatever is claimable until it ends or waits."""
    run_until_idle(base_url=outside.llm.base_url)


def open_review(execution: AgentExecution) -> AgentReview:
    return AgentReview.objects.open().get(execution=execution)


def decision(review: AgentReview, person: User, *, approve: bool = True) -> Work:
    return partial(
        operations.decide,
        review_id=review.pk,
        person=person,
        approve=approve,
        seen_digest=review.input_digest,
        reason="because",
    )


def expired_by_the_job(review: AgentReview) -> None:
    """Be the job that expires reviews, again and again, until nobody can decide any more."""
    while AgentReview.objects.open().filter(pk=review.pk).exists():
        expire_overdue()


def assert_all_seen(orders: Counter[str], *names: str) -> None:
    """A race that always comes out the same way was none."""
    assert all(orders[name] for name in names), f"no overlap was seen: {dict(orders)}"


def _script(calls: Asked) -> dict[str, Any]:
    asks = {"calls": [{"name": name, "arguments": arguments} for name, arguments in calls]}
    return {"rehearse": [asks, text()]}
